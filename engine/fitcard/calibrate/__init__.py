"""Fitting constants and rows of tables to what was measured."""
