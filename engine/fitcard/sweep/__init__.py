"""The answers for all combinations of catalog entries, computed in parts and written to a file."""
