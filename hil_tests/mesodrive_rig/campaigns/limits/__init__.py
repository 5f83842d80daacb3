"""The device's limits, held against an oracle that was written from the documents alone."""
