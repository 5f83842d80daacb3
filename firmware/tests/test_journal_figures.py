"""What the journal writes of a profile, and what it allows and erases at its bounds."""

import pytest
from stand_ins import PROFILE
from stand_ins.flash import Clock, StandInFlash
from stand_ins.job import StandInJob

from injector.errors import Refusal
from injector.journal import Journal
from injector.ledger import Ledger, record
from injector.profile import Profile


def opened() -> Journal:
    flash, clock = StandInFlash(16, 4096), Clock()
    Ledger.create(flash, clock, b"seed")
    journal = Journal(flash, clock)
    assert journal.open(1, 2) is None
    return journal


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("most_nl", [1_999, 2_000])
def test_not_even_a_nl_may_be_given_once_a_limit_is_reached_or_passed(most_nl: int):
    journal = opened()
    journal.announce(StandInJob(2, 2_000), 1, 2, 1_000)
    journal.tend(True, False)
    journal.max_hour_nl = most_nl
    assert journal.allowed(10, 1) == (0, "no more may be given in this hour")
    journal.max_hour_nl = 2_003
    assert journal.allowed(10, 1)[0] == 3


@pytest.mark.requirement("R21")
def test_a_profile_is_written_down_as_it_is_known_to_host_and_device():
    journal = opened()
    profile = Profile({**PROFILE, "mode": "burst", "burst": 3, "cartridge": "a1"})
    journal.loaded(profile)
    read = [record.read(raw) for raw in journal.ledger.records()]
    assert [(kind, values) for kind, _, _, values in read[1:]] == [
        (record.PROFILE, (int(profile.id, 16), b"burst\0\0\0", 3, 1_000, 2_000, 0)),
        (record.SYRINGE, (1_000_000, 17_349)),
        (record.CARTRIDGE, (bytes(7) + b"\xa1", 1, 4_000)),
    ]


@pytest.mark.requirement("R17")
def test_the_last_room_is_used_for_a_change_before_anything_is_erased():
    journal = opened()
    while journal.ledger.room > 1:
        journal.changed("lock", 1, 0)
    journal.changed("lock", 1, 0)
    assert (journal.ledger.room, journal.erases) == (0, 0)
    journal.changed("lock", 1, 0)
    assert journal.erases == 1


@pytest.mark.requirement("R8")
def test_a_dry_profile_is_not_refused_for_what_was_given_before():
    journal = opened()
    journal.announce(StandInJob(2, 2_000), 1, 2, 1_000)
    journal.tend(True, False)
    journal.max_session_nl = journal.max_hour_nl = 1_000
    journal.refuse_past_limits(0, True)
    with pytest.raises(Refusal):
        journal.refuse_past_limits(1, True)


@pytest.mark.requirement("R14")
def test_only_the_cartridge_used_last_may_be_loaded_again_while_none_is_taken_out():
    journal = opened()
    for number in ("a", "b"):
        journal.loaded(Profile({**PROFILE, "cartridge": number}))
    journal.refuse_used(bytes(7) + b"\x0b")
    journal.refuse_used(bytes(7) + b"\x0c")
    with pytest.raises(Refusal):
        journal.refuse_used(bytes(7) + b"\x0a")
