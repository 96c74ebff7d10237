"""Evaluation: formulas traced once into programs that run on numpy columns."""
