"""Benchmarks: ratios to a yardstick that is timed in turn."""
