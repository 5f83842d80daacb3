"""Proving a role to a device, and the keys that do it; see docs/protocol.md, Access."""

import hashlib
import hmac
import secrets
from typing import Literal

KEY_BYTES = 32

Role = Literal["operator", "service"]
ROLES: tuple[Role, ...] = ("operator", "service")


def new_key() -> bytes:
    """A key that nobody knows."""
    return secrets.token_bytes(KEY_BYTES)


def proof(role: Role, key: bytes, nonce: bytes, counter: int) -> bytes:
    """What answers a challenge."""
    message = b"mesodrive auth\0" + role.encode() + b"\0" + nonce + counter.to_bytes(4, "little")
    return _tag(key, message)


def masked(new: bytes, service_key: bytes, role: Role, nonce: bytes) -> bytes:
    """A new key of `role` as it goes over the wire; `nonce` is that of service's proof."""
    mask = _tag(service_key, b"mesodrive key\0" + role.encode() + b"\0" + nonce)
    return bytes(a ^ b for a, b in zip(new, mask, strict=True))


def _tag(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
