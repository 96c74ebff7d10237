"""A comparison drawn for a terminal, for a pull request, and as a page: all from the same outline."""
