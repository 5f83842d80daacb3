"""Benchmarks: figures measured from outside the firmware, in emulated time."""
