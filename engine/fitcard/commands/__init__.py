"""The command line: one file for each command, and `main.py` that finds them."""
