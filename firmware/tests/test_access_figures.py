"""Challenges, waits and the making of a ledger: their figures, and who may ask."""

import pytest
from stand_ins import Machine, StandInPort, claim

from injector.settings import OPERATOR, SERVICE
from mesodrive_wire import BAD_PARAMS, UNAUTHORIZED

pytestmark = pytest.mark.requirement("R28")


def test_a_challenge_has_16_bytes_made_of_32_of_the_chips_noise():
    machine = Machine().boot()
    drawn = machine.port.drawn
    asked = machine.request("auth.challenge", {"role": SERVICE})[0]
    assert len(bytes.fromhex(asked["nonce"])) == 16
    machine.host = None
    drawn = machine.port.drawn
    again = machine.request("auth.challenge", {"role": SERVICE})[0]
    assert machine.port.drawn == drawn + 32
    assert again["nonce"] != asked["nonce"]


@pytest.mark.parametrize(
    ("failures", "wait_s"), [(0, 0), (1, 1), (2, 2), (3, 4), (12, 2_048), (13, 3_600), (40, 3_600)]
)
def test_the_wait_after_wrong_proofs_ends_to_the_ms(failures: int, wait_s: int):
    machine = Machine().boot()
    access, settings = machine.access, machine.settings
    settings.failures[OPERATOR] = failures
    access._failed_ms[OPERATOR] = machine.port.now_ms
    assert access.wait_ms(OPERATOR) == 1_000 * wait_s
    assert access.wait_ms(SERVICE) == 0
    access._failed_ms[OPERATOR] -= 1_000 * wait_s - 1
    assert access.wait_ms(OPERATOR) == (1 if failures else 0)
    for _ in range(3):
        access._failed_ms[OPERATOR] -= 1
        assert access.wait_ms(OPERATOR) == 0


def test_a_key_comes_with_nothing_else():
    machine = Machine().boot()
    machine.host = SERVICE
    params = {"role": OPERATOR, "key": "ab" * 32, "more": 1}
    refusal = machine.request("keys.set", params)[1]
    assert refusal.code == BAD_PARAMS
    assert "'more'" in refusal.sentence


@pytest.mark.parametrize(
    ("claimed", "host", "allowed"),
    [(True, None, False), (True, OPERATOR, False), (True, SERVICE, True), (False, None, True)],
)
def test_a_ledger_is_made_for_service_or_for_anybody_while_there_are_no_keys(
    claimed: bool, host: "str | None", allowed: bool
):
    port = StandInPort()
    if claimed:
        claim(port.settings_flash)
    machine = Machine(port).boot()
    machine.host = host
    refusal = machine.request("ledger.create")[1]
    assert (refusal is None) == allowed
    assert allowed or refusal.code == UNAUTHORIZED


def test_who_waits_is_told_the_seconds():
    machine = Machine().boot()
    machine.host = None
    for failures, wait_s in ((12, 2_048), (13, 3_600)):
        machine.settings.failures[OPERATOR] = failures
        machine.access._failed_ms[OPERATOR] = machine.port.now_ms
        refusal = machine.request("auth.challenge", {"role": OPERATOR})[1]
        assert f"try again in {wait_s} s." in refusal.sentence
        assert refusal.data == {"wait_ms": 1_000 * wait_s}


def test_a_port_that_was_lost_once_ends_one_proof_and_not_the_next():
    machine = Machine().boot()
    assert machine.log_in(OPERATOR) is None
    machine.port.set("open", False)
    machine.port.set("open", True)
    machine.run(20)
    assert machine.access.role is None
    assert machine.log_in(OPERATOR) is None
    machine.run(100)
    assert machine.access.role == OPERATOR
