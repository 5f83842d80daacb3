"""Builds MicroPython, the board images and the Python environment; standard library only."""
