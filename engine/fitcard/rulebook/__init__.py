"""The rulebook: every rule, catalog, message and layout, loaded and checked."""
