"""Catalog entries, their columns, and the names that people type for them."""
