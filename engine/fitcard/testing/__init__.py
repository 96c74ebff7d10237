"""Rule tests: running, updating and coverage."""
