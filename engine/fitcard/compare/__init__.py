"""Two states of the rules side by side: what changed by name, and what that does to every answer."""
