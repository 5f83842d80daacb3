"""A fetched ledger is whole and the one seen before, or what is wrong is named."""

import re
from importlib import import_module
from itertools import pairwise
from random import Random
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.ledger import Head, Row, Verdict, countersign, verify
from mesodrive.ledger.rows import LAYOUTS, Boot, Countersigned, Fault, Intent, Outcome, Resolved

pytestmark = pytest.mark.requirement("R17")

record: Any = import_module("injector.ledger.record")
Ledger: Any = import_module("injector.ledger").Ledger
stand_in: Any = import_module("stand_ins.flash")

KEY = b"a key of the clinic"


def made(seed: bytes = b"seed", records: int = 24) -> tuple[bytes, ...]:
    """The records of a device with some work behind it."""
    clock = stand_in.Clock()
    ledger = Ledger.create(stand_in.StandInFlash(), clock, seed)
    for n in range(records // 4):
        clock.ms += 1_000
        ledger.append(record.BOOT, cause=1, image=0xABCD)
        number = ledger.intend(n, 3, 1_000)
        ledger.outcome(number, 2, 1_500, b"stopped")
        ledger.append(record.FAULT, code=b"guard_open", state=b"ARMED")
    return tuple(ledger.records())


LEDGER = made()
ANOTHER = made(b"another")


def kinds(verdict: Verdict) -> list[tuple[str, int]]:
    return [(str(flaw.kind), flaw.sequence) for flaw in verdict.flaws]


def head_of(records: tuple[bytes, ...], sequence: int) -> Head:
    row = Row.parse(records[sequence - 1])
    return Head(row.sequence, row.chain)


def test_the_layouts_are_those_of_the_firmware():
    firmware = {
        kind: ("<" + "".join(code for _, code in fields), [name for name, _ in fields])
        for kind, (_, fields) in record.SCHEMA.items()
    }
    host = {
        kind: (layout, list(event.__dataclass_fields__))
        for kind, (layout, event) in LAYOUTS.items()
    }
    assert host == firmware


def test_a_ledger_is_read_as_typed_rows():
    verdict = verify(LEDGER)
    assert verdict.whole
    assert [row.sequence for row in verdict.rows] == list(range(1, 25))
    assert [row.event for row in verdict.rows[4:8]] == [
        Boot(1, 0xABCD),
        Intent(1, 3, 1_000),
        Outcome(6, 3, 1_000, 2, 1_500, "stopped"),
        Fault("guard_open", "ARMED"),
    ]
    assert {(row.boot, row.on_ms) for row in verdict.rows[4:8]} == {(1, 2_000)}
    assert verdict.head == Head(24, record.chain(LEDGER[-1]))


def test_an_empty_fetch_is_whole_and_has_no_head():
    assert verify([]) == Verdict((), None, ())


def test_a_fetch_goes_on_from_the_head_of_the_one_before():
    assert verify(LEDGER[10:], [head_of(LEDGER, 10)]).whole
    assert kinds(verify(LEDGER[10:], [head_of(ANOTHER, 10)])) == [("link", 11)]


@given(st.integers(0, 23), st.integers(0, 511))
def test_a_turned_bit_is_seen(place: int, bit: int):
    records = list(LEDGER)
    raw = bytearray(records[place])
    raw[bit // 8] ^= 1 << bit % 8
    records[place] = bytes(raw)
    verdict = verify(records, [head_of(LEDGER, 24)])
    assert not verdict.whole
    assert kinds(verdict)[0] == ("broken", place)
    assert len(verdict.rows) == 23


@pytest.mark.parametrize(
    ("fetched", "flaws"),
    [
        (LEDGER[:20], [("cut", 24)]),
        (LEDGER[:0], [("cut", 24)]),
        (LEDGER[:5] + LEDGER[8:], [("missing", 6)]),
        ((*LEDGER[:5], LEDGER[6], LEDGER[5], *LEDGER[7:]), [("missing", 6), ("order", 6)]),
        (LEDGER[:5] + LEDGER[4:], [("order", 5)]),
        (ANOTHER[: len(LEDGER)], [("other", 24)]),
        (LEDGER[:12] + ANOTHER[12:], [("link", 13), ("other", 24)]),
        ((*LEDGER[:3], b"\xff" * 64, *LEDGER[3:]), [("broken", 3)]),
        ((*LEDGER[:3], b"short", *LEDGER[3:]), [("broken", 3)]),
    ],
    ids=["tail", "all", "gap", "order", "twice", "another", "tail of another", "blank", "short"],
)
def test_what_was_changed_is_named(fetched: tuple[bytes, ...], flaws: list[tuple[str, int]]):
    verdict = verify(fetched, [head_of(LEDGER, 24)])
    assert kinds(verdict) == flaws
    for flaw in verdict.flaws:
        assert re.fullmatch(r"[A-Z][^.]*\.", flaw.text)


def test_records_that_were_overwritten_before_they_were_fetched_are_missing():
    assert kinds(verify(LEDGER[10:], [head_of(LEDGER, 6)])) == [("missing", 7)]


def test_an_older_head_than_the_fetch_is_no_flaw():
    assert verify(LEDGER[10:], [head_of(ANOTHER, 3), head_of(LEDGER, 10)]).whole


def forged(sequence: int, on_ms: int, boot: int) -> bytes:
    raw = bytearray(64)
    before = record.chain(LEDGER[sequence - 2])
    record.write(raw, record.BOOT, sequence, boot, on_ms, [1, 2], before)
    return bytes(raw)


@pytest.mark.parametrize(("on_ms", "boot"), [(5_999, 1), (7_000, 0)])
def test_time_does_not_go_back(on_ms: int, boot: int):
    assert kinds(verify([*LEDGER, forged(25, on_ms, boot)])) == [("clock", 25)]


def test_a_record_of_a_newer_firmware_is_not_guessed_at():
    newer = bytearray(LEDGER[3])
    newer[1] = 2
    newer[60:] = crc32(newer[:60]).to_bytes(4, "little")
    verdict = verify([*LEDGER[:3], bytes(newer)])
    assert kinds(verdict) == [("broken", 3)]
    assert "update mesodrive" in verdict.flaws[0].text


def countersigned(mac_of: Head, key: bytes = KEY, number: int = 1) -> tuple[bytes, ...]:
    clock = stand_in.Clock()
    ledger = Ledger.create(stand_in.StandInFlash(), clock, b"seed")
    ledger.append(record.BOOT, cause=1, image=2)
    sequence, chain = ledger.head
    mac = countersign(Head(mac_of.sequence or sequence, mac_of.chain or chain), key)
    ledger.append(record.COUNTERSIGNED, sequence=sequence, mac=mac, key=number)
    return tuple(ledger.records())


THIS = Head(0, b"")


def test_a_countersignature_holds_for_the_ledger_it_was_made_for():
    records = countersigned(THIS)
    verdict = verify(records, keys={1: KEY})
    assert verdict.whole
    event = verdict.rows[1].event
    assert isinstance(event, Countersigned)
    assert event.mac == countersign(head_of(records, 1), KEY)
    assert verify(records[1:], keys={1: KEY}).whole  # what it is about is no longer kept


@pytest.mark.parametrize(
    ("records", "keys"),
    [
        (countersigned(Head(0, b"other chain 16 b")), {1: KEY}),
        (countersigned(Head(2, b"")), {1: KEY}),
        (countersigned(THIS), {1: b"another key"}),
        (countersigned(THIS, number=2), {1: b"no matter", 2: b"another key"}),
    ],
    ids=["chain", "sequence", "key", "key number"],
)
def test_a_countersignature_for_something_else_is_named(
    records: tuple[bytes, ...], keys: dict[int, bytes]
):
    assert kinds(verify(records, keys=keys)) == [("mac", 2)]
    assert verify(records, keys={9: KEY}).whole  # not ours to check


def test_any_part_of_a_ledger_with_any_parts_missing_is_either_whole_or_named():
    random = Random(1)
    for _ in range(300):
        kept = sorted(random.sample(range(24), random.randint(1, 24)))
        verdict = verify(LEDGER[place] for place in kept)
        gaps = sum(later != place + 1 for place, later in pairwise(kept))
        assert len(verdict.flaws) == gaps
        assert [row.sequence - 1 for row in verdict.rows] == kept


def test_what_a_person_resolved_is_told_from_an_outcome():
    flash, clock = stand_in.StandInFlash(), stand_in.Clock()
    Ledger.create(flash, clock, b"").intend(1, 1, 5)
    ledger = Ledger.open(flash, clock)
    ledger.resolve(1, 1, 5, b"done")
    rows = verify(ledger.records()).rows
    assert rows[1].event == Resolved(1, 1, 5, 1, 5, "done")
    assert rows[1].event != Outcome(1, 1, 5, 1, 5, "done")
