"""What a host may ask: in which states, what it leads to, and what it is refused for."""

import re
from pathlib import Path

import drives
import pytest
from situations import MODES, in_state, refused, striking, to_the_end
from stand_ins import DEPTH, PLUNGER, PROFILE, Machine

from injector.controller import STATES as ALL_STATES
from mesodrive_wire import BAD_PARAMS, FAULTED, INTERLOCK, LIMIT, WRONG_STATE

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
STATES = [state for state in ALL_STATES if state != "SELF_TEST"]
PARAMS = {"profile.load": {"profile": PROFILE}, "prime": {"volume_nl": 1_000}}


def protocols_requests() -> dict[str, set[str]]:
    """Method → the states in which docs/protocol.md lets it run."""
    text = PROTOCOL.read_text(encoding="utf-8")
    table = text.split("## Requests")[1].split("\n\n")[1]
    requests: dict[str, set[str]] = {}
    for row in table.splitlines()[2:]:
        method, *_, where = (cell.strip() for cell in row.strip("|").split("|"))
        named = set(re.findall(r"`([A-Z]+)`", where))
        if where.startswith("any"):
            named = set(STATES) - named
        requests[method.strip("`")] = named
    return requests


REQUESTS = protocols_requests()
# Those that the controller decides on; `app` answers the rest from what it says.
DECIDED = ["selftest", "home", "profile.load", "prime", "arm", "disarm", "ack"]


def test_the_protocol_lists_every_request_that_is_decided_on():
    assert set(DECIDED) < set(REQUESTS)
    assert REQUESTS["arm"] == {"READY"}
    assert REQUESTS["disarm"] == set(STATES) - {"FAULT"}


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("method", DECIDED)
def test_a_request_runs_in_the_states_that_the_protocol_names_and_in_no_other(
    method: str, state: str
):
    machine = in_state(state)
    if state in REQUESTS[method]:
        assert machine.request(method, PARAMS.get(method))[1] is None
    else:
        code = refused(machine, method, PARAMS.get(method)).code
        assert code == (FAULTED if state == "FAULT" else WRONG_STATE)


# the self-test


@pytest.mark.requirement("R1", "R2")
def test_after_a_good_self_test_the_machine_is_safe_and_off():
    machine = Machine().boot()
    assert machine.state == "SAFE"
    assert not machine.port.enable


@pytest.mark.requirement("R2")
def test_a_failed_self_test_is_a_fault_that_names_the_check():
    machine = Machine()
    machine.port.set("trigger", 1)
    machine.boot()
    assert machine.state == "FAULT"
    assert "trigger" in machine.controller.alarm["text"]


@pytest.mark.requirement("R2")
def test_a_self_tests_fault_is_not_acknowledged_while_its_cause_is_there():
    machine = Machine()
    read, out = machine.port.read, machine.inputs.mask(["needle_out"])
    machine.inputs._read = lambda: read() | out  # a sensor that always says out
    machine.boot()
    assert machine.state == "FAULT"
    machine.run(100)
    refused(machine, "ack")


# loading


@pytest.mark.requirement("R11")
def test_loading_a_profile_switches_off_and_forgets_the_place():
    machine = in_state("READY")
    machine.request("profile.load", {"profile": PROFILE})
    assert machine.state == "SAFE"
    assert not machine.port.enable
    assert not machine.commands.status()["homed"]


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    "change",
    [{"depth_um": 6_001}, {"mode": "x"}, {"period_us": 45_488}, {"dwell_us": 0}, {"new": 1}],
    ids=str,
)
def test_a_refused_profile_leaves_the_one_before(change: dict[str, object]):
    machine = in_state("READY")
    refused(machine, "profile.load", {"profile": {**PROFILE, **change}})
    assert machine.request("arm")[1] is None


@pytest.mark.parametrize("profile", [None, 7, "x", [PROFILE]])
def test_a_profile_that_is_no_object_is_refused_as_a_bad_value(profile: object):
    assert refused(in_state("SAFE"), "profile.load", {"profile": profile}).code == BAD_PARAMS


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("state", ["HOMING", "DELIVERING"])
@pytest.mark.parametrize("mode", sorted(MODES))
def test_a_profile_that_comes_while_something_moves_is_refused_and_changes_nothing(
    state: str, mode: str
):
    machine = in_state("HOMING") if state == "HOMING" else striking()
    machine.port.advance(10)
    assert machine.port.moving
    refusal = refused(machine, "profile.load", {"profile": {**PROFILE, **MODES[mode]}})
    assert refusal.code == WRONG_STATE
    assert state in refusal.sentence
    machine.run(10)
    assert machine.state == state
    assert machine.port.moving


@pytest.mark.requirement("R29")
def test_a_syringe_longer_than_the_plungers_way_is_refused():
    profile = {**PROFILE, "syringe_nl_per_mm": 1_000, "fill_nl": drives.PLUNGER_EMPTY_UM + 1}
    refusal = refused(Machine().boot(), "profile.load", {"profile": profile})
    assert refusal.code == LIMIT
    assert "fill_nl" in refusal.sentence


# homing


def test_homing_takes_up_depth_and_syringe_and_answers_when_it_has_ended():
    machine = in_state("SAFE", depth_um=1_500, fill_nl=500_000)
    assert machine.request("home") == (None, None)
    assert machine.answers == []
    machine.run_while("HOMING")
    assert machine.state == "READY"
    assert [refusal for _, refusal in machine.answers] == [None]
    depth_um = 1_500 + drives.DEPTH_SURFACE_UM
    assert machine.depth.position == machine.depth.steps_at(depth_um)
    left_um = 1_000 * 500_000 // PROFILE["syringe_nl_per_mm"]
    seat = machine.plunger.steps_at(drives.PLUNGER_EMPTY_UM - left_um)
    assert machine.plunger.position == seat


def test_homing_wants_a_profile():
    assert "profile" in refused(Machine().boot(), "home").sentence


@pytest.mark.parametrize("hand", ["guard", "stop"])
def test_homing_wants_guard_and_stop_closed(hand: str):
    machine = in_state("SAFE")
    machine.port.set(hand, 0)
    machine.run(10)
    assert refused(machine, "home").data == {"input": hand}


def test_disarming_while_homing_answers_who_asked_for_it():
    machine = in_state("HOMING")
    machine.request("disarm")
    ((value, sentence),) = machine.answers
    assert value is None
    assert "disarmed" in str(sentence)


@pytest.mark.parametrize("axis", [PLUNGER, DEPTH])
def test_a_home_switch_that_is_not_found_is_a_fault(axis: int):
    machine = in_state("SAFE")
    machine.port.at[axis] = 10**6
    machine.request("home")
    machine.run_while("HOMING", 60_000)
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] == "home_missing"
    assert machine.answers[0][0] is None


# arming


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("hand", ["guard", "stop", "cartridge"])
def test_arming_wants_guard_stop_and_cartridge(hand: str):
    machine = in_state("READY")
    machine.port.set(hand, 0)
    machine.inputs.poll(machine.port.now_ms)
    assert refused(machine, "arm").code == INTERLOCK


@pytest.mark.requirement("R9", "R23")
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_arming_wants_the_trigger_released_and_the_device_lifted(hand: str):
    machine = in_state("READY")
    machine.port.set(hand, 1)
    machine.run(10)
    refusal = refused(machine, "arm")
    assert (refusal.code, refusal.data) == (INTERLOCK, {"input": hand})
    machine.port.set(hand, 0)
    machine.run(10)
    assert machine.request("arm")[1] is None


@pytest.mark.requirement("R8")
def test_arming_after_all_shots_is_refused():
    machine = to_the_end(striking())
    assert machine.state == "READY"
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.run(10)
    assert "load it again" in refused(machine, "arm").sentence


# what is told


def test_the_status_tells_the_depth_only_when_both_axes_know_their_place():
    for machine, expected in (
        (in_state("SAFE"), (False, None)),
        (in_state("READY", depth_um=1_500), (True, 1_500)),
    ):
        status = machine.commands.status()
        assert (status["homed"], status["depth_um"]) == expected


def test_the_beat_tells_what_the_status_tells():
    machine = striking()
    machine.run(50)
    status, beat = machine.commands.status(), machine.commands.beat()
    for key in ("state", "uptime_ms", "shots_done", "delivered_nl", "left_nl"):
        assert beat[key] == status[key]
    assert beat["inputs"] == sum(
        state << place for place, state in enumerate(status["inputs"].values())
    )
    assert beat["delivered_nl"] > 900


@pytest.mark.requirement("R14")
def test_the_watchdog_is_patient_while_a_profile_is_planned_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
):
    machine = in_state("SAFE")
    watchdog = machine.port.watchdog
    seen: list[int | None] = []

    def impossible(*_: object) -> None:
        seen.append(watchdog.patient_ms)
        raise ValueError("it cannot be.")

    monkeypatch.setattr("injector.commands.Plan", impossible)
    assert refused(machine, "profile.load", {"profile": PROFILE}).code == LIMIT
    assert seen == [1_000]
    assert watchdog.patient_ms is None


@pytest.mark.requirement("R22")
def test_a_profile_that_memory_is_short_for_is_refused_and_leaves_no_half_made_plan(
    monkeypatch: pytest.MonkeyPatch,
):
    machine = in_state("READY")

    def cramped(*_: object):
        raise MemoryError

    monkeypatch.setattr("injector.plan.plan", cramped)
    _, refusal = machine.request("profile.load", {"profile": PROFILE})
    assert refusal.code == LIMIT
    assert "restart the device" in refusal.sentence
    assert (machine.state, machine.port.enable) == ("SAFE", False)
    assert refused(machine, "home").code == WRONG_STATE
    monkeypatch.undo()
    assert machine.request("profile.load", {"profile": PROFILE})[1] is None


@pytest.mark.requirement("R22")
def test_a_profile_that_cannot_be_leaves_the_plan_in_use_as_it_was():
    machine = in_state("READY")
    before = {steps: bytes(move.words) for steps, move in machine.job.plan.moves.items()}
    for change in ({"dwell_us": 12_000}, {"period_us": 40_000}, {"flow_nl_s": 1_000_000}):
        refused(machine, "profile.load", {"profile": {**PROFILE, **change}})
    assert {n: bytes(move.words) for n, move in machine.job.plan.moves.items()} == before


@pytest.mark.requirement("R22")
def test_moves_find_their_room_made_however_scattered_the_heap(monkeypatch: pytest.MonkeyPatch):
    machine = in_state("SAFE")

    def none_left(*_: object):
        raise MemoryError

    monkeypatch.setattr("injector.motion.room_for", none_left)
    machine.make_ready()
    machine.request("arm")
    machine.pull()
    machine.run_while("DELIVERING")
    assert machine.job.done == PROFILE["shots"]
