"""What the soak makes of the free memory that it is told."""

import pytest

from mesodrive_rig.campaigns.soak import slope, steps_of_memory
from mesodrive_rig.campaigns.soak_bench import Account


def test_memory_that_is_lost_is_found_and_the_first_like_point_does_not_count():
    free = [(0.4, 150_000), (1.4, 140_000), (2.4, 139_984), (3.4, 139_984)]
    assert steps_of_memory(Account(free=free)) == (16, 0)
    assert slope(free[1:]) == pytest.approx(8)
    later = [(12.5, 139_500), (13.5, 139_400)]
    assert steps_of_memory(Account(free=free + later)) == (16 + 100, 484)
    assert slope([(1.0, 5)]) == 0
