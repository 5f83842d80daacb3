"""The loop's pace, what it notes, and which of several causes is told."""

import pytest
from situations import alarms, in_state, striking, to_the_end
from stand_ins import PLUNGER, Machine

from injector.trace import INPUTS


def noted(machine: Machine) -> list[int]:
    """The inputs as they were noted."""
    return [value for _, _, event, value in machine.port.events if event == INPUTS]


@pytest.mark.requirement("R15")
@pytest.mark.parametrize(
    ("silent_ms", "pace_ms"),
    [(0, 15), (486, 15), (487, 14), (495, 6), (499, 2), (500, 1), (501, 1), (505, 1)],
)
def test_while_strikes_are_given_no_look_comes_later_than_a_hosts_silence(
    silent_ms: int, pace_ms: int
):
    machine = striking()
    machine.controller.heard_ms = machine.port.now_ms - silent_ms
    assert machine.controller.pace_ms == pace_ms


@pytest.mark.parametrize(
    ("state", "pace_ms"),
    [("SAFE", 20), ("HOMING", 10), ("READY", 20), ("ARMED", 10), ("PAUSED", 10), ("FAULT", 20)],
)
def test_the_loop_is_quicker_where_a_hand_begins_or_an_axis_moves(state: str, pace_ms: int):
    assert in_state(state).controller.pace_ms == pace_ms


@pytest.mark.requirement("R7", "R25")
def test_a_needle_in_doubt_is_looked_at_again_just_when_it_is_no_bounce_any_more():
    machine = striking()
    machine.run(12)
    assert machine.controller.pace_ms == 15
    machine.port.set("needle_is_out", False)
    machine.look()
    assert machine.controller.pace_ms == 2
    machine.port.advance(1)
    machine.look()
    assert machine.state == "DELIVERING"
    machine.port.advance(1)
    machine.look()
    assert (machine.state, alarms(machine)) == ("FAULT", ["misfire"])


@pytest.mark.requirement("R18")
@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("force_mn", 39_000, "the line is blocked"),
        ("counts", {"coil": 4095}, "a sensor failed"),
        ("coil_dc", 560, "The strike coil is at 56 °C; let it cool, then acknowledge."),
    ],
)
def test_the_strike_that_a_fault_ended_is_told_with_its_cause(part: str, value: object, why: str):
    machine = striking(mode="drip", dwell_us=2_000_000, period_us=3_000_000, dose_nl=100_000)
    machine.port.push_mn = 1_110
    machine.run(20)
    setattr(machine.port, part, value)
    machine.run(100)
    assert machine.state == "FAULT"
    (told,) = [row[-1] for row in machine.rows]
    assert told == why[: len(told)]
    assert len(told) >= 15


@pytest.mark.requirement("R10")
def test_a_pause_that_steps_unasked_end_tells_no_strike_more():
    machine = in_state("PAUSED")
    told = len(machine.rows)
    stopped: list[str] = []
    machine.job.stop = stopped.append
    machine.port.stray(PLUNGER, 1)
    machine.run(20)
    assert alarms(machine) == ["free_running"]
    assert stopped == ["steps were made unasked"]
    assert len(machine.rows) == told


def test_inputs_are_noted_once_when_they_change():
    machine = in_state("SAFE")
    machine.port.events.clear()
    machine.run(200)
    assert noted(machine) == []
    machine.port.set("guard", 0)
    machine.run(200)
    assert noted(machine) == [machine.port.read()]
    machine.port.set("guard", 1)
    machine.run(200)
    assert len(noted(machine)) == 2


def test_the_needles_switches_are_not_noted_by_looks():
    machine = striking()
    machine.run(1)
    machine.port.events.clear()
    for _ in range(70):
        machine.look()
        machine.port.advance(1)
    assert len(machine.rows) == 1
    assert noted(machine) == []


@pytest.mark.requirement("R14")
def test_a_machine_of_which_a_part_is_dead_does_not_hold_the_rail():
    machine = in_state("READY")
    machine.controller.sound = False
    for _ in range(30):
        machine.controller.step()
        machine.port.advance(10)
    assert not machine.port.enable


@pytest.mark.requirement("R2")
def test_the_first_of_several_failures_is_told():
    for tell in ("started", "idle_tested"):
        machine = Machine()
        if tell == "started":
            machine.controller.started(["The first.", "The second."], None)
        else:
            machine.boot().controller.idle_tested(["The first.", "The second."])
        assert machine.state == "FAULT"
        assert machine.controller.alarm == {"code": "selftest", "text": "The first."}
        assert alarms(machine) == ["selftest"]


@pytest.mark.requirement("R13", "R18")
@pytest.mark.parametrize("state", ["HOMING", "READY", "ARMED"])
def test_a_drivers_error_is_told_with_its_way_out(state: str):
    machine = in_state(state)
    machine.port.set("driver_ok", 0)
    machine.run(20)
    assert machine.controller.alarm == {
        "code": "driver_fault",
        "text": "A motor driver reports an error; let it cool and check motors and their wires, "
        "then acknowledge.",
    }


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("state", ["HOMING", "READY"])
def test_a_guard_that_opens_while_nobody_can_strike_is_told(state: str):
    machine = in_state(state)
    machine.port.set("guard", 0)
    machine.run(20)
    assert (machine.state, machine.controller.why) == ("SAFE", "the guard was opened")


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("shots", [1, 10])
@pytest.mark.parametrize(
    ("hand", "why"),
    [("trigger", "the trigger was released"), ("contact", "skin contact was lost")],
)
def test_which_hand_let_go_is_told_and_what_follows(hand: str, why: str, shots: int):
    machine = striking(shots=shots)
    machine.run(12)
    machine.port.set(hand, 0)
    machine.run(20)
    assert machine.rows[0][-1] == why
    after = ("READY", "all shots are done") if shots == 1 else ("PAUSED", why)
    assert (machine.state, machine.controller.why) == after


@pytest.mark.parametrize(
    ("mode", "burst", "why"),
    [
        ("single", 1, "one shot a pull"),
        ("burst", 2, "one burst a pull"),
        ("stamp", 1, "one stamp a contact"),
    ],
)
def test_a_pull_that_has_ended_says_what_a_pull_gives(mode: str, burst: int, why: str):
    machine = to_the_end(striking(mode=mode, burst=burst, shots=4))
    assert (machine.state, machine.controller.why) == ("ARMED", why)


def test_who_goes_on_after_a_fault_has_no_alarm():
    controller = in_state("FAULT").controller
    controller.go_safe("A test.")
    assert (controller.state, controller.why, controller.alarm) == ("SAFE", "A test.", None)


def test_only_the_alarm_of_a_dose_in_doubt_goes_when_the_doubt_does():
    controller = in_state("SAFE").controller
    controller.doubt_resolved()
    assert controller.alarm is None
    for code, left in (("host_lost", True), ("dose_in_doubt", False)):
        controller.alarm = {"code": code, "text": "A test."}
        controller.doubt_resolved()
        assert (controller.alarm is not None) == left


@pytest.mark.requirement("R16")
def test_the_next_dose_in_doubt_is_told_when_one_is_resolved():
    controller = in_state("SAFE").controller
    told: list[bool] = []
    controller.warn_of_doubt = lambda: told.append(True)
    controller.doubt_resolved()
    assert told == []
    controller.alarm = {"code": "dose_in_doubt", "text": "A test."}
    controller.doubt_resolved()
    assert told == [True]


@pytest.mark.requirement("R24")
def test_what_a_stopped_priming_has_pushed_is_counted_before_anybody_is_told():
    machine = in_state("READY")
    left_nl = machine.job.left_nl
    told: list[int] = []
    machine._answer = lambda *_: told.append(machine.job.left_nl)
    machine.request("prime", {"volume_nl": 100_000})
    machine.run(200)
    machine.request("disarm")
    assert told == [machine.job.left_nl]
    assert told[0] < left_nl
