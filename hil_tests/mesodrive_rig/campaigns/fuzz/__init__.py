"""Broken, hostile and plain wrong lines, and what becomes of them."""
