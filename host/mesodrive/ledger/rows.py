"""The records of a ledger as typed rows. Layout: firmware/injector/ledger/record.py."""

import struct
from dataclasses import dataclass, fields
from typing import Any
from zlib import crc32

SIZE = 64
_VERSION = 1
_HEADER = struct.Struct("<BBHIII")
_CHAIN = slice(44, 60)
_CHECKED = slice(0, 60)


class RowError(ValueError):
    """These bytes are no record."""


class NewerRowError(RowError):
    """They are one that this program does not know yet."""


@dataclass(frozen=True)
class Boot:
    """The device started: what reset it, and the checksum of its image."""

    cause: int
    image: int


@dataclass(frozen=True)
class ProfileLoaded:
    """A profile was loaded: its CRC-32 as in `profile.load`. `new_session` is 1 when a session
    began with it, because the cartridge had been taken out."""

    profile: int
    mode: str
    shots: int
    dose_nl: int
    depth_um: int
    new_session: int


@dataclass(frozen=True)
class Syringe:
    """A syringe was put in."""

    fill_nl: int
    nl_per_mm: int


@dataclass(frozen=True)
class Cartridge:
    """A cartridge was used, by its number; all zeros when it has none."""

    cartridge: bytes
    needles: int
    length_um: int


@dataclass(frozen=True)
class Intent:
    """At most so many strikes of `dose_nl` may follow; no strikes: priming, `dose_nl` in all."""

    command: int
    strikes: int
    dose_nl: int


@dataclass(frozen=True)
class Outcome:
    """What became of the intent with this sequence."""

    intent: int
    planned_strikes: int
    planned_dose_nl: int
    strikes: int
    given_nl: int
    how: str


@dataclass(frozen=True)
class Resolved(Outcome):
    """What a person decided about an intent without outcome."""


@dataclass(frozen=True)
class Fault:
    """An alarm that stopped the machine, and the state it was in."""

    code: str
    state: str


@dataclass(frozen=True)
class Change:
    """Service changed a value."""

    what: str
    was: int
    becomes: int


@dataclass(frozen=True)
class Countersigned:
    """A host has seen the ledger up to `sequence`; `key` says which key made the MAC."""

    sequence: int
    mac: bytes
    key: int


Event = (
    Boot
    | ProfileLoaded
    | Syringe
    | Cartridge
    | Intent
    | Outcome
    | Resolved
    | Fault
    | Change
    | Countersigned
)

# The first byte of a record → how its values are packed, what they mean.
LAYOUTS: dict[int, tuple[str, type[Any]]] = {
    1: ("<BI", Boot),
    2: ("<I8sIIHB", ProfileLoaded),
    3: ("<II", Syringe),
    4: ("<8sBH", Cartridge),
    5: ("<QII", Intent),
    6: ("<IIIII8s", Outcome),
    7: ("<IIIII8s", Resolved),
    8: ("<16s12s", Fault),
    9: ("<16sII", Change),
    10: ("<I16sI", Countersigned),
}
_IS_TEXT = {
    kind: [field.type is str for field in fields(event)] for kind, (_, event) in LAYOUTS.items()
}


@dataclass(frozen=True)
class Row:
    """One record. `on_ms` is how long the device had been on, all boots together."""

    sequence: int
    boot: int
    on_ms: int
    event: Event
    chain: bytes
    linked: bytes  # what the chain of the record before is hashed with

    @classmethod
    def parse(cls, raw: bytes) -> "Row":
        """The row in these 64 bytes. Raises RowError, one sentence, when there is none."""
        if len(raw) != SIZE:
            raise RowError(f"A record has {SIZE} bytes and not {len(raw)}; fetch it again.")
        if crc32(raw[_CHECKED]) != int.from_bytes(raw[60:], "little"):
            raise RowError("The checksum of a record is wrong; fetch it again.")
        kind, version, high, sequence, boot, low = _HEADER.unpack_from(raw)
        if version != _VERSION or kind not in LAYOUTS:
            raise NewerRowError(f"Record {sequence} is of a newer firmware; update mesodrive.")
        layout, event = LAYOUTS[kind]
        values = struct.unpack_from(layout, raw, _HEADER.size)
        typed = [
            _text(value) if is_text else value
            for value, is_text in zip(values, _IS_TEXT[kind], strict=True)
        ]
        return cls(sequence, boot, high << 32 | low, event(*typed), raw[_CHAIN], raw[:44])


def _text(value: Any) -> str:
    return bytes(value).rstrip(b"\0").decode("ascii", "replace")
