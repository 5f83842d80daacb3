"""HMAC-SHA256 (RFC 2104): MicroPython has the hash and not this."""

import hashlib

KEY_SIZE = 32  # bytes of our keys: as many as a tag has, RFC 2104 section 3
_BLOCK = 64


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The 32-byte tag of `message` under `key`."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(_mixed(key, 0x36))
    inner.update(message)
    outer = hashlib.sha256(_mixed(key, 0x5C))
    outer.update(inner.digest())
    return outer.digest()


def is_same(one: bytes, other: bytes) -> bool:
    """Whether both are the same, in a time that does not tell where they differ."""
    if len(one) != len(other):
        return False
    difference = 0
    for place in range(len(one)):
        difference |= one[place] ^ other[place]
    return difference == 0


def xor(one: bytes, other: bytes) -> bytes:
    """Bit by bit; both have the same length."""
    return bytes([a ^ b for a, b in zip(one, other)])


def _mixed(key, pad):
    return bytes([byte ^ pad for byte in key])
