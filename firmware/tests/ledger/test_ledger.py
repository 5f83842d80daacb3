"""Doses are announced before they move and counted in full until their outcome is known."""

import re

import pytest
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger, record
from injector.ledger.errors import FlashFault, Full, LedgerError, NoLedger, Unreadable, Unresolved

pytestmark = pytest.mark.requirement("R17")

MINUTE_MS = 60_000
DONE = b"done"


class Device:
    """A ledger in its flash, which can be started anew."""

    def __init__(self):
        self.flash = StandInFlash()
        self.clock = Clock()
        self.ledger = Ledger.create(self.flash, self.clock, b"seed")

    def restart(self) -> Ledger:
        self.clock.ms = 0
        self.ledger = Ledger.open(self.flash, self.clock)
        return self.ledger

    def fill(self) -> None:
        while self.ledger.room:
            self.fault()

    def fault(self) -> None:
        self.ledger.append(record.FAULT, code=b"guard_open", state=b"ARMED")


@pytest.fixture
def device() -> Device:
    return Device()


def figures(ledger: Ledger) -> dict[str, object]:
    totals = ledger.totals
    names = (
        "strikes delivered_nl uncertain_strikes uncertain_nl session_strikes session_nl left_nl"
    )
    return {"hour_nl": ledger.hour_nl, **{name: getattr(totals, name) for name in names.split()}}


def counted(strikes: int, nl: int, left_nl: int, uncertain: bool) -> dict[str, object]:
    return {
        "strikes": strikes,
        "delivered_nl": nl,
        "session_strikes": strikes,
        "session_nl": nl,
        "hour_nl": nl,
        "left_nl": left_nl,
        "uncertain_strikes": strikes if uncertain else 0,
        "uncertain_nl": nl if uncertain else 0,
    }


def test_a_new_flash_is_told_apart_and_left_alone():
    flash = StandInFlash()
    with pytest.raises(NoLedger, match="is new"):
        Ledger.open(flash, Clock())
    assert (flash.programs, sum(flash.erases)) == (0, 0)


def test_a_flash_with_something_else_is_refused_and_left_alone(device: Device):
    flash = device.flash
    flash.data[:] = bytes(range(256)) * 20
    before, made = bytes(flash.data), flash.programs
    with pytest.raises(Unreadable, match="No head of the ledger can be read"):
        Ledger.open(flash, Clock())
    assert (flash.data, flash.programs, flash.erases) == (before, made, [1] * 5)


def test_a_ledger_is_not_created_over_another(device: Device):
    device.fault()
    before = bytes(device.flash.data)
    with pytest.raises(Unreadable, match="holds a ledger already"):
        Ledger.create(device.flash, device.clock, b"another")
    assert device.flash.data == before


def test_a_ledger_is_created_over_anything_else():
    flash = StandInFlash()
    flash.data[:] = bytes(flash.size)
    ledger = Ledger.create(flash, Clock(), b"seed")
    assert ledger.intend(1, 1, 1) == 1


def test_an_intent_counts_in_full_until_its_outcome(device: Device):
    ledger = device.ledger
    ledger.append(record.SYRINGE, fill_nl=100_000, nl_per_mm=20_000)
    number = ledger.intend(77, 3, 2_000)
    assert figures(ledger) == counted(3, 6_000, 94_000, uncertain=True)
    ledger.outcome(number, 2, 3_500, b"stopped")
    assert figures(ledger) == counted(2, 3_500, 96_500, uncertain=False)
    assert ledger.pending == []


def test_an_intent_stays_uncertain_over_any_number_of_starts_until_a_person_resolves_it(
    device: Device,
):
    device.ledger.append(record.SYRINGE, fill_nl=100_000, nl_per_mm=20_000)
    number = device.ledger.intend(77, 3, 2_000)
    assert device.ledger.uncertain == []  # it is under way
    for _ in range(50):
        while not device.ledger.prepare(2):
            pass
        ledger = device.restart()
        assert ledger.uncertain == ledger.pending == [(number, 3, 2_000)]
        assert figures(ledger) == counted(3, 6_000, 94_000, uncertain=True)
        with pytest.raises(ValueError, match="Nobody knows the outcome of intent 2"):
            ledger.outcome(number, 3, 6_000, DONE)
    while not device.ledger.prepare(2):
        pass
    device.ledger.resolve(number, 1, 2_000, DONE)
    for ledger in (device.ledger, device.restart()):
        assert ledger.uncertain == ledger.pending == []
        assert figures(ledger) == counted(1, 2_000, 98_000, uncertain=False)


def test_an_outcome_is_told_once(device: Device):
    number = device.ledger.intend(1, 1, 100)
    device.ledger.outcome(number, 1, 100, DONE)
    head = device.ledger.head
    for again in (device.ledger.outcome, device.ledger.resolve):
        with pytest.raises(ValueError, match=r"[Ii]ntent 1"):
            again(number, 1, 100, DONE)
    assert device.ledger.head == head
    assert device.ledger.totals.delivered_nl == 100


def test_a_fifth_unknown_outcome_is_refused(device: Device):
    numbers = [device.ledger.intend(n, 1, 100) for n in range(4)]
    head = device.ledger.head
    with pytest.raises(Unresolved, match="4 doses have no known outcome"):
        device.ledger.intend(9, 1, 100)
    assert device.ledger.head == head
    device.restart()
    device.ledger.resolve(numbers[2], 0, 0, b"stopped")
    assert [number for number, _, _ in device.ledger.pending] == [1, 2, 4]
    assert device.ledger.intend(9, 1, 100) == 6


def test_priming_takes_from_the_syringe_and_not_from_the_limits(device: Device):
    ledger = device.ledger
    ledger.append(record.SYRINGE, fill_nl=50_000, nl_per_mm=20_000)
    number = ledger.intend(1, 0, 30_000)
    assert figures(ledger) == counted(0, 0, 20_000, uncertain=False)
    ledger.outcome(number, 0, 29_000, DONE)
    assert figures(ledger) == counted(0, 0, 21_000, uncertain=False)
    assert ledger.totals.primed_nl == 29_000


@pytest.mark.requirement("R8")
def test_a_dose_leaves_the_last_hour_after_60_to_70_minutes_of_being_on(device: Device):
    device.clock.ms = 9 * MINUTE_MS
    device.ledger.outcome(device.ledger.intend(1, 1, 500), 1, 500, DONE)
    device.clock.ms = 65 * MINUTE_MS
    device.fault()
    device.restart()  # no time is known to pass while the device is off
    device.clock.ms = 5 * MINUTE_MS - 1
    assert device.ledger.hour_nl == 500
    device.clock.ms = 5 * MINUTE_MS
    assert device.ledger.hour_nl == 0
    assert device.ledger.totals.delivered_nl == 500
    device.ledger.outcome(device.ledger.intend(1, 1, 7), 1, 7, DONE)
    assert device.ledger.hour_nl == 7


@pytest.mark.requirement("R8")
def test_an_uncertain_dose_does_not_leave_the_last_hour(device: Device):
    device.ledger.intend(1, 1, 500)
    device.clock.ms = 1_000 * MINUTE_MS
    assert device.ledger.hour_nl == 500


@pytest.mark.requirement("R8")
def test_the_last_hour_is_never_too_low_however_much_was_given(device: Device):
    for _ in range(3):
        number = device.ledger.intend(1, 1, 2**32 - 1)
        device.ledger.outcome(number, 1, 2**32 - 1, DONE)
    assert device.ledger.hour_nl == 2**32 - 1  # it stays at the largest it can hold
    assert device.ledger.totals.delivered_nl == 3 * (2**32 - 1)


@pytest.mark.requirement("R8")
def test_a_session_begins_with_a_profile_that_says_so_and_with_no_other(device: Device):
    profile = {"profile": 1, "mode": b"series", "shots": 9, "dose_nl": 5, "depth_um": 1}
    device.ledger.outcome(device.ledger.intend(1, 2, 500), 2, 1_000, DONE)
    device.ledger.append(record.PROFILE, new_session=0, **profile)
    totals = device.ledger.totals
    assert (totals.session_nl, totals.session_strikes) == (1_000, 2)
    device.ledger.append(record.PROFILE, new_session=1, **profile)
    assert (totals.session_nl, totals.session_strikes) == (0, 0)
    device.ledger.outcome(device.ledger.intend(1, 1, 30), 1, 30, DONE)
    assert device.restart().totals.session_nl == 30


@pytest.mark.requirement("R16")
def test_the_last_command_that_announced_a_dose_is_known_after_a_restart(device: Device):
    assert device.restart().totals.command == 0
    device.ledger.intend(2**53 - 1, 2, 500)
    assert device.restart().totals.command == 2**53 - 1


def test_the_oldest_record_that_is_there_is_told(device: Device):
    assert device.ledger.first == 1
    for n in range(100):
        while not device.ledger.prepare(1):
            pass
        device.ledger.append(record.SYRINGE, fill_nl=n, nl_per_mm=1)
    kept = [int.from_bytes(raw[4:8], "little") for raw in device.ledger.records()]
    assert device.ledger.first == kept[0] > 1
    assert [int.from_bytes(raw[4:8], "little") for raw in device.ledger.records(90)] == kept[-11:]


def test_the_last_eight_cartridges_are_remembered_each_once(device: Device):
    names = [bytes([n]) * 8 for n in range(1, 11)]
    for name in [*names, names[4], bytes(8)]:
        device.ledger.append(record.CARTRIDGE, cartridge=name, needles=9, length_um=4_000)
    expected = [*names[2:4], *names[5:], names[4]]
    assert device.ledger.totals.cartridges == expected
    assert device.restart().totals.cartridges == expected


def test_doses_are_recorded_by_their_own_methods_only(device: Device):
    for kind in (record.INTENT, record.OUTCOME, record.RESOLVED):
        with pytest.raises(ValueError, match="Use intend, outcome or resolve"):
            device.ledger.append(kind, command=1, strikes=1, dose_nl=1)
    assert device.ledger.head[0] == 0


def test_a_full_ledger_refuses_and_changes_nothing(device: Device):
    device.fill()
    before, head = bytes(device.flash.data), device.ledger.head
    with pytest.raises(Full, match="The ledger is full"):
        device.fault()
    with pytest.raises(Full):
        device.ledger.intend(1, 1, 1)
    assert (device.flash.data, device.ledger.head, device.ledger.pending) == (before, head, [])


def test_room_is_made_one_sector_a_call_the_oldest_first(device: Device):
    device.fill()
    first = record.sequence_of(next(device.ledger.records()))
    erased = sum(device.flash.erases)
    assert device.ledger.prepare(1)
    assert sum(device.flash.erases) == erased + 1
    assert device.ledger.room == 12
    assert device.ledger.prepare(12)
    assert sum(device.flash.erases) == erased + 1  # there was room
    assert not device.ledger.prepare(36)
    assert device.ledger.prepare(36)
    kept = [record.sequence_of(raw) for raw in device.ledger.records()]
    assert (first, kept) == (1, list(range(25, 49)))  # sector 0 was empty


def test_as_much_room_as_promised_and_no_more_is_asked_for(device: Device):
    device.fill()
    with pytest.raises(ValueError, match="room for 36 records at once"):
        device.ledger.prepare(37)
    while not device.ledger.prepare(36):
        pass
    for _ in range(36):
        device.fault()
    assert device.ledger.room == 0
    assert device.restart().totals.faults == 48 + 36


def test_all_sectors_wear_alike(device: Device):
    for _ in range(1_000):
        while not device.ledger.prepare(1):
            pass
        device.fault()
    assert max(device.flash.erases) - min(device.flash.erases) <= 1


def test_records_are_told_from_the_number_asked_for(device: Device):
    device.fill()
    told = [list(device.ledger.records(first)) for first in (1, 13, 14, 48, 49)]
    numbers = [[record.sequence_of(raw) for raw in raws] for raws in told]
    expected = [range(1, 49), range(13, 49), range(14, 49), [48], []]
    assert numbers == [list(each) for each in expected]


def test_a_bit_that_is_not_kept_stops_the_ledger_until_the_next_start(device: Device):
    number = device.ledger.intend(1, 1, 100)
    for at in range(device.flash.size):
        device.flash.stuck[at] = 0x40
    head = device.ledger.head
    with pytest.raises(FlashFault, match="does not keep what is written"):
        device.ledger.outcome(number, 1, 100, DONE)
    device.flash.stuck = {}
    with pytest.raises(FlashFault, match="restart the device"):
        device.fault()
    assert device.ledger.head == head
    assert device.restart().head == head
    assert device.ledger.uncertain == [(1, 1, 100)]
    device.fault()


def test_a_sector_that_does_not_erase_is_not_used(device: Device):
    device.fill()
    device.flash.dead = True
    with pytest.raises(FlashFault, match="does not erase at"):
        device.ledger.prepare(1)
    assert device.ledger.room == 0


def test_a_spoilt_slot_is_passed_over(device: Device):
    device.fault()
    device.flash.data[1024 + 256 + 64] = 0xF7  # in sector 1, the second slot
    device.fault()
    assert [record.sequence_of(raw) for raw in device.restart().records()] == [1, 2]
    assert device.ledger.damage == []


def address_of(device: Device, sequence: int) -> int:
    raw = next(device.ledger.records(sequence))
    return device.flash.data.index(raw)


def forge(device: Device, place: int, sequence: int) -> None:
    """Write a record over record `place`: its checksum fits, its chain does not."""
    at = address_of(device, place)
    raw = device.flash.data[at : at + 64]
    kind, boot, on_ms, values = record.read(raw)
    record.write(raw, kind, sequence, boot, on_ms, values, bytes(16))
    device.flash.data[at : at + 64] = raw


def test_a_forged_record_since_the_last_head_is_refused(device: Device):
    for _ in range(5):
        device.fault()
    forge(device, 3, 3)
    before = bytes(device.flash.data)
    with pytest.raises(Unreadable, match="Record 3 of the ledger contradicts"):
        device.restart()
    assert device.flash.data == before


def test_a_record_that_comes_twice_is_refused(device: Device):
    for _ in range(5):
        device.fault()
    forge(device, 5, 2)
    with pytest.raises(Unreadable, match="Record 2 of the ledger contradicts"):
        device.restart()


def test_a_forged_old_record_is_found_by_the_audit(device: Device):
    for _ in range(30):
        device.fault()
    forge(device, 3, 3)
    ledger = device.restart()
    assert ledger.damage == []
    assert sorted(set(ledger.audit())) == [0, 1, 2, 3]
    assert ("unlinked", 3, 3) in ledger.damage
    found = list(ledger.damage)
    list(ledger.audit())
    assert ledger.damage == found  # told once


def test_an_old_record_that_comes_twice_is_found_by_the_audit(device: Device):
    for _ in range(30):
        device.fault()
    forge(device, 5, 2)
    ledger = device.restart()
    list(ledger.audit())
    assert ledger.damage == [("twice", 2, 2), ("lost", 5, 5)]
    assert [record.sequence_of(raw) for raw in ledger.records()] == [*range(1, 5), *range(6, 31)]


def test_a_spoilt_old_head_is_found_by_the_audit_and_its_records_are_read(device: Device):
    for _ in range(30):
        device.fault()
    device.flash.data[2 * 1024 + 40 : 2 * 1024 + 44] = bytes([1, 2, 3, 4])
    ledger = device.restart()
    list(ledger.audit())
    assert ledger.damage == [("head", 13, 13)]
    assert len(list(ledger.records())) == 30


def test_records_lost_at_the_end_of_a_sector_are_missed(device: Device):
    for _ in range(30):
        device.fault()
    at = address_of(device, 12)
    device.flash.data[at : at + 8] = bytes(8)
    ledger = device.restart()
    list(ledger.audit())
    assert ledger.damage == [("lost", 12, 12)]


def test_one_wrong_bit_in_a_head_is_put_right_and_told(device: Device):
    device.ledger.intend(1, 1, 100)
    device.flash.data[1024 + 60] ^= 4
    ledger = device.restart()
    assert ledger.damage == [("mended head", 1, 1)]
    assert ledger.uncertain == [(1, 1, 100)]


def test_a_record_of_a_newer_firmware_is_refused(device: Device, monkeypatch: pytest.MonkeyPatch):
    device.fault()
    monkeypatch.setattr(record, "VERSION", 2)
    device.fault()
    monkeypatch.undo()
    with pytest.raises(Unreadable, match="Record 2 is of a newer firmware; install that"):
        device.restart()


def test_a_sector_of_an_older_ledger_is_refused(device: Device):
    before = bytes(device.flash.data[:1024])
    for _ in range(61):
        while not device.ledger.prepare(1):
            pass
        device.fault()
    device.flash.data[:1024] = before
    with pytest.raises(Unreadable, match="Sector 0 of the ledger is not where it belongs"):
        device.restart()


def test_a_sector_in_the_place_of_another_is_refused(device: Device):
    for _ in range(20):
        device.fault()
    device.flash.data[3 * 1024 : 4 * 1024] = device.flash.data[2 * 1024 : 3 * 1024]
    with pytest.raises(Unreadable, match="Sector 2 of the ledger is not where it belongs"):
        device.restart()


def test_doses_whose_outcomes_cannot_be_read_are_not_passed_over(device: Device):
    numbers = [device.ledger.intend(n, 1, 1) for n in range(4)]
    device.ledger.outcome(numbers[0], 1, 1, DONE)
    device.ledger.intend(9, 1, 1)
    at = address_of(device, 5)
    device.flash.data[at + 20 : at + 24] = b"ruin"
    with pytest.raises(Unreadable, match="Outcomes of 5 doses cannot be read"):
        device.restart()


@pytest.mark.parametrize("sectors", [0, 3])
def test_a_flash_that_is_too_small_is_refused(sectors: int):
    with pytest.raises(ValueError, match="at least 4 sectors"):
        Ledger.create(StandInFlash(sectors), Clock(), b"")


def test_every_refusal_is_one_sentence(device: Device):
    refused: list[str] = []
    device.fill()
    for what in (
        lambda: device.fault(),
        lambda: Ledger.create(device.flash, device.clock, b""),
        lambda: Ledger.open(StandInFlash(), device.clock),
    ):
        with pytest.raises(LedgerError) as error:
            what()
        refused.append(str(error.value))
    assert all(re.fullmatch(r"[A-Z][^.]*\.", text) for text in refused), refused
