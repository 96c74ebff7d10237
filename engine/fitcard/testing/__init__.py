"""Rule tests: running, updating, coverage, and the watch mode."""
