"""Challenges of a chip whose noise is always the same, the very ms at which a proof ends, and who
puts that off."""

import pytest
from stand_ins import Machine

from injector.limits import IDLE_MS
from injector.settings import OPERATOR, SERVICE
from mesodrive_wire import UNAUTHORIZED

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


def operated() -> Machine:
    """A device that nobody touched for long, before an operator was proved just now."""
    machine = without_noise(5 * IDLE_MS)
    machine.access.look(0, False)
    assert machine.log_in(OPERATOR) is None
    assert not machine.access.look(0, False)
    return machine


def idle_ms_left(machine: Machine) -> int:
    """How long the proof still holds when nobody does anything."""
    access, port = machine.access, machine.port
    for ms in range(0, 2 * IDLE_MS, 10_000):
        if access.look(0, False):
            return ms
        port.now += 10_000 * _TICKS_MS
    return 2 * IDLE_MS


@pytest.mark.requirement("R20")
def test_a_proof_holds_its_full_time_however_long_nobody_was_there_before_it():
    assert idle_ms_left(operated()) == IDLE_MS


@pytest.mark.requirement("R20")
@pytest.mark.parametrize(
    ("what", "left_ms"),
    [
        ("nothing", IDLE_MS - 20_000),
        ("ping", IDLE_MS - 20_000),
        ("status", IDLE_MS - 20_000),
        ("info", IDLE_MS),
        ("hand", IDLE_MS),
        ("work", IDLE_MS),
    ],
)
def test_hands_work_and_requests_put_off_the_end_of_a_proof_and_pings_and_status_do_not(
    what: str, left_ms: int
):
    machine = operated()
    access, port = machine.access, machine.port
    if what == "hand":  # it is held from now on, and let go of after 20 s
        access.look(1, False)
    port.now += 20_000 * _TICKS_MS
    if what in ("ping", "status", "info"):
        assert machine.request(what)[1] is None
    access.look(0, what == "work")
    assert idle_ms_left(machine) == left_ms


@pytest.mark.requirement("R20")
def test_only_who_was_idle_is_told_so():
    machine = operated()
    machine.port.now += IDLE_MS * _TICKS_MS
    assert machine.access.look(0, False)
    refusal = machine.request("home")[1]
    assert refusal.code == UNAUTHORIZED
    assert "3 minutes" in refusal.sentence
    assert machine.log_in(OPERATOR) is None
    machine.request("auth.leave")
    refusal = machine.request("home")[1]
    assert refusal.code == UNAUTHORIZED
    assert refusal.sentence == "home is for operator only; log in first."
