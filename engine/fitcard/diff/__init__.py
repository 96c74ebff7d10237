"""Comparison of two revisions of the rules: what changed, and what that does to every answer."""
