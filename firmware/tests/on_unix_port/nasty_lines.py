"""Lines made to exhaust a small memory or stack; each must be refused like any other."""

import binascii
import gc
import json

from injector.link import Link
from mesodrive_wire import LineReader, decode

# The least that the self-test wants free, twice over: a word here is twice the board's.
LEFT_FREE = 2 * 64 * 1024


class Line:
    """A serial line on which all has arrived already."""

    def __init__(self, arrived):
        self.arrived = memoryview(arrived)
        self.sent = b""

    def connected(self):
        return True

    def readinto(self, buffer):
        n = min(len(buffer), len(self.arrived))
        buffer[:n] = self.arrived[:n]
        self.arrived = self.arrived[n:]
        return n

    def write(self, part):
        self.sent += bytes(part)
        return len(part)


request = b'{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":'
bodies = (
    b"[" * 2000,
    b"[" * 900 + b"]" * 900,
    b'{"":' * 480 + b"1" + b"}" * 480,
    request + b"[" * 900 + b"]" * 900 + b"}}",
    request + b"9" * 1900 + b'},"x":1}',
    request + b"1" + b'},"' + b"\\u0001" * 300 + b'":1}',
)
line = Line(b"".join(body + b" %08x\n" % binascii.crc32(body) for body in bodies))
link = Link(line, {"echo": lambda params, _: params})
gc.collect()
ballast = bytearray(gc.mem_free() - LEFT_FREE)
while line.arrived:
    link.step()
codes = [decode(answer)["error"]["code"] for answer in LineReader().feed(line.sent)]
print(json.dumps([codes, link.last_id]))
