"""The journal by itself: room, limits and the time without a cartridge, to the last figure."""

import pytest
from stand_ins import PROFILE
from stand_ins.flash import Clock, StandInFlash
from stand_ins.job import StandInJob

from injector.errors import Refusal, Trouble
from injector.journal import Journal
from injector.ledger import Ledger, record
from injector.limits import MAX_HOUR_NL, MAX_SESSION_NL
from injector.profile import Profile

SECTOR = 4096  # 60 records


def opened(sectors: int = 16) -> Journal:
    flash, clock = StandInFlash(sectors, SECTOR), Clock()
    Ledger.create(flash, clock, b"seed")
    journal = Journal(flash, clock)
    assert journal.open(1, 2) is None
    return journal


def fault(journal: Journal) -> None:
    journal.ledger.append(record.FAULT, code=b"misfire", state=b"ARMED")


def fill(journal: Journal, room: int) -> None:
    while journal.ledger.room > room:
        fault(journal)


def records(journal: Journal, kind: int) -> list[tuple[object, ...]]:
    read = [record.read(raw) for raw in journal.ledger.records()]
    return [values for found, _, _, values in read if found == kind]


# room


@pytest.mark.requirement("R17")
def test_room_for_60_records_is_kept_while_the_rail_is_off_and_nothing_is_loaded():
    journal = opened(4)
    fill(journal, 60)
    assert not journal.tend(True, False)
    assert (journal.erases, journal.ledger.room) == (0, 60)
    fault(journal)
    journal.tend(False, False)
    assert journal.erases == 0
    assert not journal.tend(True, False)
    assert (journal.erases, journal.ledger.room) == (1, 119)


@pytest.mark.requirement("R17")
def test_no_dose_is_announced_without_room_for_four_records():
    journal = opened(4)
    fill(journal, 4)
    assert not journal.is_full
    fault(journal)
    assert journal.is_full


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(
    ("changes", "records"),
    [
        ({"mode": "series", "shots": 3}, 13),
        ({"mode": "series", "shots": 100}, 207),
        ({"mode": "series", "shots": 101}, 207),
        ({"mode": "single", "shots": 101}, 209),
        ({"mode": "burst", "burst": 5, "shots": 11}, 13),
        ({"mode": "burst", "burst": 2, "shots": 500}, 420),  # half of what there is
    ],
)
def test_room_is_made_for_all_pulls_of_a_profile(changes: dict[str, object], records: int):
    journal = opened()
    asked: list[int] = []
    journal._make_room = asked.append
    journal.loaded(Profile({**PROFILE, "fill_nl": 2_000_000, **changes}))
    assert asked == [records]


@pytest.mark.requirement("R17")
def test_room_is_made_by_as_many_erases_as_it_takes_and_no_more():
    journal = opened(8)
    fill(journal, 10)
    journal.loaded(Profile({**PROFILE, "mode": "single", "shots": 60}))
    assert (journal.erases, journal.ledger.room) == (2, 127)
    journal.changed("lock", 1, 0)
    assert journal.erases == 2
    fill(journal, 0)
    journal.changed("lock", 1, 0)
    assert (journal.erases, journal.ledger.room) == (3, 59)


# limits


@pytest.mark.requirement("R8")
def test_a_limit_may_be_reached_and_not_passed():
    journal = opened()
    journal.refuse_past_limits(MAX_SESSION_NL, False)
    journal.refuse_past_limits(0, False)
    journal.max_session_nl = MAX_HOUR_NL + 10
    journal.refuse_past_limits(MAX_HOUR_NL, False)
    for name, limit in (("hour_nl", MAX_HOUR_NL), ("session_nl", MAX_SESSION_NL)):
        with pytest.raises(Refusal) as caught:
            journal.refuse_past_limits(limit + 1, False)
        assert caught.value.data == {"name": name, "value": limit + 1, "limit": limit}
        journal.max_session_nl = MAX_SESSION_NL


@pytest.mark.requirement("R8")
def test_before_there_is_a_ledger_nothing_counts_as_given():
    journal = Journal(StandInFlash(), Clock())
    assert (journal.session_nl, journal.hour_nl, journal.last_command) == (0, 0, 0)
    assert (journal.in_doubt, journal.doubt) == ([], None)
    journal.refuse_used(b"12345678")
    for out in (False, True):
        journal.was_out = out
        journal.refuse_past_limits(MAX_SESSION_NL, True)
        with pytest.raises(Refusal):
            journal.refuse_past_limits(MAX_SESSION_NL + 1, True)


@pytest.mark.requirement("R8", "R16")
def test_what_is_in_doubt_counts_in_a_new_session_and_what_was_given_does_not():
    journal = opened()
    journal.announce(StandInJob(2, 2_000), 1, 2, 1_000)
    journal.tend(True, False)
    journal.announce(StandInJob(), 2, 3, 1_000)
    assert journal.session_nl == 5_000
    journal.max_session_nl = 8_000
    journal.refuse_past_limits(3_000, True)
    with pytest.raises(Refusal) as caught:
        journal.refuse_past_limits(3_001, True)
    assert caught.value.data["value"] == 8_001
    journal.look(False, 0)
    journal.look(False, 1_000)
    journal.refuse_past_limits(5_000, True)
    with pytest.raises(Refusal) as caught:
        journal.refuse_past_limits(5_001, True)
    assert caught.value.data["value"] == 8_001
    with pytest.raises(Refusal):  # the session goes on until a profile is loaded
        journal.refuse_past_limits(3_001, False)


@pytest.mark.requirement("R8")
def test_a_pull_gives_no_more_strikes_than_the_nearer_limit_leaves():
    journal = opened()
    journal.announce(StandInJob(2, 2_000), 1, 2, 1_000)
    journal.tend(True, False)
    journal.max_session_nl, journal.max_hour_nl = 5_999, 7_000
    assert journal.allowed(10, 1_000) == (3, "no more may be given in this session")
    journal.max_session_nl, journal.max_hour_nl = 7_000, 6_000
    assert journal.allowed(10, 1_000) == (4, "no more may be given in this hour")
    assert journal.allowed(2, 1_000)[0] == 2
    assert journal.allowed(10, 0)[0] == 10
    journal.max_hour_nl = 1_000
    assert journal.allowed(10, 1_000)[0] == 0


# the cartridge


@pytest.mark.requirement("R8", "R14")
def test_a_cartridge_that_is_not_seen_for_a_second_was_taken_out():
    journal = opened()
    cartridge = bytes(7) + b"a"
    profile = Profile({**PROFILE, "cartridge": "61"})
    journal.loaded(profile)
    journal.refuse_used(cartridge)
    journal.look(False, 5_000)
    journal.look(False, 5_999)
    journal.look(True, 6_000)
    journal.look(False, 6_001)
    journal.look(False, 7_000)
    journal.refuse_used(cartridge)
    journal.look(False, 7_001)
    with pytest.raises(Refusal, match="0000000000000061 has been used"):
        journal.refuse_used(cartridge)
    journal.look(True, 7_002)
    with pytest.raises(Refusal):
        journal.refuse_used(cartridge)
    journal.loaded(profile)
    assert [values[5] for values in records(journal, record.PROFILE)] == [0, 1]
    journal.refuse_used(cartridge)


# what is written


@pytest.mark.requirement("R17")
def test_what_is_wrong_at_the_start_stays_the_reason():
    journal = Journal(StandInFlash(), Clock())
    assert "has not been opened" in journal.trouble
    assert not journal.is_open
    told = journal.open(1, 2)
    assert told == journal.trouble
    assert "The flash is new" in told
    assert not journal.tend(True, False)


@pytest.mark.requirement("R17")
def test_a_dose_that_a_fault_ended_stays_so_although_it_was_acknowledged_before_it_was_written():
    journal = opened()
    journal.announce(StandInJob(1, 1_000), 9, 1, 1_000)
    journal.faulted("steps_lost", "DELIVERING")
    journal.tend(False, False)
    journal.announce(StandInJob(1, 1_000), 10, 1, 1_000)
    journal.tend(False, False)
    hows = [values[-1].rstrip(b"\0") for values in records(journal, record.OUTCOME)]
    assert hows == [b"fault", b"done"]


@pytest.mark.requirement("R17")
def test_a_priming_that_its_whole_steps_leave_short_of_what_was_asked_is_done():
    journal = opened()
    job = StandInJob(0, 998)
    job.step_nl = 5
    journal.announce(job, 9, 0, 1_000)
    journal.tend(False, False)
    ((*_, how),) = records(journal, record.OUTCOME)
    assert how.rstrip(b"\0") == b"done"


@pytest.mark.requirement("R17", "R21")
@pytest.mark.parametrize(
    ("strikes", "dose_nl", "told", "faulted", "how"),
    [
        (3, 1_000, (3, 3_000), False, b"done"),
        (3, 1_000, (2, 2_000), False, b"stopped"),
        (3, 1_000, (3, 3_000), True, b"fault"),
        (0, 5_000, (0, 5_000), False, b"done"),
        (0, 5_000, (0, 5_001), False, b"done"),
        (0, 5_000, (0, 4_999), False, b"stopped"),
    ],
)
def test_what_came_of_a_dose_is_written_once(
    strikes: int, dose_nl: int, told: tuple[int, int], faulted: bool, how: bytes
):
    journal = opened()
    job = StandInJob(*told)
    journal.announce(job, 9, strikes, dose_nl)
    assert job.marked == 1
    assert records(journal, record.INTENT) == [(9, strikes, dose_nl)]
    assert journal.tend(False, faulted)
    assert not journal.tend(False, faulted)
    number = journal.ledger.head[0] - 1
    outcome = (number, strikes, dose_nl, *told, how.ljust(8, b"\0"))
    assert records(journal, record.OUTCOME) == [outcome]
    assert journal.last_command == 9
    assert journal.in_doubt == []


@pytest.mark.requirement("R17")
def test_a_dose_is_told_before_the_next_is_announced():
    journal = opened()
    journal.announce(StandInJob(1, 1_000), 1, 1, 1_000)
    journal.announce(StandInJob(), 2, 1, 1_000)
    assert [values[3:5] for values in records(journal, record.OUTCOME)] == [(1, 1_000)]
    assert records(journal, record.OUTCOME)[0][5].rstrip(b"\0") == b"done"


@pytest.mark.requirement("R21")
def test_eight_faults_wait_to_be_written_and_each_is_written_once():
    journal = opened()
    for number in range(10):
        journal.faulted("fault %d" % number, "ARMED")  # noqa: UP031
    assert journal.tend(False, True)
    assert not journal.tend(False, True)
    codes = [values[0].rstrip(b"\0") for values in records(journal, record.FAULT)]
    assert codes == [b"fault %d" % number for number in range(8)]


@pytest.mark.requirement("R17")
def test_a_flash_that_fails_is_told_and_nothing_is_written_any_more():
    journal = opened()
    journal._flash.stuck = dict.fromkeys(range(journal._flash.size), 0xFF)
    with pytest.raises(Trouble) as caught:
        journal.announce(StandInJob(), 1, 1, 1_000)
    assert caught.value.code == "ledger"
    assert caught.value.sentence == journal.trouble
    assert "does not keep" in journal.trouble
    journal.faulted("misfire", "ARMED")
    assert not journal.tend(True, True)


@pytest.mark.requirement("R16")
def test_a_dose_in_doubt_is_told_with_all_it_may_have_given():
    journal = opened()
    journal.announce(StandInJob(), 1, 0, 5_000)
    journal.announce(StandInJob(), 2, 3, 1_000)
    again = Journal(journal._flash, Clock())
    assert again.open(1, 2) is None
    ((number, strikes, dose_nl),) = again.in_doubt
    assert (strikes, dose_nl) == (3, 1_000)
    assert again.doubt.data == {"number": number, "strikes": 3, "dose_nl": 1_000}
    assert "of up to 3000 nl" in again.doubt.sentence
    again.resolve(number, 1, 900)
    assert again.doubt is None
    assert records(again, record.RESOLVED) == [
        (number, 3, 1_000, 1, 900, b"person\0\0"),
    ]
    again.announce(StandInJob(), 3, 0, 5_000)
    last = Journal(journal._flash, Clock())
    last.open(1, 2)
    assert "of up to 5000 nl" in last.doubt.sentence


# what was damaged


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(("bits", "told"), [(1, False), (64, True)])
def test_a_record_that_is_lost_is_told_and_one_that_is_put_right_is_not(bits: int, told: bool):
    journal = opened()
    for _ in range(3):
        fault(journal)
    flash = journal._flash
    spoilt = journal.ledger.head[0] - 1
    (at,) = [
        place
        for place in range(0, flash.size, record.SIZE)
        if flash.data[place] == record.FAULT
        and flash.data[place + 4 : place + 8] == spoilt.to_bytes(4, "little")
    ]
    for byte in range(bits // 8 or 1):
        flash.data[at + 20 + byte] ^= 0xFF if bits > 1 else 1
    sentence = Journal(flash, journal._uptime).open(1, 2)
    expected = f"Records {spoilt} to {spoilt} of the ledger cannot be read"
    assert sentence.startswith(expected) if told else sentence is None
