"""Who may do what: proofs, their end, waiting after wrong ones, nothing that can be replayed."""

import pytest
from stand_ins import KEYS, PROFILE, Machine, StandInPort, claim, proof_of

from injector.access import ANYBODY, NEEDS
from injector.hmac import hmac_sha256
from injector.limits import IDLE_MS, MAX_WAIT_S
from injector.settings import OPERATOR, SERVICE
from mesodrive_wire import BAD_PARAMS, UNAUTHORIZED, WRONG_STATE

pytestmark = pytest.mark.requirement("R28")

MOVES = ("profile.load", "home", "prime", "arm", "ack")
STOPS_AND_LOOKS = (
    "info",
    "ping",
    "status",
    "selftest",
    "shots",
    "trace",
    "disarm",
    "auth.challenge",
    "auth.prove",
    "auth.leave",
)
WRONG_KEY = b"\x01" * 32


def stranger(port: StandInPort | None = None) -> Machine:
    """A machine whose host has proved nothing."""
    machine = Machine(port).boot()
    machine.host = None
    return machine


def proved(role: str) -> Machine:
    machine = stranger()
    assert machine.log_in(role) is None
    return machine


def code(machine: Machine, method: str, params: dict[str, object] | None = None) -> int | None:
    refusal = machine.request(method, params)[1]
    return refusal.code if refusal else None


def wait_ms(machine: Machine, role: str = OPERATOR) -> int:
    _, refusal = machine.request("auth.challenge", {"role": role})
    return int(refusal.data["wait_ms"]) if refusal else 0


def test_every_method_says_who_may_ask_it():
    assert set(Machine().methods) == set(NEEDS)


@pytest.mark.parametrize("method", MOVES)
def test_nothing_moves_and_no_fault_is_acknowledged_for_a_stranger(method: str):
    machine = stranger()
    before = machine.snapshot()
    refusal = machine.request(method)[1]
    assert refusal
    assert refusal.code == UNAUTHORIZED
    assert OPERATOR in refusal.sentence
    assert machine.snapshot() == before


@pytest.mark.parametrize("method", STOPS_AND_LOOKS)
def test_stopping_and_looking_wants_no_proof(method: str):
    assert NEEDS[method] == ANYBODY


@pytest.mark.parametrize("method", ["settings.set", "unlock", "keys.set"])
def test_changes_are_for_service_only(method: str):
    params: dict[str, object] = {"name": "dose_nl", "value": 1}
    if method == "keys.set":
        params = {"role": OPERATOR, "key": "11" * 32}
    for machine in (stranger(), proved(OPERATOR)):
        before = bytes(machine.port.settings_flash.data)
        assert code(machine, method, params if method != "unlock" else {}) == UNAUTHORIZED
        assert machine.port.settings_flash.data == before


@pytest.mark.parametrize("role", [OPERATOR, SERVICE])
def test_whoever_has_proved_a_role_may_move_the_machine(role: str):
    machine = proved(role)
    assert machine.request("status")[0]["role"] == role
    assert machine.request("profile.load", {"profile": PROFILE})[1] is None


def test_a_proof_of_one_role_is_none_of_the_other():
    machine = stranger()
    asked, _ = machine.request("auth.challenge", {"role": OPERATOR})
    proof = proof_of(SERVICE, KEYS[OPERATOR], asked)
    assert code(machine, "auth.prove", {"role": SERVICE, "proof": proof}) == UNAUTHORIZED
    assert machine.log_in(SERVICE, KEYS[OPERATOR])
    assert machine.access.role is None


def test_a_proof_holds_for_its_challenge_only_and_once():
    machine = stranger()
    asked, _ = machine.request("auth.challenge", {"role": OPERATOR})
    params = {"role": OPERATOR, "proof": proof_of(OPERATOR, KEYS[OPERATOR], asked)}
    assert code(machine, "auth.prove", params) is None
    machine.request("auth.leave")
    assert code(machine, "auth.prove", params) == UNAUTHORIZED
    machine.request("auth.challenge", {"role": OPERATOR})
    assert code(machine, "auth.prove", params) == UNAUTHORIZED


def test_a_proof_does_not_hold_again_even_if_the_chip_draws_the_same_numbers():
    machine = stranger()
    machine.port.random = bytes  # nothing but zeros
    asked, _ = machine.request("auth.challenge", {"role": OPERATOR})
    params = {"role": OPERATOR, "proof": proof_of(OPERATOR, KEYS[OPERATOR], asked)}
    machine.request("auth.prove", params)
    again = stranger(machine.port)
    nonces = {again.request("auth.challenge", {"role": OPERATOR})[0]["nonce"] for _ in range(5)}
    assert len(nonces - {asked["nonce"]}) == 5
    assert code(again, "auth.prove", params) == UNAUTHORIZED


def test_a_device_that_has_been_on_for_months_still_has_challenges():
    machine = stranger()
    machine.port.now += 90 * 86_400_000 * 125_000
    assert machine.log_in(OPERATOR) is None


def test_a_challenge_that_was_not_asked_for_cannot_be_proved():
    machine = stranger()
    proof = proof_of(OPERATOR, KEYS[OPERATOR], {"nonce": "00" * 16, "counter": 0})
    assert code(machine, "auth.prove", {"role": OPERATOR, "proof": proof}) == UNAUTHORIZED
    assert wait_ms(machine) == 0  # nothing was tried


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("auth.challenge", {}),
        ("auth.challenge", {"role": "root"}),
        ("auth.challenge", {"role": OPERATOR, "more": 1}),
        ("auth.prove", {"role": OPERATOR}),
        ("auth.prove", {"role": OPERATOR, "proof": 5}),
        ("auth.prove", {"role": OPERATOR, "proof": "0" * 63}),
        ("auth.prove", {"role": OPERATOR, "proof": "G" * 64}),
        ("auth.prove", {"role": OPERATOR, "proof": "A" * 64}),
        ("auth.leave", {"role": OPERATOR}),
        ("unlock", {"role": OPERATOR}),
    ],
)
def test_what_is_no_such_request_is_refused_and_tries_nothing(
    method: str, params: dict[str, object]
):
    machine = proved(SERVICE)
    data = bytes(machine.port.settings_flash.data)
    assert code(machine, method, params) == BAD_PARAMS
    assert machine.port.settings_flash.data == data


# waiting


def test_each_wrong_proof_doubles_the_wait_up_to_an_hour():
    machine = stranger()
    waits: list[int] = []
    for _ in range(15):
        assert machine.log_in(OPERATOR, WRONG_KEY)
        waits.append(wait_ms(machine))
        machine.port.now += waits[-1] * 125_000
    assert waits[:13] == [1000 * min(MAX_WAIT_S, 2**n) for n in range(13)]
    assert waits[13:] == [3_600_000, 3_600_000]
    assert machine.log_in(OPERATOR) is None
    machine.request("auth.leave")
    assert wait_ms(machine) == 0  # the right one ends it


def test_who_waits_does_not_get_a_challenge_and_the_other_role_need_not_wait():
    machine = stranger()
    machine.log_in(OPERATOR, WRONG_KEY)
    _, refusal = machine.request("auth.challenge", {"role": OPERATOR})
    assert refusal
    assert refusal.code == UNAUTHORIZED
    assert "in 1 s" in refusal.sentence
    assert wait_ms(machine, SERVICE) == 0


def test_a_power_cycle_begins_the_wait_anew_and_shortens_nothing():
    machine = stranger()
    for _ in range(5):
        machine.port.now += wait_ms(machine) * 125_000
        machine.log_in(OPERATOR, WRONG_KEY)
    machine.port.advance(15_000)
    assert 0 < wait_ms(machine) <= 1_000
    after = stranger(machine.port)
    after.access._uptime = lambda: 0  # its clock begins with the boot
    assert wait_ms(after) == 16_000


def test_a_try_is_kept_before_it_is_looked_at():
    """Whoever cuts the supply as soon as the answer is known has still used up the try."""
    machine = stranger()
    seen: list[int] = []
    save = machine.access._save

    def saving() -> None:
        save()
        seen.append(Machine(machine.port).boot().settings.failures[OPERATOR])

    machine.access._save = saving
    machine.log_in(OPERATOR)
    assert seen == [1, 0]


# the end of a proof


def test_a_proof_ends_with_the_port():
    machine = proved(OPERATOR)
    machine.port.set("open", False)
    machine.run(20)
    machine.port.set("open", True)
    machine.run(20)
    assert machine.request("status")[0]["role"] is None
    assert code(machine, "profile.load", {"profile": PROFILE}) == UNAUTHORIZED


def test_a_proof_ends_with_a_port_that_is_open_again_before_anybody_looks():
    machine = proved(OPERATOR)
    machine.port.set("open", False)
    machine.port.set("open", True)
    assert code(machine, "profile.load", {"profile": PROFILE}) == UNAUTHORIZED


def test_a_challenge_ends_with_the_port_too():
    machine = stranger()
    asked, _ = machine.request("auth.challenge", {"role": OPERATOR})
    machine.port.set("open", False)
    machine.port.set("open", True)
    machine.run(10)
    proof = proof_of(OPERATOR, KEYS[OPERATOR], asked)
    assert code(machine, "auth.prove", {"role": OPERATOR, "proof": proof}) == UNAUTHORIZED


def test_a_wrong_proof_ends_the_one_that_holds():
    machine = proved(OPERATOR)
    machine.log_in(OPERATOR, WRONG_KEY)
    assert machine.access.role is None


def test_a_reset_ends_a_proof():
    assert stranger(proved(OPERATOR).port).access.role is None


@pytest.mark.parametrize("state", ["READY", "ARMED"])
def test_who_leaves_leaves_nothing_live(state: str):
    machine = Machine().boot().make_ready()
    machine.host = None
    if state == "ARMED":
        assert machine.request("arm")[1] is None
    assert machine.request("auth.leave")[0] == {"state": "SAFE"}
    assert not machine.port.enable
    assert code(machine, "home") == UNAUTHORIZED


@pytest.mark.parametrize("state", ["READY", "ARMED", "PAUSED"])
def test_a_proof_is_not_tried_while_something_is_live(state: str):
    machine = Machine().boot().make_ready(mode="series")
    if state != "READY":
        machine.request("arm")
    if state == "PAUSED":
        machine.pull()
        machine.port.set("trigger", 0)
        machine.run(20)
    assert machine.state == state
    machine.host = None
    data = bytes(machine.port.settings_flash.data)
    refusal = machine.log_in(SERVICE)
    assert refusal
    assert refusal.code == WRONG_STATE
    assert machine.port.settings_flash.data == data
    assert machine.access.role == OPERATOR


# idle


@pytest.mark.requirement("R20")
@pytest.mark.parametrize("state", ["READY", "ARMED", "PAUSED"])
def test_after_three_idle_minutes_nothing_is_live_and_an_operator_proves_itself_again(state: str):
    machine = Machine().boot().make_ready(mode="series")
    if state != "READY":
        machine.request("arm")
    if state == "PAUSED":
        machine.pull()
        machine.port.set("trigger", 0)
        machine.run(20)
    machine.host = None
    assert machine.state == state
    machine.run(IDLE_MS - 200)
    assert machine.state == state
    machine.run(400)
    assert machine.state == "SAFE"
    assert not machine.port.enable
    alarm = machine.request("status")[0]["alarm"]
    assert alarm["code"] == "idle"
    refusal = machine.request("home")[1]
    assert refusal
    assert "3 minutes" in refusal.sentence
    assert machine.log_in(OPERATOR) is None
    assert machine.request("home")[1] is None


@pytest.mark.requirement("R20")
def test_pings_and_status_keep_nobody_logged_in():
    machine = proved(OPERATOR)
    for _ in range(10):
        machine.run(IDLE_MS // 10)
        machine.request("ping")
        machine.request("status")
    machine.run(20)
    assert machine.access.role is None
    assert [method for method, _ in machine.told if method == "alarm"] == []  # nothing was live


@pytest.mark.requirement("R20")
@pytest.mark.parametrize("hand", ["contact", "trigger", "guard", "cartridge"])
def test_a_hand_at_the_device_is_somebody(hand: str):
    machine = proved(OPERATOR)
    for _ in range(4):
        machine.run(IDLE_MS - 1000)
        machine.port.set(hand, int(not machine.port.hands[hand]))
        machine.run(50)
    assert machine.access.role == OPERATOR


@pytest.mark.requirement("R20")
def test_a_request_is_somebody():
    machine = proved(OPERATOR)
    for _ in range(4):
        machine.run(IDLE_MS - 1000)
        machine.request("info")
    assert machine.access.role == OPERATOR


@pytest.mark.requirement("R20")
def test_a_hand_that_does_not_move_is_nobody():
    machine = proved(OPERATOR)
    machine.port.set("contact", 1)
    machine.run(IDLE_MS + 1000)
    assert machine.access.role is None


# a device without keys


def unclaimed() -> Machine:
    return stranger(StandInPort())


@pytest.mark.parametrize("method", MOVES)
def test_a_device_without_keys_moves_for_nobody(method: str):
    refusal = unclaimed().request(method)[1]
    assert refusal
    assert refusal.code == UNAUTHORIZED
    assert "claim" in refusal.sentence


def test_a_device_without_keys_takes_service_s_first_and_then_only_what_service_sets():
    machine = unclaimed()
    assert machine.request("info")[0]["claimed"] is False
    key = KEYS[OPERATOR].hex()
    assert code(machine, "keys.set", {"role": OPERATOR, "key": key}) == UNAUTHORIZED
    assert machine.request("keys.set", {"role": SERVICE, "key": KEYS[SERVICE].hex()})[1] is None
    assert machine.request("info")[0]["claimed"] is True
    assert code(machine, "keys.set", {"role": SERVICE, "key": key}) == UNAUTHORIZED
    assert machine.log_in(SERVICE) is None
    mask = hmac_sha256(KEYS[SERVICE], b"mesodrive key\x00operator\x00" + machine.access._mask)
    hidden = bytes(a ^ b for a, b in zip(KEYS[OPERATOR], mask, strict=True)).hex()
    assert machine.request("keys.set", {"role": OPERATOR, "key": hidden})[1] is None
    assert machine.access.role is None  # a mask hides one key
    assert stranger(machine.port).log_in(OPERATOR) is None


def test_a_key_of_zeros_is_refused():
    machine = unclaimed()
    assert code(machine, "keys.set", {"role": SERVICE, "key": "00" * 32}) == BAD_PARAMS
    assert not machine.settings.claimed


def test_a_claimed_device_is_claimed_after_a_reset():
    port = StandInPort()
    claim(port.settings_flash)
    assert Machine(port).boot().request("info")[0]["claimed"] is True


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("last_id", [5_000, (1 << 53) - (1 << 40)])
def test_a_proof_begins_ids_that_no_line_before_it_can_have(last_id: int):
    machine = stranger()
    machine.link.last_id = last_id
    assert machine.log_in(OPERATOR) is None
    further = machine.link.last_id - last_id
    if last_id == 5_000:
        assert 1 << 20 < further <= 1 << 33
    else:
        assert further == 0  # there must be ids left
