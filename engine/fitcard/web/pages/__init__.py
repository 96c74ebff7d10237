"""HTML pages drawn from answers."""
