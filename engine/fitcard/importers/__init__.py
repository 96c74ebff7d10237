"""Imports the files and output of other programs as catalog entries: one module for each format."""
