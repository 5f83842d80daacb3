"""Frames as a bad cable, a bad program or a bad person makes them."""

import json
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from mesodrive_rig.campaigns.fuzz.values import ODD_KEYS, hostile

Frame = bytes


def sealed(body: bytes) -> Frame:
    """`body` as a line whose checksum is right."""
    return body + b" %08x\n" % zlib.crc32(body)


def body_of(message: object) -> bytes:
    """JSON as the host writes it."""
    return json.dumps(message, separators=(",", ":")).encode()


class Frames:
    """Makes frames out of requests that are good, each `method` with its `params`."""

    def __init__(self, random: Random, requests: Sequence[tuple[str, dict[str, Any]]]):
        self._random = random
        self._bodies = [
            body_of({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
            for method, params in requests
        ]
        self._requests = requests
        self._id = 0
        self._last = b"\n"
        often: dict[Callable[[], bytes], int] = {
            self.bits_flipped: 8,
            self.cut: 4,
            self.spliced: 4,
            self.noise: 3,
            self.bytes_put_in: 4,
            self.checksum_spoilt: 3,
            self.stop_bytes: 1,
            self.doubled: 1,
            self.sealed_noise: 2,
            self.sealed_mutation: 4,
            self.sealed_values: 2,
            self.nearly_a_request: 3,
            self.hostile_request: 2,
            self.good: 2,
            self.stale: 1,
            self.nested: 1,
            self.blank: 1,
        }
        self._kinds = list(often)
        self._weights = list(often.values())

    def some(self, count: int) -> list[Frame]:
        """So many frames, of all kinds, and now and then a very long one."""
        kinds = self._random.choices(self._kinds, self._weights, k=count)
        frames = [kind() for kind in kinds]
        if self._random.random() < 0.3:
            frames.insert(self._random.randrange(count), self.huge())
        if self._random.random() < 0.3:
            self._random.shuffle(frames)
        return frames

    def go_on_from(self, last_id: int) -> None:
        """Ids are used from here on."""
        self._id = max(self._id, last_id)

    # what a cable does

    def good(self) -> Frame:
        """A request that is to be obeyed."""
        method, params = self._random.choice(self._requests)
        self._id += self._random.randrange(1, 4)
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": self._id, "method": method}
        if params:
            message["params"] = params
        self._last = sealed(body_of(message))
        return self._last

    def bits_flipped(self) -> Frame:
        line = bytearray(self._line())
        for _ in range(self._random.randrange(1, 4)):
            bit = self._random.randrange(8 * len(line) - 8)
            line[bit >> 3] ^= 1 << (bit & 7)
        return bytes(line)

    def cut(self) -> Frame:
        line = self._line()
        at = self._random.randrange(1, len(line))
        return line[at:] if self._random.getrandbits(1) else line[:at] + b"\n"

    def spliced(self) -> Frame:
        one, other = self._line(), self._line()
        if self._random.getrandbits(1):
            at = self._random.randrange(min(len(one), len(other)))  # a part was lost in between
            return one[:at] + other[at:]
        return (
            one[: self._random.randrange(len(one))] + other[self._random.randrange(len(other)) :]
        )

    def doubled(self) -> Frame:
        line = self.good()
        return self._random.choice([line + line, line[:-1] + line, line[:-1] + b"\r\n"])

    def stop_bytes(self) -> Frame:
        line = bytearray(self._random.choice([self._line(), self.good()]))
        for _ in range(self._random.randrange(1, 5)):
            line.insert(self._random.randrange(len(line)), 0x18)
        return bytes(line)

    def bytes_put_in(self) -> Frame:
        line = bytearray(self._line())
        at = self._random.randrange(len(line))
        line[at:at] = self._random.choice([b"\0", b"\n", b"\r", b" ", b'"', b"\xff", b"{", b"9"])
        return bytes(line)

    def blank(self) -> Frame:
        return self._random.choice([b"\n", b"\r\n", b" \n", b"\t\r\n", b"\0\n"])

    def stale(self) -> Frame:
        """An old line again, or an old id for something else."""
        if self._random.getrandbits(1):
            return self._last
        method, params = self._random.choice(self._requests)
        id = self._random.randrange(max(1, self._id - 40), self._id + 2)
        return sealed(body_of({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))

    # what is no line at all

    def noise(self) -> Frame:
        return self._random.randbytes(self._random.randrange(1, 80)) + b"\n"

    def huge(self) -> Frame:
        size = self._random.choice([2037, 2038, 2039, 2040, 3_000, 20_000])
        filling = self._random.choice([b"x", b"[", b" ", b"9", b"\0", "é".encode()])
        head = b'{"jsonrpc":"2.0","id":7,"method":"'
        body = (head + filling * size)[: size - 2] + b'"}'
        return sealed(body)

    def checksum_spoilt(self) -> Frame:
        line = self._line()
        body, digits = line[:-10], line[-9:-1]
        spoilt = self._random.choice(
            [
                digits.upper(),
                b"%08x" % (zlib.crc32(body) ^ 1 << self._random.randrange(32)),
                b"%08x" % self._random.getrandbits(32),
                digits[1:],
                b"0" + digits,
                b"0x" + digits[2:],
                b" " + digits,
            ]
        )
        return body + b" " + spoilt + b"\n"

    # what is sealed, and wrong all the same

    def sealed_noise(self) -> Frame:
        return sealed(self._clean(self._random.randbytes(self._random.randrange(60))))

    def sealed_mutation(self) -> Frame:
        body = bytearray(self._random.choice(self._bodies))
        for _ in range(self._random.randrange(1, 3)):
            at = self._random.randrange(len(body))
            change = self._random.randrange(4)
            if change == 0:
                body[at] = self._random.getrandbits(8)
            elif change == 1:
                del body[at : at + self._random.randrange(1, 9)]
            elif change == 2:
                body[at:at] = self._random.choice(
                    [b",", b"{", b"]", b'"', b"-", b"e9", b"\\", b"1"]
                )
            else:
                body[at:at] = body[: self._random.randrange(1, 30)]
            if not body:
                break
        return sealed(self._clean(bytes(body)))

    def sealed_values(self) -> Frame:
        """JSON that is no request."""
        return sealed(body_of(hostile(self._random))[:2_500])

    def nearly_a_request(self) -> Frame:
        method, params = self._random.choice(self._requests)
        self._id += 1
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": self._id, "method": method}
        if params or self._random.getrandbits(1):
            message["params"] = params
        key = self._random.choice(["jsonrpc", "id", "method", "params", *ODD_KEYS])
        if self._random.random() < 0.2:
            message.pop(key, None)
        else:
            message[key] = hostile(self._random)
        id: Any = message.get("id")
        if type(id) is int and self._id < id < 2**53:  # good, and no id could follow
            message["id"] = self._id
        return sealed(body_of(message))

    def hostile_request(self) -> Frame:
        """One that is well formed, with values that are not."""
        method, params = self._random.choice(self._requests)
        self._id += 1
        changed = dict(params)
        keys = [*params, *ODD_KEYS]
        changed[self._random.choice(keys)] = hostile(self._random)
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": changed}
        return sealed(body_of(message))

    def nested(self) -> Frame:
        levels = self._random.choice([3, 4, 5, 6, 100, 600])
        inner = self._random.choice([b"[", b'{"a":'])
        self._id += 1
        close = b"]" if inner == b"[" else b"}"
        middle = b"1" if inner != b"[" or self._random.getrandbits(1) else b""
        nest = inner * levels + middle + close * levels
        head = b'{"jsonrpc":"2.0","id":%d,"method":"ping","params":{"a":' % self._id
        return sealed(head + nest + b"}}")

    # parts

    def _line(self) -> Frame:
        return sealed(self._random.choice(self._bodies))

    @staticmethod
    def _clean(body: bytes) -> bytes:
        return body.replace(b"\n", b"").replace(b"\x18", b"")
