"""Bugs put into the safety modules one at a time, and which test finds each."""
