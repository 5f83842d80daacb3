"""A ledger's room, boots and times, to the last figure."""

import pytest
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger, record
from injector.ledger.totals import Totals

pytestmark = pytest.mark.requirement("R17")

SLICE_MS = 600_000


def new(sectors: int = 5) -> tuple[StandInFlash, Clock, Ledger]:
    flash, clock = StandInFlash(sectors), Clock()
    return flash, clock, Ledger.create(flash, clock, b"seed")


def fault(ledger: Ledger) -> int:
    return ledger.append(record.FAULT, code=b"misfire", state=b"ARMED")


def test_each_record_takes_one_from_the_room_and_a_sector_gives_twelve():
    _, _, ledger = new()
    assert (ledger.room, ledger.most_room, ledger.first) == (48, 36, 1)
    for left in range(47, -1, -1):
        assert fault(ledger) == 48 - left
        assert ledger.room == left
    assert not ledger.prepare(13)
    assert ledger.room == 12
    assert ledger.prepare(13)
    assert ledger.room == 24
    assert ledger.prepare(24)
    assert ledger.room == 24
    with pytest.raises(ValueError, match="room for 36 records at once"):
        ledger.prepare(37)
    assert ledger.head[0] == 48


def test_a_ledger_made_sector_by_sector_is_the_one_that_is_made_at_once():
    flash, _, ledger = new()
    other = StandInFlash()
    assert list(Ledger.creating(other, b"seed")) == [0, 1, 2, 3, 4]
    assert other.data == flash.data
    opened = Ledger.open(other, Clock())
    assert (opened.head, opened.room) == (ledger.head, 48 - 1)  # the first blank slot is spoilt


def test_records_say_in_which_boot_and_when_they_were_written():
    flash, clock, ledger = new()
    for boot in (1, 2, 3):
        clock.ms = 500
        assert ledger.on_ms == 500 * boot
        fault(ledger)
        read = [record.read(raw) for raw in ledger.records()]
        assert [(number, on_ms) for _, number, on_ms, _ in read] == [
            (one, 500 * one) for one in range(1, boot + 1)
        ]
        clock.ms = 0
        ledger = Ledger.open(flash, clock)


def test_the_hour_is_the_slice_under_way_and_the_six_before():
    totals = Totals()
    totals._slices = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]
    totals._slice = 9  # in place 2; slice 3 is in place 3
    hour = [totals.hour_nl(number * SLICE_MS) for number in range(9, 17)]
    assert hour == [1_111_111, 1_110_111, 1_100_111, 1_000_111, 111, 110, 100, 0]
    assert totals.hour_nl(10 * SLICE_MS - 1) == 1_111_111
    totals.pending = [(1, 2, 500), (2, 0, 700), (3, 1, 30)]
    assert totals.hour_nl(16 * SLICE_MS) == 1_030


def test_what_is_given_fills_its_slice_and_empties_those_passed_over():
    totals = Totals()
    totals._give(2 * SLICE_MS, 1, 5)
    assert totals._slices == [0, 0, 5, 0, 0, 0, 0]
    totals._give(3 * SLICE_MS - 1, 1, 6)
    assert totals._slices == [0, 0, 11, 0, 0, 0, 0]
    totals._give(4 * SLICE_MS, 1, 7)
    assert totals._slices == [0, 0, 11, 0, 7, 0, 0]
    totals._give(9 * SLICE_MS, 1, 8)
    assert totals._slices == [0, 0, 8, 0, 7, 0, 0]
    totals._give(8 * SLICE_MS, 1, 9)  # never backwards
    assert totals._slices == [0, 0, 17, 0, 7, 0, 0]
    totals._give(100 * SLICE_MS, 1, 3)
    assert totals._slices == [0, 0, 3, 0, 0, 0, 0]
    totals._give(100 * SLICE_MS, 1, 0xFFFFFFFF)
    assert totals._slices[2] == 0xFFFFFFFF
    assert (totals.known_strikes, totals.known_nl) == (7, 38 + 0xFFFFFFFF)
    assert (totals.session_strikes, totals.session_nl) == (7, 38 + 0xFFFFFFFF)
    totals._give(100 * SLICE_MS, 0xFFFFFFFF, 0)
    assert totals.session_strikes == 0xFFFFFFFF


def test_what_is_in_doubt_counts_in_full():
    totals = Totals()
    totals._left_nl = 10_000
    totals.pending = [(1, 2, 500), (2, 0, 700), (3, 1, 30)]
    assert (totals.uncertain_strikes, totals.uncertain_nl) == (3, 1_030)
    assert (totals.strikes, totals.delivered_nl) == (3, 1_030)
    assert (totals.session_strikes, totals.session_nl) == (3, 1_030)
    assert totals.left_nl == 10_000 - 1_730
    totals._close(2, 600)
    assert totals.pending == [(1, 2, 500), (3, 1, 30)]
    assert totals.left_nl == 10_000 - 600 - 1_030
    totals._left_nl = 1_000
    assert totals.left_nl == 0
    totals._close(1, 1_001)
    assert totals._left_nl == 0


def test_eight_cartridges_are_remembered_the_youngest_last():
    totals = Totals()
    names = [bytes([65 + n]) * 8 for n in range(9)]
    for name in [*names[:8], names[0]]:
        totals._use(name)
    assert totals.cartridges == [*names[1:8], names[0]]
    totals._use(names[8])
    assert totals.cartridges == [*names[2:8], names[0], names[8]]


def test_the_sectors_that_are_read_are_those_that_still_hold_records():
    _, _, ledger = new()
    assert sorted(set(ledger.audit())) == [0, 1]
    for _ in range(12 * 10):
        while not ledger.prepare(1):
            pass
        fault(ledger)
    assert sorted(set(ledger.audit())) == [6, 7, 8, 9, 10]
    assert ledger.first == 12 * 5 + 1
    ledger.prepare(1)  # takes the oldest
    assert sorted(set(ledger.audit())) == [7, 8, 9, 10]
    assert ledger.first == 12 * 6 + 1
    assert [record.sequence_of(raw) for raw in ledger.records(1)] == [*range(73, 121)]
    assert ledger.damage == []


def test_sectors_that_are_not_ready_are_none_before_the_first():
    flash, clock, ledger = new()
    fault(ledger)
    flash.data[2 * 1024 + 240] = 0  # the mark of the next
    ledger = Ledger.open(flash, clock)
    assert sorted(set(ledger.audit())) == [0, 1]
    assert ledger.room == 12 - 1 - 1


def test_a_restart_takes_the_slot_after_the_last_record_and_no_other():
    flash, clock, ledger = new()
    for number in range(1, 4):
        fault(ledger)
        ledger = Ledger.open(flash, clock)
        assert ledger.room == 48 - 2 * number
        assert flash.data[1024 + 256 + 64 * (2 * number - 1) :][:64] == record.VOID


def test_a_sector_whose_head_was_spoilt_goes_on_with_its_records():
    flash, clock, ledger = new()
    for _ in range(15):
        fault(ledger)
    flash.data[2 * 1024 : 2 * 1024 + 8] = b"spoilt!!"
    ledger = Ledger.open(flash, clock)
    assert ledger.head[0] == 15
    assert ledger.damage == [("head", 13, 13)]
    assert ledger.totals.faults == 15


def test_a_copy_of_the_last_record_in_the_next_sector_is_not_gone_on_with():
    flash, clock, ledger = new()
    for _ in range(12):
        fault(ledger)
    last = 1024 + 256 + 11 * 64
    flash.data[2 * 1024 + 256 : 2 * 1024 + 320] = flash.data[last : last + 64]
    ledger = Ledger.open(flash, clock)
    assert (ledger.head[0], ledger.damage) == (12, [])


def test_a_head_knows_of_records_that_nothing_came_after():
    flash, clock, ledger = new()
    for _ in range(25):
        fault(ledger)
    for at in (2 * 1024 + 256 + 11 * 64, 3 * 1024 + 256):
        flash.data[at : at + 64] = bytes(64)
    ledger = Ledger.open(flash, clock)
    list(ledger.audit())
    assert ledger.damage == [("lost", 24, 24)]


@pytest.mark.parametrize(("gone", "found"), [(15, 20), (16, 0)])
def test_a_sector_goes_on_when_at_most_16_records_are_missing(gone: int, found: int):
    flash, clock, ledger = new()
    for _ in range(20):
        fault(ledger)
    places = [1024 + 256 + 64 * n for n in range(12)] + [2048 + 256 + 64 * n for n in range(8)]
    for at in places[:gone]:
        flash.data[at : at + 64] = bytes(64)
    flash.data[2 * 1024 : 2 * 1024 + 8] = b"spoilt!!"
    assert Ledger.open(flash, clock).head[0] == found


def programmed(flash: StandInFlash) -> list[tuple[int, bytes]]:
    """What an `open` programs, address and bytes."""
    seen: list[tuple[int, bytes]] = []
    program = flash.program

    def witness(address: int, data: bytes) -> None:
        seen.append((address, bytes(data)))
        program(address, data)

    flash.program = witness
    Ledger.open(flash, Clock())
    flash.program = program
    return seen


def test_a_start_makes_sure_of_the_last_record_and_spoils_what_may_be_half_written():
    flash, _, ledger = new()
    first = 1024 + 256
    head = bytes(flash.data[1024 : 1024 + 240])
    assert programmed(flash) == [(1024, head), (first, record.VOID)]
    fault(ledger)  # passes the spoilt slot
    last = bytes(flash.data[first + 64 : first + 128])
    assert programmed(flash) == [(first + 64, last), (first + 128, record.VOID)]
    flash.data[first + 192] = 0x7F  # a record that was cut
    assert programmed(flash) == [
        (first + 64, last),
        (first + 128, record.VOID),
        (first + 192, record.VOID),
        (first + 256, record.VOID),
    ]


def test_a_start_with_a_full_sector_spoils_nothing_in_the_next():
    flash, _, ledger = new()
    for _ in range(12):
        fault(ledger)
    at = 1024 + 256 + 11 * 64
    assert programmed(flash) == [(at, bytes(flash.data[at : at + 64]))]


def test_a_wrong_bit_that_is_put_right_is_told_with_its_record():
    flash, clock, ledger = new()
    numbers = [fault(ledger) for _ in range(3)]
    at = [
        place
        for place in range(0, flash.size, record.SIZE)
        if flash.data[place + 4 : place + 8] == numbers[1].to_bytes(4, "little")
        and flash.data[place] == record.FAULT
    ]
    flash.data[at[0] + 20] ^= 1
    assert Ledger.open(flash, clock).damage == [("mended", numbers[1], numbers[1])]


def test_without_a_head_that_can_be_read_no_record_is_there():
    flash, _, ledger = new()
    last = fault(ledger)
    for at in range(0, flash.size, flash.sector):
        flash.data[at : at + 256] = bytes(256)
    assert ledger.first == last + 1
    assert list(ledger.records(1)) == []
