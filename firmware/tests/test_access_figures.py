"""Challenges, proofs, waits, and the making of keys and of a ledger: their figures, and who may
ask."""

import pytest
from stand_ins import KEYS, Machine, StandInPort, claim, proof_of

from injector.access import key_mask
from injector.hmac import xor
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


def test_a_port_that_is_closed_ends_a_proof_before_its_loss_is_counted():
    machine = Machine().boot()
    assert machine.log_in(OPERATOR) is None
    losses = machine.port.losses
    machine.port.line.open = False
    machine.look()
    assert machine.port.losses == losses
    assert machine.access.role is None


@pytest.mark.parametrize("role", [OPERATOR, SERVICE])
def test_the_wait_after_a_reset_is_counted_from_the_very_start(role: str):
    machine = Machine()
    machine.settings.failures[role] = 5
    assert machine.port.now_ms == 0
    assert machine.access.wait_ms(role) == 16_000


def test_there_is_no_challenge_for_a_role_without_a_key():
    machine = Machine().boot()
    machine.host = None
    del machine.settings.keys[OPERATOR]
    refusal = machine.request("auth.challenge", {"role": OPERATOR})[1]
    assert refusal.code == UNAUTHORIZED
    assert "There is no key of operator" in refusal.sentence
    assert machine.request("auth.challenge", {"role": SERVICE})[1] is None


def test_a_proof_comes_with_nothing_else():
    machine = Machine().boot()
    machine.host = None
    asked = machine.request("auth.challenge", {"role": SERVICE})[0]
    proof = proof_of(SERVICE, KEYS[SERVICE], asked)
    refusal = machine.request("auth.prove", {"role": SERVICE, "proof": proof, "more": 1})[1]
    assert refusal.code == BAD_PARAMS
    assert "'more'" in refusal.sentence
    assert machine.access.role is None


def test_who_has_to_wait_gets_no_try_by_the_other_roles_challenge():
    machine = Machine().boot()
    machine.host = None
    assert machine.log_in(SERVICE, b"\x01" * 32)
    assert machine.access.wait_ms(SERVICE)
    tries = machine.settings.counter
    asked = machine.request("auth.challenge", {"role": OPERATOR})[0]
    proof = proof_of(SERVICE, KEYS[SERVICE], asked)
    refusal = machine.request("auth.prove", {"role": SERVICE, "proof": proof})[1]
    assert refusal.code == UNAUTHORIZED
    assert "ask auth.challenge first" in refusal.sentence
    assert machine.access.role is None
    assert machine.settings.counter == tries


def test_a_new_key_is_hidden_by_the_nonce_of_the_proof_that_holds():
    machine = Machine().boot()
    machine.host = None
    asked = machine.request("auth.challenge", {"role": SERVICE})[0]
    proof = proof_of(SERVICE, KEYS[SERVICE], asked)
    assert machine.request("auth.prove", {"role": SERVICE, "proof": proof})[1] is None
    key = bytes(range(32))
    hidden = xor(key, key_mask(KEYS[SERVICE], OPERATOR, bytes.fromhex(asked["nonce"]))).hex()
    assert machine.request("keys.set", {"role": OPERATOR, "key": hidden})[1] is None
    assert machine.settings.keys[OPERATOR] == key


@pytest.mark.parametrize(
    ("role", "why"), [("operator!", "a text of 1 to 8 characters"), ("operate", "'operate'")]
)
def test_a_role_has_at_most_as_many_characters_as_operator(role: str, why: str):
    refusal = Machine().boot().request("auth.challenge", {"role": role})[1]
    assert refusal.code == BAD_PARAMS
    assert why in refusal.sentence
