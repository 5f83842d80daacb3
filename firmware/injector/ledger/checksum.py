"""CRC-32 over the beginning of a buffer, stored right after it; one wrong bit can be put right."""

import binascii
import struct

_POLYNOMIAL = 0xEDB88320  # of binascii.crc32, lowest bit first


def seal(data, end: int) -> None:
    """Store the checksum of the `end` bytes before it."""
    struct.pack_into("<I", data, end, binascii.crc32(memoryview(data)[:end]))


def is_sealed(data, end: int) -> bool:
    """Whether the checksum is that of the `end` bytes before it."""
    return _wrong(data, end) == 0


def mend(data, end: int) -> "tuple[int, int] | None":
    """Turn the one bit that makes the checksum right; its byte and mask, or None.

    In anything as short as a page each wrong bit makes a difference of its own. That of the last
    bit is the polynomial; that of a bit before another follows from it by one step of the CRC.
    """
    wrong = _wrong(data, end)
    if wrong & (wrong - 1) == 0:  # a bit of the checksum itself
        for bit in range(32):
            if wrong == 1 << bit:
                return turn(data, end + bit // 8, 1 << bit % 8)
    difference = _POLYNOMIAL
    for place in range(end - 1, -1, -1):
        for bit in range(7, -1, -1):
            if difference == wrong:
                return turn(data, place, 1 << bit)
            difference = difference >> 1 ^ (_POLYNOMIAL if difference & 1 else 0)
    return None


def turn(data, place: int, mask: int) -> "tuple[int, int]":
    """Turn a bit, there or back again."""
    data[place] ^= mask
    return place, mask


def _wrong(data, end):
    stored = struct.unpack_from("<I", data, end)[0]
    return stored ^ binascii.crc32(memoryview(data)[:end])
