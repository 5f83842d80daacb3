"""A hand that lets go in the midst of a pull, and which press counts after that."""

import pytest
from situations import MODES, alarms, in_state, striking
from stand_ins import Machine


def to_the_strikes_end(machine: Machine) -> None:
    """Until the needle is back, with no look in between."""
    while not machine.port.finished:
        machine.port.advance(1)


def lift_and_touch_again(machine: Machine) -> None:
    """The trigger stays as it is."""
    machine.port.set("contact", 0)
    machine.run(40)
    machine.port.set("contact", 1)
    machine.run(150)


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("mode", sorted(set(MODES) - {"stamp"}))
def test_contact_that_is_lost_as_a_strike_ends_wants_a_fresh_press(mode: str):
    machine = striking(**{**MODES[mode], "shots": 4})
    to_the_strikes_end(machine)
    lift_and_touch_again(machine)
    assert [row[2] for row in machine.rows] == ["done"]
    assert machine.port.strikes == 1
    machine.pull(150)
    assert machine.port.strikes > 1


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("dose_nl", [1_000, 2])  # 2 nl are no step: such a stamp gives nothing
def test_a_stamp_that_is_lifted_as_it_ends_is_followed_by_the_next_with_the_same_press(
    dose_nl: int,
):
    machine = striking(mode="stamp", shots=4, dose_nl=dose_nl)
    to_the_strikes_end(machine)
    lift_and_touch_again(machine)
    assert [row[2] for row in machine.rows] == ["done", "done"]


@pytest.mark.requirement("R9", "R23")
def test_a_stamp_that_is_lifted_in_its_midst_wants_a_fresh_press():
    machine = striking(mode="stamp", shots=4)
    machine.port.advance(12)
    lift_and_touch_again(machine)
    assert [row[2] for row in machine.rows] == ["stopped"]
    assert machine.port.strikes == 1
    lift_and_touch_again(machine)
    assert machine.port.strikes == 1
    machine.port.set("contact", 0)
    machine.pull(150)
    assert machine.port.strikes == 2


@pytest.mark.requirement("R9", "R23")
def test_a_stamp_that_is_lifted_before_its_strike_begins_wants_a_fresh_press():
    machine = in_state("ARMED", mode="stamp", shots=4)
    watch = machine.port.watch

    def lifted_meanwhile(mask: int) -> None:
        machine.port.watch = watch
        machine.port.set("contact", 0)
        watch(mask)

    machine.port.watch = lifted_meanwhile
    machine.pull(60)
    assert (machine.state, machine.controller.why) == ("ARMED", "skin contact was lost")
    lift_and_touch_again(machine)
    assert (machine.port.strikes, alarms(machine)) == (0, [])
    machine.port.set("contact", 0)
    machine.pull(150)
    assert machine.port.strikes == 1


@pytest.mark.requirement("R9", "R23")
def test_a_trigger_that_is_let_go_as_a_stamp_ends_must_be_seen_released_for_as_long_as_ever():
    machine = striking(mode="stamp", shots=4)
    to_the_strikes_end(machine)
    machine.port.set("trigger", 0)
    machine.run(5)
    assert (machine.state, machine.controller.why) == ("ARMED", "the trigger was released")
    machine.port.set("trigger", 1)  # a bounce
    lift_and_touch_again(machine)
    assert machine.port.strikes == 1
    machine.port.set("contact", 0)
    machine.pull(150)
    assert machine.port.strikes == 2


@pytest.mark.requirement("R7", "R24")
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_the_strike_that_no_interrupt_has_stopped_is_told_with_what_it_gave(hand: str):
    machine = striking()
    machine.run(18)
    machine.port.set("deaf", True)
    machine.port.set(hand, 0)
    machine.run(15)
    assert (machine.state, alarms(machine)) == ("FAULT", ["selftest"])
    ((_, _, outcome, dose_nl, _, steps, *_, why),) = machine.rows
    assert outcome == "stopped"
    assert steps == machine.port.pushed > 0
    assert dose_nl == machine.job.meter.nl(steps)
    assert len(why) >= 15  # a row has no room for more
    assert "the chip did not notice that it was let go".startswith(why)
