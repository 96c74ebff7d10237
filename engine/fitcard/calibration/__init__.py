"""Measured runs: back-test of estimates, and calibration of constants."""
