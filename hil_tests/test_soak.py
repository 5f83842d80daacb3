"""Days without a restart change nothing; the long form is `make soak`."""

from collections import Counter

import pytest

from mesodrive_rig.campaigns.soak import metrics, slope, steps_of_memory
from mesodrive_rig.campaigns.soak_bench import SMALL_MS, Account, Bench
from mesodrive_rig.campaigns.soak_days import in_12_days

SEED = 1


@pytest.mark.hil
@pytest.mark.requirement("R22")
def test_a_device_left_on_for_12_days_is_as_on_the_first_and_no_mode_takes_memory():
    bench = Bench(SEED, lambda _: None)
    in_12_days(bench)
    account = bench.end()
    assert account.days > 12.4
    assert account.crossings[SMALL_MS.name, "DELIVERING"] == 1
    assert account.strikes == 16 + 2
    assert len(account.free) == 2
    assert [f"{one.name}: {one.value}" for one in metrics(account, []) if not one.ok] == []
    assert slope(account.free) == 0


def test_memory_that_is_lost_is_found_and_the_first_like_point_does_not_count():
    free = [(0.4, 150_000), (1.4, 140_000), (2.4, 139_984), (3.4, 139_984)]
    assert steps_of_memory(Account(free=free)) == (16, 0)
    assert slope(free[1:]) == pytest.approx(8)
    later = [(12.5, 139_500), (13.5, 139_400)]
    assert steps_of_memory(Account(free=free + later)) == (16 + 100, 484)
    assert slope([(1.0, 5)]) == 0


def test_an_alarm_that_nobody_caused_and_one_that_did_not_come_are_both_told():
    account = Account(alarms=Counter(guard_open=2, idle=1), caused=Counter(guard_open=2, air=1))
    (told,) = [one for one in metrics(account, []) if one.name.startswith("alarms too many")]
    assert (told.value, told.ok) == (2, False)
