"""The states: who may change them, what may be live in each, and what it takes to go on."""

import re
from pathlib import Path

import board
import pytest
from stand_ins import DEPTH, PLUNGER, PROFILE, Machine

from injector.errors import Refusal
from injector.limits import HOST_SILENCE_MS
from mesodrive_wire import BAD_PARAMS, FAULTED, INTERLOCK, LIMIT, WRONG_STATE

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
STATES = ["SAFE", "HOMING", "READY", "ARMED", "DELIVERING", "PAUSED", "FAULT"]
PARAMS = {"profile.load": {"profile": PROFILE}, "prime": {"volume_nl": 1_000}}
HANDS = ["guard", "stop", "cartridge"]
ALARMS = {
    "guard": "guard_open",
    "stop": "stop_pulled",
    "cartridge": "cartridge_out",
    "supply": "rail_dead",
}


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


def in_state(state: str, **profile: object) -> Machine:
    machine = Machine().boot()
    if state == "SAFE":
        machine.request("profile.load", {"profile": {**PROFILE, **profile}})
        return machine
    if state == "HOMING":
        machine.request("profile.load", {"profile": {**PROFILE, **profile}})
        machine.request("home")
        machine.run(50)
    else:
        machine.make_ready(**profile)
    if state in ("ARMED", "DELIVERING", "PAUSED", "FAULT"):
        machine.request("arm")
    if state in ("DELIVERING", "PAUSED"):
        machine.pull()
    if state == "PAUSED":
        machine.port.set("trigger", 0)
    if state == "FAULT":
        machine.port.set("guard", 0)
        machine.run(20)
        machine.port.set("guard", 1)
    machine.run(5)
    assert machine.state == state
    return machine


def refused(machine: Machine, method: str, params: dict[str, object] | None = None) -> Refusal:
    """The refusal of a request, which must have changed nothing."""
    before = machine.snapshot()
    refusal = machine.request(method, params)[1]
    assert refusal is not None
    assert machine.snapshot() == before
    assert re.fullmatch(r"[^\n]+\.", refusal.sentence)
    return refusal


def test_the_protocol_lists_every_request_that_is_decided_on():
    assert set(DECIDED) < set(REQUESTS)
    assert REQUESTS["arm"] == {"READY"}
    assert REQUESTS["disarm"] == set(STATES) - {"FAULT"}


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


# what each request leads to


def test_after_a_good_self_test_the_machine_is_safe_and_off():
    machine = Machine().boot()
    assert machine.state == "SAFE"
    assert machine.port.enable == 0


def test_a_failed_self_test_is_a_fault_that_names_the_check():
    machine = Machine()
    machine.port.set("trigger", 1)
    machine.boot()
    assert machine.state == "FAULT"
    assert "trigger" in machine.controller.alarm["text"]


def test_homing_takes_up_depth_and_syringe_and_answers_when_it_has_ended():
    machine = in_state("SAFE", depth_um=1_500, fill_nl=500_000)
    assert machine.request("home") == (None, None)
    assert machine.answers == []
    machine.run_while("HOMING")
    assert machine.state == "READY"
    assert [refusal for _, refusal in machine.answers] == [None]
    depth_um = 1_500 + board.DEPTH_SURFACE_UM
    assert machine.depth.position == machine.depth.steps_at(depth_um)
    left_um = 1_000 * 500_000 // PROFILE["syringe_nl_per_mm"]
    seat = machine.plunger.steps_at(board.PLUNGER_EMPTY_UM - left_um)
    assert machine.plunger.position == seat


def test_the_status_tells_the_depth_only_when_both_axes_know_their_place():
    machine = in_state("SAFE")
    assert (machine.commands.status()["homed"], machine.commands.status()["depth_um"]) == (
        False,
        None,
    )
    machine = in_state("READY", depth_um=1_500)
    assert (machine.commands.status()["homed"], machine.commands.status()["depth_um"]) == (
        True,
        1_500,
    )


def test_loading_a_profile_switches_off_and_forgets_the_place():
    machine = in_state("READY")
    machine.request("profile.load", {"profile": PROFILE})
    assert (machine.state, machine.port.enable) == ("SAFE", 0)
    assert not machine.commands.status()["homed"]


@pytest.mark.parametrize(
    "change", [{"depth_um": 6_001}, {"mode": "drip"}, {"period_ms": 59}, {"new": 1}]
)
def test_a_refused_profile_leaves_the_one_before(change: dict[str, object]):
    machine = in_state("READY")
    refused(machine, "profile.load", {"profile": {**PROFILE, **change}})
    assert machine.request("arm")[1] is None


@pytest.mark.parametrize("profile", [None, 7, "x", [PROFILE]])
def test_a_profile_that_is_no_object_is_refused_as_a_bad_value(profile: object):
    assert refused(in_state("SAFE"), "profile.load", {"profile": profile}).code == BAD_PARAMS


def test_homing_wants_a_profile():
    assert "profile" in refused(Machine().boot(), "home").sentence


@pytest.mark.parametrize("hand", ["guard", "stop"])
def test_homing_wants_guard_and_stop_closed(hand: str):
    machine = in_state("SAFE")
    machine.port.set(hand, 0)
    machine.run(10)
    assert refused(machine, "home").data == {"input": hand}


@pytest.mark.parametrize("hand", ["guard", "stop", "cartridge"])
def test_arming_wants_guard_stop_and_cartridge(hand: str):
    machine = in_state("READY")
    machine.port.set(hand, 0)
    machine.inputs.poll(machine.port.now_ms)
    assert refused(machine, "arm").code == INTERLOCK


def test_arming_wants_the_trigger_released():
    machine = in_state("READY")
    machine.port.set("trigger", 1)
    machine.run(10)
    refusal = refused(machine, "arm")
    assert refusal.code == INTERLOCK
    assert "trigger" in refusal.sentence


def test_arming_after_all_shots_is_refused():
    machine = in_state("DELIVERING")
    machine.run_while("DELIVERING")
    assert machine.state == "READY"
    machine.port.set("trigger", 0)
    machine.run(10)
    assert "load it again" in refused(machine, "arm").sentence


def test_a_primed_volume_is_missing_from_the_syringe():
    machine = in_state("READY", fill_nl=10_000, shots=3, dose_nl=3_000, dwell_ms=60, period_ms=90)
    position = machine.plunger.position
    machine.request("prime", {"volume_nl": 1_500})
    machine.run_while("HOMING")
    assert machine.state == "READY"
    assert machine.plunger.position - position == 277
    left_nl = machine.commands.status()["left_nl"]
    assert left_nl == 10_000 - 1_502  # 277 steps of 5.42 nL
    assert refused(machine, "arm").data == {"name": "fill_nl", "value": 9_000, "limit": left_nl}


@pytest.mark.parametrize(
    ("volume_nl", "code"),
    [(0, LIMIT), (500_001, LIMIT), (10_001, LIMIT), (1.5, BAD_PARAMS), (None, BAD_PARAMS)],
)
def test_priming_past_what_there_is_is_refused(volume_nl: object, code: int):
    machine = in_state("READY", fill_nl=10_000)
    assert refused(machine, "prime", {"volume_nl": volume_nl}).code == code


def test_priming_on_the_skin_is_refused():
    machine = in_state("READY")
    machine.port.set("contact", 1)
    machine.run(10)
    assert "skin" in refused(machine, "prime", {"volume_nl": 1_000}).sentence


# what is live


@pytest.mark.parametrize("state", STATES)
def test_the_rail_is_asked_for_in_the_states_that_may_move_and_in_no_other(state: str):
    machine = in_state(state)
    powered = state not in ("SAFE", "FAULT")
    assert machine.port.enable == powered
    assert machine.port.led == (state in ("ARMED", "DELIVERING", "PAUSED"))


@pytest.mark.parametrize("state", ["HOMING", "READY", "ARMED", "DELIVERING", "PAUSED"])
def test_disarming_stops_whatever_moves(state: str):
    machine = in_state(state)
    strikes = machine.port.strikes
    machine.request("disarm")
    assert not machine.port.moving
    assert machine.state == ("READY" if state in ("ARMED", "DELIVERING", "PAUSED") else "SAFE")
    machine.run(1_000)
    assert machine.port.strikes == strikes


def test_disarming_while_homing_answers_who_asked_for_it():
    machine = in_state("HOMING")
    machine.request("disarm")
    ((value, sentence),) = machine.answers
    assert value is None
    assert "disarmed" in str(sentence)


# what happens by itself


@pytest.mark.parametrize("state", ["ARMED", "DELIVERING", "PAUSED"])
@pytest.mark.parametrize("hand", [*HANDS, "supply"])
def test_what_must_hold_is_a_fault_while_a_person_may_strike(hand: str, state: str):
    machine = in_state(state)
    machine.port.set(hand, 0)
    machine.run(10)
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] == ALARMS[hand]
    assert machine.port.enable == 0
    (alarm,) = [params for method, params in machine.told if method == "alarm"]
    assert alarm["code"] == ALARMS[hand]


@pytest.mark.parametrize("state", ["HOMING", "READY"])
@pytest.mark.parametrize("hand", ["guard", "stop", "supply"])
def test_what_must_hold_makes_safe_while_nobody_may_strike(hand: str, state: str):
    machine = in_state(state)
    machine.port.set(hand, 0)
    machine.run(20)
    assert machine.state == "SAFE"
    assert not machine.commands.status()["homed"]


def test_the_cause_told_is_one_that_matters_in_the_state():
    machine = in_state("READY")
    machine.port.set("cartridge", 0)  # a new one may be put in while nobody may strike
    machine.run(100)
    assert machine.state == "READY"
    machine.port.set("supply", 0)
    machine.run(20)
    assert (machine.state, machine.controller.why) == ("SAFE", "the motor rail fell")


@pytest.mark.parametrize("hand", HANDS)
def test_a_fault_stays_until_its_cause_is_gone_and_a_person_acknowledges(hand: str):
    machine = in_state("DELIVERING")
    machine.port.set(hand, 0)
    machine.run(1_000)
    assert refused(machine, "ack").code == INTERLOCK
    machine.port.set(hand, 1)
    machine.run(1_000)
    assert machine.state == "FAULT"
    assert "trigger" in refused(machine, "ack").sentence
    machine.port.set("trigger", 0)
    machine.run(10)
    assert machine.request("ack") == ({"state": "SAFE"}, None)
    assert machine.controller.alarm is None


def test_a_self_tests_fault_is_not_acknowledged_while_its_cause_is_there():
    machine = Machine()
    read, out = machine.port.read, machine.inputs.mask(["needle_out"])
    machine.inputs._read = lambda: read() | out  # a sensor that always says out
    machine.boot()
    assert machine.state == "FAULT"
    machine.run(100)
    refused(machine, "ack")


@pytest.mark.parametrize("state", ["HOMING", "ARMED", "DELIVERING", "PAUSED"])
def test_a_silent_host_makes_safe_after_half_a_second(state: str):
    machine = in_state(state, shots=100, period_ms=100, fill_nl=1_000_000)
    machine.controller.heard_ms = machine.port.now_ms
    machine.run(HOST_SILENCE_MS, host_speaks=False)
    assert machine.state == state
    machine.run(12, host_speaks=False)
    assert machine.state == "SAFE"
    assert machine.controller.alarm["code"] == "host_lost"
    machine.run(2_000)
    assert machine.state == "SAFE"


def test_a_silent_host_may_leave_the_machine_ready():
    machine = in_state("READY")
    machine.run(5_000, host_speaks=False)
    assert machine.state == "READY"


@pytest.mark.parametrize("state", ["HOMING", "READY", "ARMED", "DELIVERING", "PAUSED"])
def test_a_closed_port_makes_safe_at_once(state: str):
    machine = in_state(state)
    machine.port.set("open", False)
    assert not machine.port.moving
    machine.run(10)
    assert machine.state == "SAFE"
    machine.port.set("open", True)
    machine.run(1_000)
    assert machine.state == "SAFE"


@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_letting_go_pauses_and_only_a_fresh_press_goes_on(hand: str):
    machine = in_state("DELIVERING", shots=20)
    strikes = machine.port.strikes
    machine.port.set(hand, 0)
    machine.run(10)
    assert machine.state == "PAUSED"
    machine.port.set(hand, 1)
    if hand == "contact":
        machine.run(2_000)
        assert (machine.state, machine.port.strikes) == ("PAUSED", strikes)
        machine.port.set("trigger", 0)
        machine.run(10)
        machine.port.set("trigger", 1)
    machine.run(200)
    assert machine.state == "DELIVERING"
    assert machine.port.strikes > strikes


@pytest.mark.parametrize("first", ["trigger", "contact"])
def test_trigger_and_contact_may_come_in_either_order(first: str):
    machine = in_state("ARMED")
    other = {"trigger": "contact", "contact": "trigger"}[first]
    machine.port.set(first, 1)
    machine.run(500)
    assert machine.state == "ARMED"
    machine.port.set(other, 1)
    machine.run(40)
    assert machine.state == "DELIVERING"


def test_an_interlock_line_that_falls_for_a_moment_within_a_strike_is_a_fault():
    machine = in_state("DELIVERING")
    machine.port.set("guard", 0)
    machine.port.set("guard", 1)  # before anybody looked
    machine.run(10)
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] in ("guard_open", "interlock")


def test_contact_that_is_lost_for_a_moment_within_a_strike_pauses():
    machine = in_state("DELIVERING")
    machine.port.set("contact", 0)
    machine.port.set("contact", 1)
    machine.run(10)
    assert machine.state == "PAUSED"


# the way of a dose through pauses and priming


def test_a_fresh_press_goes_on_even_before_the_period_is_over():
    machine = in_state("PAUSED", period_ms=2_000)
    machine.pull(40)
    assert machine.state == "DELIVERING"
    machine.run(1_500)
    assert (machine.state, machine.port.strikes) == ("DELIVERING", 1)
    machine.run(500)
    assert machine.port.strikes == 2


def test_arming_again_does_not_bring_the_next_strike_forward():
    machine = in_state("DELIVERING", period_ms=2_000)
    first_ms = machine.port.now_ms
    machine.request("disarm")
    machine.run(60)
    machine.port.set("trigger", 0)
    machine.run(10)
    assert machine.request("arm")[1] is None
    machine.pull(100)
    assert machine.port.strikes == 1
    machine.run(2_000)
    assert machine.port.strikes == 2
    starts = [told["t_ms"] for method, told in machine.told if method == "shot"]
    assert starts[1] - starts[0] >= 2_000
    assert starts[0] <= first_ms


@pytest.mark.parametrize("mode", ["single", "series"])
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_letting_go_within_the_last_strike_gives_no_strike_more(hand: str, mode: str):
    machine = in_state("DELIVERING", mode=mode, shots=1)
    machine.port.set(hand, 0)
    machine.run(100)
    for _ in range(3):
        machine.pull(100)
    assert machine.port.strikes == 1
    assert machine.state == "READY"


@pytest.mark.parametrize("done", range(1, 12))
def test_a_syringe_filled_for_just_the_shots_can_be_armed_again_between_them(done: int):
    machine = in_state("DELIVERING", shots=12, fill_nl=12_000)
    while machine.controller.delivery.done < done or machine.controller.delivery.running:
        machine.run(1)
    machine.request("disarm")
    machine.port.set("trigger", 0)
    machine.run(10)
    assert machine.request("arm")[1] is None


def test_doses_smaller_than_a_step_are_given_when_they_make_one():
    nl_per_mm = 60_000  # 18.75 nL a step
    machine = in_state(
        "DELIVERING", dose_nl=8, shots=10, syringe_nl_per_mm=nl_per_mm, flow_nl_s=60_000
    )
    machine.run_while("DELIVERING")
    assert machine.port.pushed == round(80 * board.PLUNGER_STEPS_PER_MM / nl_per_mm)


@pytest.mark.parametrize("how", ["guard", "stop", "supply", "open", "disarm"])
def test_what_a_stopped_priming_has_pushed_is_missing_from_the_syringe(how: str):
    machine = in_state("READY", fill_nl=600_000)
    before = machine.port.at[PLUNGER]
    machine.request("prime", {"volume_nl": 500_000})
    machine.run(2_000)
    if how == "disarm":
        machine.request("disarm")
    else:
        machine.port.set(how, 0)
    machine.run(50)
    assert machine.state == "SAFE"
    pushed = machine.port.at[PLUNGER] - before
    assert pushed > 0
    gone_nl = pushed * PROFILE["syringe_nl_per_mm"] / board.PLUNGER_STEPS_PER_MM
    assert machine.commands.status()["left_nl"] == pytest.approx(600_000 - gone_nl, abs=1)


WIDE = {"syringe_nl_per_mm": 1_000, "dose_nl": 100, "flow_nl_s": 8_000, "shots": 2, "dwell_ms": 40}


def test_a_syringe_longer_than_the_plungers_way_is_refused():
    profile = {**PROFILE, **WIDE, "fill_nl": board.PLUNGER_EMPTY_UM + 1}
    refusal = refused(Machine().boot(), "profile.load", {"profile": profile})
    assert refusal.code == LIMIT
    assert "fill_nl" in refusal.sentence


@pytest.mark.parametrize("below_nl", [0, 1, 10, 20, 21, 500])
def test_the_first_dose_from_a_full_syringe_is_whole(below_nl: int):
    # about the backlash of 20 µm from home, where the plunger's first move may be none at all
    machine = Machine().boot().make_ready(**WIDE, fill_nl=board.PLUNGER_EMPTY_UM - below_nl)
    start, at = machine.plunger.position, machine.port.at[PLUNGER]
    machine.request("arm")
    machine.pull()
    machine.run_while("DELIVERING")
    moved = machine.plunger.position - start
    assert moved == machine.port.at[PLUNGER] - at == machine.port.pushed == 640


def test_priming_answers_with_what_the_protocol_promises():
    machine = in_state("READY")
    machine.request("prime", {"volume_nl": 1_000})
    machine.run_while("HOMING")
    assert machine.answers[-1] == ({"steps": 184, "volume_nl": 998}, None)


@pytest.mark.parametrize("axis", [PLUNGER, DEPTH])
def test_a_home_switch_that_is_not_found_is_a_fault(axis: int):
    machine = in_state("SAFE")
    machine.port.at[axis] = 10**6
    machine.request("home")
    machine.run_while("HOMING", 60_000)
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] == "home_missing"
    assert machine.answers[0][0] is None


@pytest.mark.parametrize(("how", "state"), [("contact", 1), ("cartridge", 0)])
def test_priming_stops_when_the_device_touches_skin_or_loses_its_cartridge(how: str, state: int):
    machine = in_state("READY", fill_nl=600_000)
    before = machine.port.at[PLUNGER]
    machine.request("prime", {"volume_nl": 500_000})
    machine.run(500)
    machine.port.set(how, state)
    machine.run(50)
    assert machine.state == "SAFE"
    assert not machine.port.moving
    pushed = machine.port.at[PLUNGER] - before
    gone_nl = pushed * PROFILE["syringe_nl_per_mm"] / board.PLUNGER_STEPS_PER_MM
    assert 0 < gone_nl < 500_000
    assert machine.commands.status()["left_nl"] == pytest.approx(600_000 - gone_nl, abs=1)
    assert machine.answers[-1][0] is None
