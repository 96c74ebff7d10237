"""Estimates held against what was measured."""
