"""Benchmarks: ratios beside yardsticks that are timed in turn with them."""
