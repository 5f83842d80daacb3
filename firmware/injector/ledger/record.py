"""A record of the ledger: 64 bytes, little-endian.

 0      kind, see SCHEMA
 1      version of this layout
 2..3   on_ms, upper 16 bits
 4..7   sequence: 1, 2, 3 … through the ledger's life
 8..11  boot: 1, 2, 3 …
12..15  on_ms, lower 32 bits: how long the device has been on, all boots together
16..43  the values of this kind, zeros after them
44..59  chain: the first 16 bytes of the SHA-256 of the chain before and bytes 0 to 43
60..63  CRC-32 of bytes 0 to 59
"""

import hashlib
import struct

from injector.ledger import checksum

SIZE = 64
VERSION = 1
CHAIN_SIZE = 16
BLANK = b"\xff" * SIZE
VOID = bytes(SIZE)  # a slot in which nothing was or will be

BOOT = 1
PROFILE = 2
SYRINGE = 3
CARTRIDGE = 4
INTENT = 5
OUTCOME = 6
RESOLVED = 7
FAULT = 8
CHANGE = 9
COUNTERSIGNED = 10

_GIVEN = (
    ("intent", "I"),  # its number
    ("planned_strikes", "I"),
    ("planned_dose_nl", "I"),
    ("strikes", "I"),
    ("given_nl", "I"),  # all of them together
    ("how", "8s"),
)

# kind → name, values in their order: whole numbers without sign (B, H, I, Q) and bytes (s).
SCHEMA = {
    BOOT: ("boot", (("cause", "B"), ("image", "I"))),
    PROFILE: (
        "profile",
        (
            ("profile", "I"),
            ("mode", "8s"),
            ("shots", "I"),
            ("dose_nl", "I"),
            ("depth_um", "H"),
            ("new_session", "B"),  # 1: the cartridge had been taken out, see docs/ledger.md
        ),
    ),
    SYRINGE: ("syringe", (("fill_nl", "I"), ("nl_per_mm", "I"))),
    CARTRIDGE: ("cartridge", (("cartridge", "8s"), ("needles", "B"), ("length_um", "H"))),
    # No strikes: priming, with `dose_nl` in all. Otherwise at most so many strikes of `dose_nl`.
    INTENT: ("intent", (("command", "Q"), ("strikes", "I"), ("dose_nl", "I"))),
    OUTCOME: ("outcome", _GIVEN),
    RESOLVED: ("resolved", _GIVEN),
    FAULT: ("fault", (("code", "16s"), ("state", "12s"))),
    CHANGE: ("change", (("what", "16s"), ("was", "I"), ("becomes", "I"))),
    COUNTERSIGNED: ("countersigned", (("sequence", "I"), ("mac", "16s"), ("key", "I"))),
}

_FORMATS = {kind: "<" + "".join(code for _, code in SCHEMA[kind][1]) for kind in SCHEMA}
_LARGEST = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFFFFFF, "Q": 0xFFFFFFFFFFFFFFFF}
_VALUES_AT = 16
_CHAIN_AT = 44
_CRC_AT = 60
assert all(_VALUES_AT + struct.calcsize(fmt) <= _CHAIN_AT for fmt in _FORMATS.values())


def first_chain(seed: bytes) -> bytes:
    """The chain before the first record."""
    return hashlib.sha256(seed).digest()[:CHAIN_SIZE]


def in_order(kind: int, values: "dict[str, object]") -> "list[object]":
    """The values of a record as they are packed; raise ValueError when one does not fit."""
    name, fields = SCHEMA[kind]
    if sorted(values) != sorted(field for field, _ in fields):
        raise ValueError(
            "A record of kind %s has the values %s; give these."
            % (name, ", ".join(field for field, _ in fields))
        )
    for field, code in fields:
        value = values[field]
        if code in _LARGEST:
            fits = isinstance(value, int) and 0 <= value <= _LARGEST[code]
        else:
            fits = isinstance(value, bytes) and len(value) <= int(code[:-1])
        if not fits:
            raise ValueError(
                "%s of a record of kind %s is %r and must fit %s." % (field, name, value, code)
            )
    return [values[field] for field, _ in fields]


def write(raw, kind: int, sequence: int, boot: int, on_ms: int, ordered, before) -> None:
    """Fill the 64 bytes `raw`; `before` is the chain of the record before this one."""
    raw[:] = VOID
    high, low = on_ms >> 32, on_ms & 0xFFFFFFFF
    struct.pack_into("<BBHIII", raw, 0, kind, VERSION, high, sequence, boot, low)
    struct.pack_into(_FORMATS[kind], raw, _VALUES_AT, *ordered)
    raw[_CHAIN_AT:_CRC_AT] = _link(raw, before)
    checksum.seal(raw, _CRC_AT)


def is_whole(raw) -> bool:
    """Whether these bytes were once written as a record.

    Zeros between two words of 0xFFFFFFFF, as in a blank slot of which all but its ends was
    overwritten, have the right CRC-32 too; but no record has the sequence 0.
    """
    return checksum.is_sealed(raw, _CRC_AT) and sequence_of(raw) > 0


def follows(raw, before) -> bool:
    """Whether its chain goes on from the chain `before`."""
    return _link(raw, before) == chain(raw)


def mend(raw, sequence: int, before) -> bool:
    """Put right one wrong bit, if then it is record `sequence` and follows `before`."""
    turned = checksum.mend(raw, _CRC_AT)
    if not turned:
        return False
    if sequence_of(raw) == sequence and follows(raw, before):
        return True
    checksum.turn(raw, *turned)
    return False


def is_known(raw) -> bool:
    """Whether this firmware knows what a whole record means."""
    return raw[1] == VERSION and raw[0] in SCHEMA


def sequence_of(raw) -> int:
    return struct.unpack_from("<I", raw, 4)[0]


def chain(raw) -> bytes:
    return bytes(raw[_CHAIN_AT:_CRC_AT])


def read(raw) -> "tuple[int, int, int, tuple]":
    """Kind, boot, on_ms and the values in their order."""
    kind, _, high, _, boot, low = struct.unpack_from("<BBHIII", raw, 0)
    return kind, boot, high << 32 | low, struct.unpack_from(_FORMATS[kind], raw, _VALUES_AT)


def _link(raw, before):
    link = hashlib.sha256(before)
    link.update(memoryview(raw)[:_CHAIN_AT])
    return link.digest()[:CHAIN_SIZE]
