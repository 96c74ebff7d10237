"""Import of files and output of other programs as catalog entries."""
