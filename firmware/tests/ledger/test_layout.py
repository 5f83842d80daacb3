"""What stands where in the ledger's flash: a newer firmware has to read what an older one wrote,
so who changes any of this changes its version too.
"""

import binascii
import hashlib
import struct

import pytest
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger, record
from injector.ledger.totals import SIZE, Totals

pytestmark = pytest.mark.requirement("R17")

GIVEN = (
    ("intent", "I"),
    ("planned_strikes", "I"),
    ("planned_dose_nl", "I"),
    ("strikes", "I"),
    ("given_nl", "I"),
    ("how", "8s"),
)
PROFILE = (
    ("profile", "I"),
    ("mode", "8s"),
    ("shots", "I"),
    ("dose_nl", "I"),
    ("depth_um", "H"),
    ("new_session", "B"),
)
SCHEMA = {
    1: ("boot", (("cause", "B"), ("image", "I"))),
    2: ("profile", PROFILE),
    3: ("syringe", (("fill_nl", "I"), ("nl_per_mm", "I"))),
    4: ("cartridge", (("cartridge", "8s"), ("needles", "B"), ("length_um", "H"))),
    5: ("intent", (("command", "Q"), ("strikes", "I"), ("dose_nl", "I"))),
    6: ("outcome", GIVEN),
    7: ("resolved", GIVEN),
    8: ("fault", (("code", "16s"), ("state", "12s"))),
    9: ("change", (("what", "16s"), ("was", "I"), ("becomes", "I"))),
    10: ("countersigned", (("sequence", "I"), ("mac", "16s"), ("key", "I"))),
}
KINDS = [
    "BOOT",
    "PROFILE",
    "SYRINGE",
    "CARTRIDGE",
    "INTENT",
    "OUTCOME",
    "RESOLVED",
    "FAULT",
    "CHANGE",
    "COUNTERSIGNED",
]
LARGEST = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFFFFFF, "Q": 0xFFFFFFFFFFFFFFFF}
CHAIN = bytes(range(16))
SECTOR = 1024


def crc(data: bytes) -> bytes:
    return struct.pack("<I", binascii.crc32(data))


def test_the_kinds_have_their_numbers_and_values():
    assert [getattr(record, name) for name in KINDS] == [*range(1, 11)]
    assert record.SCHEMA == SCHEMA
    assert (b"\xff" * 64, bytes(64)) == (record.BLANK, record.VOID)


@pytest.mark.parametrize("kind", SCHEMA)
def test_each_part_of_a_record_stands_in_its_place(kind: int):
    fields = SCHEMA[kind][1]
    values = {
        name: LARGEST[code] - place if code in LARGEST else bytes([65 + place]) * int(code[:-1])
        for place, (name, code) in enumerate(fields)
    }
    raw = bytearray(b"\xa5" * 64)
    record.write(raw, kind, 7, 9, 0x1234_5678_9ABC, record.in_order(kind, values), CHAIN)
    high, low = divmod(0x1234_5678_9ABC, 1 << 32)
    body = struct.pack("<BBHIII", kind, 1, high, 7, 9, low)
    body += struct.pack("<" + "".join(code for _, code in fields), *values.values())
    body = body.ljust(44, b"\0")
    body += hashlib.sha256(CHAIN + body).digest()[:16]
    assert raw == body + crc(body)


def sums(first: int) -> "tuple[Totals, bytes]":
    """Totals in which each number is another one, and what they are in flash."""
    totals = Totals()
    names = "boots faults on_ms command known_strikes known_nl primed_nl"
    names += " _session_strikes _session_nl _left_nl _slice"
    values = [*range(first, first + 11)]
    for name, value in zip(names.split(), values, strict=True):
        setattr(totals, name, value)
    totals._slices = [*range(100, 107)]
    totals.pending = [(1, 2, 3), (4, 5, 6)]
    totals.cartridges = [b"01234567", b"abcdefgh", b"ABCDEFGH"]
    stored = struct.pack("<IIQQQQQIQII7I", *values, *totals._slices)
    stored += struct.pack("<6I", 1, 2, 3, 4, 5, 6) + bytes(24)
    return totals, stored + b"01234567abcdefghABCDEFGH" + bytes(40)


def test_the_totals_stand_in_their_places():
    totals, stored = sums(11)
    page = bytearray(300)
    totals.store(page, 28)
    assert page == bytes(28) + stored + bytes(300 - 28 - len(stored))
    assert len(stored) == SIZE == 208
    again = Totals()
    again.load(page, 28)
    assert vars(again) == vars(totals)


def test_a_heads_parts_stand_in_their_places():
    flash = StandInFlash()
    ledger = Ledger.create(flash, Clock(), b"seed")
    first = hashlib.sha256(b"seed").digest()[:16]
    empty = bytes(208)
    for number in (0, 1):
        head = struct.pack("<4sII", b"MDL\x01", number, 0) + first + empty
        at = number * SECTOR
        assert flash.data[at : at + 256] == head + crc(head) + b"mesodrive erased"
    for number in (2, 3, 4):
        at = number * SECTOR
        assert flash.data[at : at + 256] == b"\xff" * 240 + b"mesodrive erased"
    for _ in range(12 + 1):  # as many records as a sector takes, and the first of the next
        ledger.append(record.FAULT, code=b"guard_open", state=b"ARMED")
    last = bytes(flash.data[2 * SECTOR - 64 : 2 * SECTOR])
    totals = Totals()
    totals.boots, totals.faults = 1, 12
    stored = bytearray(208)
    totals.store(stored, 0)
    head = struct.pack("<4sII", b"MDL\x01", 2, 12) + last[44:60] + stored
    at = 2 * SECTOR
    assert flash.data[at : at + 256] == head + crc(head) + b"mesodrive erased"
    assert struct.unpack_from("<BBHI", flash.data, at + 256) == (8, 1, 0, 13)
