"""What may be live in each state, and what the machine does by itself."""

import pytest
from situations import MODES, QUICK, alarms, in_state, refused, striking
from stand_ins import Machine

from injector.limits import HOST_SILENCE_MS, RAIL_HOLD_MS
from mesodrive_wire import INTERLOCK

STATES = ["SAFE", "HOMING", "READY", "ARMED", "DELIVERING", "PAUSED", "FAULT"]
POWERED = STATES[1:6]
HANDS = ["guard", "stop", "cartridge"]
ALARMS = {
    "guard": "guard_open",
    "stop": "stop_pulled",
    "cartridge": "cartridge_out",
    "supply": "rail_dead",
}
HOT = ["ARMED", "DELIVERING", "PAUSED"]


# what is live


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("state", STATES)
def test_the_rail_is_asked_for_in_the_states_that_may_move_and_in_no_other(state: str):
    machine = in_state(state)
    assert machine.port.enable == (state in POWERED)
    assert machine.port.led == (state in HOT)


@pytest.mark.requirement("R14")
@pytest.mark.parametrize("state", STATES)
def test_the_rail_is_held_at_each_step_and_falls_when_nobody_steps(state: str):
    machine = in_state(state, **{**QUICK, "shots": 2_000})
    port = machine.port
    held: list[int] = []
    hold_rail = port.hold_rail

    def witness() -> None:
        held.append(port.now_ms)
        hold_rail()

    port.hold_rail = witness
    for _ in range(30):
        machine.look()
        assert bool(held) == (state in POWERED)
        assert not held or held[-1] == port.now_ms
        port.advance(10)
    if state in POWERED:
        port.advance(RAIL_HOLD_MS)
        assert not port.enable
        assert not port.rail


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("state", POWERED)
def test_disarming_stops_whatever_moves(state: str):
    machine = in_state(state)
    strikes = machine.port.strikes
    machine.request("disarm")
    assert not machine.port.moving
    assert machine.state == ("READY" if state in HOT else "SAFE")
    machine.run(1_000)
    assert machine.port.strikes == strikes


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("state", STATES)
def test_a_stop_byte_stops_whatever_moves_before_anybody_looks(state: str):
    machine = in_state(state)
    strikes = machine.port.strikes
    machine.port.host_stop()
    assert not machine.port.moving
    machine.run(20)
    assert machine.state == ("READY" if state in HOT else {"HOMING": "SAFE"}.get(state, state))
    machine.run(1_000)
    assert machine.port.strikes == strikes


@pytest.mark.parametrize("state", POWERED)
@pytest.mark.parametrize("looks", [False, True])
def test_a_stop_byte_and_the_disarm_after_it_are_one_stop(looks: bool, state: str):
    machine = in_state(state)
    machine.port.host_stop()
    if looks:
        machine.look()
    machine.request("disarm")
    machine.look()
    assert machine.state == ("READY" if state in HOT else "SAFE")
    machine.request("disarm")
    assert machine.state == "SAFE"


@pytest.mark.parametrize("state", ["READY", "SAFE", "FAULT"])
def test_a_stop_byte_that_found_nothing_moving_stops_nothing_later(state: str):
    machine = in_state(state)
    machine.port.host_stop()
    machine.run(20)
    if state == "READY":
        assert machine.request("arm")[1] is None
        machine.pull(40)
        assert machine.state == "DELIVERING"


def test_a_stop_byte_between_the_look_and_the_first_strike_lets_none_begin():
    machine = in_state("ARMED")
    watch = machine.port.watch

    def stopped_just_before(mask: int) -> None:
        machine.port.host_stop()
        watch(mask)

    machine.port.watch = stopped_just_before
    machine.pull(100)
    assert machine.port.strikes == 0
    assert machine.state == "READY"


# what must hold


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("state", HOT)
@pytest.mark.parametrize("hand", [*HANDS, "supply"])
def test_what_must_hold_is_a_fault_while_a_person_may_strike(hand: str, state: str):
    machine = in_state(state)
    machine.port.set(hand, 0)
    machine.run(10)
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] == ALARMS[hand]
    assert not machine.port.enable
    assert alarms(machine) == [ALARMS[hand]]


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


@pytest.mark.requirement("R4", "R18")
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
    machine.run(30)
    assert machine.request("ack") == ({"state": "SAFE"}, None)
    assert machine.controller.alarm is None


# the host


@pytest.mark.requirement("R15")
@pytest.mark.parametrize("state", ["HOMING", *HOT])
def test_a_silent_host_makes_safe_after_half_a_second(state: str):
    machine = in_state(state, shots=100, period_us=100_000, fill_nl=1_000_000)
    machine.controller.heard_ms = machine.port.now_ms
    machine.run(HOST_SILENCE_MS, host_speaks=False)
    assert machine.state == state
    machine.run(22, host_speaks=False)
    assert machine.state == "SAFE"
    assert machine.controller.alarm["code"] == "host_lost"
    machine.run(2_000)
    assert machine.state == "SAFE"


def test_a_silent_host_may_leave_the_machine_ready():
    machine = in_state("READY")
    machine.run(5_000, host_speaks=False)
    assert machine.state == "READY"


@pytest.mark.requirement("R15")
@pytest.mark.parametrize("state", POWERED)
def test_a_closed_port_makes_safe_at_once(state: str):
    machine = in_state(state)
    machine.port.set("open", False)
    assert not machine.port.moving
    machine.run(20)
    assert machine.state == "SAFE"
    machine.port.set("open", True)
    machine.run(1_000)
    assert machine.state == "SAFE"


@pytest.mark.requirement("R15")
@pytest.mark.parametrize("state", POWERED)
def test_a_port_closed_for_a_moment_makes_safe_too(state: str):
    machine = in_state(state)
    machine.port.set("open", False)
    machine.port.set("open", True)  # before anybody looked
    machine.run(20)
    assert machine.state == "SAFE"


# the hand


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_letting_go_pauses_and_only_a_fresh_press_goes_on(hand: str):
    machine = in_state("DELIVERING", shots=20)
    strikes = machine.port.strikes
    machine.port.set(hand, 0)
    machine.run(20)
    assert machine.state == "PAUSED"
    machine.port.set(hand, 1)
    if hand == "contact":
        machine.run(2_000)
        assert (machine.state, machine.port.strikes) == ("PAUSED", strikes)
        machine.port.set("trigger", 0)
        machine.run(30)
        machine.port.set("trigger", 1)
    machine.run(200)
    assert machine.state == "DELIVERING"
    assert machine.port.strikes > strikes


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("mode", sorted(MODES))
@pytest.mark.parametrize("hand", ["guard", "stop"])
def test_an_interlock_that_falls_for_a_moment_within_a_strike_is_a_fault(hand: str, mode: str):
    machine = striking(**MODES[mode])
    machine.port.set(hand, 0)
    assert not machine.port.moving
    machine.port.set(hand, 1)  # before anybody looked
    machine.run(20)
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] in (ALARMS[hand], "interlock")


@pytest.mark.requirement("R23")
def test_contact_that_is_lost_for_a_moment_within_a_strike_pauses():
    machine = striking()
    machine.port.set("contact", 0)
    machine.port.set("contact", 1)
    machine.run(20)
    assert machine.state == "PAUSED"


@pytest.mark.requirement("R3")
def test_tracks_that_stopped_themselves_without_a_cause_to_be_seen_are_a_fault():
    machine = striking()
    machine.port.halt()  # what the programs do when only the line glitches
    machine.run(20)
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] == "interlock"
    assert machine.rows[0][2] == "stopped"


def test_the_pace_is_quick_where_a_hand_begins_or_an_axis_moves():
    for state in ("HOMING", "ARMED", "PAUSED"):
        assert in_state(state).controller.pace_ms == 10
    for state in ("SAFE", "READY", "FAULT"):
        assert in_state(state).controller.pace_ms == 20
    assert striking().controller.pace_ms == 15


@pytest.mark.requirement("R1")
def test_a_machine_that_never_booted_is_in_self_test_and_asks_for_nothing():
    machine = Machine()
    machine.look()
    assert machine.state == "SELF_TEST"
    assert not machine.port.enable
