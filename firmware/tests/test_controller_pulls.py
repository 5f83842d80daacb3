"""When a pull begins, and what ends it: also what comes in the midst of a look."""

from collections.abc import Callable

import pytest
from situations import MODES, alarms, in_state, striking, to_the_end
from stand_ins import PROFILE, Machine

from injector.ledger import record
from injector.pressure import Forces
from injector.profile import Profile

DOSE_NL = 1_000
STEP_NL = 5  # 5.42, to the nearest
STEPS_OF_A_DOSE, STEPS_NL = 185, 1_003


def within_the_next_look(machine: Machine, happens: Callable[[], object]) -> None:
    """Let it happen when host and force have been looked at, and the tracks have not yet."""
    line = machine.port.line
    connected = line.connected

    def asked() -> bool:
        line.connected = connected
        happens()
        return True

    line.connected = asked


def press(machine: Machine) -> None:
    """A person pulls; until the next look a strike may begin, if nothing else is against it."""
    machine.port.set("contact", 1)
    machine.port.set("trigger", 1)
    inputs = machine.inputs
    while not (inputs.pulled and inputs.touching and machine.port.now_ms >= machine.job.next_ms):
        machine.port.advance(1)
        inputs.poll(machine.port.now_ms)


# the beginning


@pytest.mark.requirement("R12")
def test_a_pull_begins_no_sooner_than_the_last_strikes_period_is_over():
    machine = to_the_end(striking(mode="single", shots=4, period_us=200_000))
    next_ms = machine.job.next_ms
    machine.port.set("trigger", 0)
    machine.run(30)
    machine.port.set("trigger", 1)
    machine.run(next_ms - 1 - machine.port.now_ms)
    assert (machine.state, machine.inputs.pulled) == ("ARMED", True)
    machine.port.advance(1)
    machine.look()
    assert machine.port.now_ms == next_ms
    assert machine.state == "DELIVERING"


@pytest.mark.requirement("R5")
@pytest.mark.parametrize(("mode", "dose_nl"), [("series", 1_000), ("dry", 0)])
def test_a_line_under_pressure_lets_no_dose_begin(mode: str, dose_nl: int):
    machine = in_state("ARMED", mode=mode, dose_nl=dose_nl)
    machine.port.force_mn = Forces(Profile(PROFILE)).rest_mn + 100
    machine.run(60)
    assert machine.state == "ARMED"
    press(machine)
    machine.look()
    assert alarms(machine) == (["occlusion"] if dose_nl else [])
    assert machine.state == ("FAULT" if dose_nl else "DELIVERING")


@pytest.mark.requirement("R12")
@pytest.mark.parametrize("short_nl", [STEP_NL, STEP_NL + 1])
def test_a_shot_begins_unless_the_syringe_is_short_of_it_by_more_than_a_step(short_nl: int):
    left_nl = DOSE_NL - short_nl
    machine = in_state("ARMED", shots=1, fill_nl=left_nl + STEPS_NL)
    machine.job.prime_done(STEPS_OF_A_DOSE)  # since it was armed
    assert machine.job.left_nl == left_nl
    press(machine)
    machine.look()
    if short_nl == STEP_NL:
        assert machine.state == "DELIVERING"
    else:
        assert (machine.state, alarms(machine)) == ("FAULT", ["syringe_empty"])


@pytest.mark.requirement("R17")
def test_a_full_ledger_lets_no_pull_begin_and_is_told():
    machine = in_state("ARMED")
    while not machine.journal.is_full:
        machine.journal.ledger.append(record.FAULT, code=b"misfire", state=b"ARMED")
    press(machine)
    machine.look()
    assert machine.state == "READY"
    assert machine.controller.why == "the ledger is full; disarm, so that it can make room"
    assert machine.port.strikes == 0


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("mode", MODES)
def test_a_line_that_glitches_before_the_first_strike_gives_none_and_is_told(mode: str):
    machine = in_state("ARMED", **MODES[mode])
    watch = machine.port.watch

    def stop_themselves(mask: int) -> None:
        watch(mask)
        machine.port.halt()

    machine.port.watch = stop_themselves
    press(machine)
    machine.look()
    machine.look()
    assert (machine.state, alarms(machine)) == ("FAULT", ["interlock"])
    assert (machine.port.strikes, machine.rows) == (0, [])


# a hand lets go


@pytest.mark.requirement("R23")
def test_contact_that_was_lost_before_anybody_looked_wants_a_fresh_press():
    machine = striking(shots=10)
    machine.port.set("contact", 0)
    machine.port.set("contact", 1)
    machine.look()
    assert (machine.state, machine.controller.why) == ("PAUSED", "skin contact was lost")
    machine.run(200)
    assert (machine.state, machine.port.strikes) == ("PAUSED", 1)


@pytest.mark.requirement("R23")
def test_the_only_shot_cut_short_early_is_told_once_however_late_the_look():
    machine = striking(shots=1)
    machine.port.advance(1)
    machine.port.set("trigger", 0)
    machine.port.advance(20)
    machine.run(20)
    assert (machine.state, alarms(machine)) == ("READY", [])
    assert [row[2] for row in machine.rows] == ["stopped"]


@pytest.mark.requirement("R1", "R4")
def test_a_pause_keeps_rail_and_light_and_a_guard_that_opens_in_it_is_a_fault():
    machine = in_state("PAUSED")
    machine.run(400)
    assert (machine.port.enable, machine.port.led) == (True, True)
    machine.port.set("guard", 0)
    machine.look()
    assert (machine.state, alarms(machine)) == ("FAULT", ["guard_open"])
    assert (machine.port.enable, machine.port.led) == (False, False)


@pytest.mark.requirement("R4")
def test_all_inputs_that_fall_at_once_are_a_fault():
    machine = in_state("ARMED")
    for hand in ("guard", "stop", "cartridge", "driver_ok", "supply"):
        machine.port.set(hand, 0)
    machine.look()
    assert (machine.state, alarms(machine)) == ("FAULT", ["stop_pulled"])


# in the midst of a look


@pytest.mark.requirement("R3")
def test_a_stop_byte_in_the_midst_of_a_look_is_the_hosts_stop_and_no_fault():
    machine = striking()
    within_the_next_look(machine, machine.port.host_stop)
    machine.look()
    assert machine.state == "DELIVERING"
    machine.look()
    assert (machine.state, alarms(machine)) == ("READY", [])
    assert [row[-1] for row in machine.rows] == ["stopped by the host"]


@pytest.mark.requirement("R15")
def test_a_port_closed_in_the_midst_of_a_look_is_a_lost_host():
    machine = striking()
    within_the_next_look(machine, lambda: machine.port.set("open", False))
    machine.look()
    assert machine.state == "DELIVERING"
    machine.look()
    assert (machine.state, alarms(machine)) == ("SAFE", ["host_lost"])


@pytest.mark.requirement("R5")
def test_force_that_stops_a_strike_in_the_midst_of_a_look_is_a_blocked_line():
    machine = striking()

    def press_too_hard() -> None:
        machine.port.pressed_too_hard = True
        machine.port.halt()

    within_the_next_look(machine, press_too_hard)
    machine.look()
    assert machine.state == "DELIVERING"
    machine.look()
    assert (machine.state, alarms(machine)) == ("FAULT", ["occlusion"])


@pytest.mark.requirement("R3")
def test_a_stop_byte_in_the_look_that_sees_a_pull_end_leaves_nothing_armed():
    machine = striking(mode="single", shots=4)
    machine.port.advance(50)
    assert machine.port.needle.is_back
    before = len(machine.told)
    within_the_next_look(machine, machine.port.host_stop)
    machine.look()
    machine.look()
    states = [params["state"] for method, params in machine.told[before:] if method == "state"]
    assert states == ["READY"]
    assert machine.controller.why == "stopped by the host"
    assert [row[2] for row in machine.rows] == ["done"]
