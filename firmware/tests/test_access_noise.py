"""Challenges of a chip whose noise is always the same, and the very ms at which a proof ends."""

import pytest
from stand_ins import Machine

from injector.limits import IDLE_MS
from injector.settings import OPERATOR, SERVICE

pytestmark = pytest.mark.requirement("R28")

_TICKS_MS = 125_000


def without_noise(later_ms: int = 0) -> Machine:
    """A device that has been on for so much longer; its chip draws nothing but zeros."""
    machine = Machine().boot()
    machine.host = None
    machine.port.random = bytes
    machine.port.now += later_ms * _TICKS_MS
    return machine


def nonce(machine: Machine) -> object:
    return machine.request("auth.challenge", {"role": SERVICE})[0]["nonce"]


def test_without_noise_no_two_challenges_of_a_boot_are_the_same():
    machine = without_noise()
    assert len({nonce(machine) for _ in range(10)}) == 10


def test_without_noise_each_ms_at_which_a_boots_challenge_comes_makes_another_one():
    nonces = [nonce(without_noise(later_ms)) for later_ms in (0, 1, 2, 3)]
    assert len(set(nonces)) == 4
    assert nonce(without_noise(0)) == nonces[0]


def test_without_noise_each_try_makes_another_challenge_even_after_a_reset():
    machine = without_noise()
    first = nonce(machine)
    tries = machine.settings.counter
    assert machine.log_in(OPERATOR) is None
    assert machine.settings.counter == tries + 1
    again = Machine(machine.port).boot()
    again.host = None
    again.port.now = machine.port.now
    assert nonce(again) != first


@pytest.mark.requirement("R20")
def test_a_proof_ends_at_the_very_ms_at_which_nobody_has_done_anything_for_long_enough():
    machine = without_noise()
    assert machine.log_in(OPERATOR) is None
    access, port = machine.access, machine.port
    assert not access.look(0, True)
    port.now += (IDLE_MS - 1) * _TICKS_MS
    assert not access.look(0, False)
    assert access.role == OPERATOR
    port.now += _TICKS_MS
    assert access.look(0, False)
    assert access.role is None
    assert not access.look(0, False)
