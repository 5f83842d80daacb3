# Runs before main.py. The stock file mounts the flash and formats it when the mount fails; this
# one does neither. The machine needs no file system, and without one no file can shadow frozen
# code.
import sys

sys.path[:] = [".frozen"]
