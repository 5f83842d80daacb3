"""fuzzed_lines.py FILE: all of FILE into a link; print the id of each request that was run and
its line in hex, and at last how much the heap held after each tenth."""

import gc
import sys
from binascii import hexlify

from injector import link as under_test
from injector.link import Link


class Line:
    """A serial line on which all has arrived already, and whose answers nobody keeps."""

    def __init__(self, arrived):
        self._arrived = memoryview(arrived)

    def left(self):
        return len(self._arrived)

    def connected(self):
        return True

    def readinto(self, buffer):
        n = min(len(buffer), len(self._arrived))
        buffer[:n] = self._arrived[:n]
        self._arrived = self._arrived[n:]
        return n

    def write(self, part):
        return len(part)


class Methods:
    """All that there are: each is only written down."""

    def get(self, _name):
        def handler(_params, _answer):
            print(link.last_id, hexlify(taken[0]).decode())
            return {}

        return handler


def decode(line, usual=under_test.decode):
    taken[0] = line
    return usual(line)


taken = [b""]  # the line that the link is at
under_test.decode = decode
with open(sys.argv[1], "rb") as file:  # noqa: PTH123
    arrived = file.read()
line = Line(arrived)
link = Link(line, Methods())
heaps = []
tenth = len(arrived) // 10
while line.left():
    link.step()
    if line.left() < len(arrived) - tenth * (len(heaps) + 1):
        taken[0] = b""
        gc.collect()
        heaps.append(gc.mem_alloc())
link.step()
print("heap held", *heaps)
