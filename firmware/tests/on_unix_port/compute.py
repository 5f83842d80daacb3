"""compute.py NAME FILE: print what computation NAME makes of each vector in FILE, as JSON."""

import json
import sys

from on_unix_port import computations

with open(sys.argv[2]) as file:
    vectors = json.load(file)
compute = getattr(computations, sys.argv[1])
print(json.dumps([compute(*vector) for vector in vectors]))
