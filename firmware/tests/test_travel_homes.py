"""How far an axis looks for its home switch, and what it takes for home."""

from collections.abc import Iterator

import drives
import pytest
from stand_ins import DEPTH, HZ, Machine

from injector.errors import Trouble
from injector.travel import Drive, Interrupted

pytestmark = pytest.mark.requirement("R11")

BACK_OFF_UM, SLOW_UM_S = drives.HOME_BACK_OFF_UM, drives.HOME_SLOW_UM_S


def bench() -> tuple[Machine, Drive]:
    """A machine with the rail on, and the drive of its depth."""
    machine = Machine()
    machine.port.hold_rail()
    machine.port.advance(10)
    return machine, machine.drives[1]


def carry_out(machine: Machine, activity: Iterator[None]) -> None:
    for _ in activity:
        machine.port.hold_rail()
        machine.port.advance(1)


def bounce(machine: Machine, times: int) -> list[int]:
    """The depth's switch closes so often, 500 steps apart, and opens when the axis has stopped;
    where it did."""
    port, mask = machine.port, machine.inputs.masks["depth_home"]
    read, at = port.read, port.at[DEPTH]
    seen: list[int] = []

    def read_bouncing() -> int:
        if len(seen) == times or port.at[DEPTH] > at - 500 * (len(seen) + 1):
            return read()
        if port.stopped:
            seen.append(port.at[DEPTH])
            return read()
        return read() & ~mask

    port.read = read_bouncing
    return seen


@pytest.mark.parametrize("times", [1, 3])
def test_a_switch_that_bounces_up_to_three_times_on_the_way_is_passed_by(times: int):
    machine, drive = bench()
    seen = bounce(machine, times)
    carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    assert len(seen) == times
    assert drive.axis.homed
    assert machine.port.at[DEPTH] <= 0


def test_a_switch_that_bounces_a_fourth_time_is_told():
    machine, drive = bench()
    seen = bounce(machine, 4)
    with pytest.raises(Trouble, match="does not keep saying") as caught:
        carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    assert caught.value.code == "home_stuck"
    assert len(seen) == 4
    assert not drive.axis.homed


def test_a_bounce_at_the_very_end_of_the_way_leaves_one_step_more():
    machine, drive = bench()
    start = machine.port.at[DEPTH]
    drive.travel_steps = 500
    bounce(machine, 1)
    with pytest.raises(Trouble) as caught:
        carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    assert caught.value.code == "home_missing"
    assert start - machine.port.at[DEPTH] == 501


def test_the_slow_approach_goes_twice_as_far_as_the_axis_backed_off_and_no_further():
    machine, drive = bench()
    port, axis = machine.port, drive.axis
    begun: list[int] = []
    start_axis = port.start_axis

    def start(number: int, forward: bool, move: object) -> None:
        begun.append(port.at[DEPTH])
        if len(begun) == 3:
            port.at[DEPTH] += 100_000  # the switch is out of reach all at once
        start_axis(number, forward, move)

    port.start_axis = start
    with pytest.raises(Trouble) as caught:
        carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    assert caught.value.code == "home_missing"
    gone = begun[2] + 100_000 - port.at[DEPTH]
    assert gone == 2 * axis.steps_at(BACK_OFF_UM) + axis.backlash_steps


def test_an_axis_that_looks_for_home_again_does_not_know_its_place_meanwhile():
    machine, drive = bench()
    carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    carry_out(machine, drive.go_to(3_000))
    assert drive.axis.homed
    again = drive.home(BACK_OFF_UM, SLOW_UM_S)
    next(again)
    assert not drive.axis.homed
    machine.port.set("guard", 0)
    with pytest.raises(Interrupted):
        carry_out(machine, again)
    assert not drive.axis.homed


@pytest.mark.parametrize(("um_s", "steps_s"), [(0, 1), (1, 6), (500, 3_200), (2_999, 19_193)])
def test_a_speed_in_um_is_made_in_steps_and_is_never_less_than_one(um_s: int, steps_s: int):
    _, drive = bench()
    assert drive.axis.steps_per_mm == 6_400
    assert drive.ramp(um_s, 10**6).interval == -(-HZ // steps_s)


@pytest.mark.parametrize(
    ("looks", "home"),
    [
        ((True, True, True), True),
        ((False, True, True), True),
        ((True, False, True), False),
        ((True, True, False), False),
        ((True, False, False), False),
    ],
)
def test_a_switch_is_home_when_it_is_closed_at_both_looks_after_the_stop(
    looks: tuple[bool, ...], home: bool
):
    machine, drive = bench()
    port, mask = machine.port, machine.inputs.masks["depth_home"]
    read, start_axis = port.read, port.start_axis
    closed = False
    begun: list[bool] = []

    def start(number: int, forward: bool, move: object) -> None:
        begun.append(forward)
        start_axis(number, forward, move)

    port.read = lambda: read() & ~mask if closed else read()
    port.start_axis = start
    activity = drive.home(BACK_OFF_UM, SLOW_UM_S)
    next(activity)
    port.advance(50)
    closed = True
    port.advance(1)
    assert port.stopped
    for closed in looks:  # noqa: B007  # the port reads it
        next(activity)
    closed = False
    assert begun == [False, home]


def test_a_switch_that_sticks_once_it_was_found_is_told_after_the_back_off():
    machine, drive = bench()
    port, mask = machine.port, machine.inputs.masks["depth_home"]
    read, start_axis = port.read, port.start_axis
    begun: list[bool] = []

    def start(number: int, forward: bool, move: object) -> None:
        begun.append(forward)
        start_axis(number, forward, move)

    port.read = lambda: read() & ~mask if True in begun else read()
    port.start_axis = start
    with pytest.raises(Trouble, match="still says home") as caught:
        carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    assert caught.value.code == "home_stuck"
    assert begun == [False, True]
    assert not drive.axis.homed


# what is told of a home switch while its axis stands


def look(machine: Machine, *, says_home: bool) -> None:
    machine.inputs.poll(machine.port.now_ms)
    if says_home:
        machine.inputs.now &= ~machine.inputs.masks["depth_home"]


@pytest.mark.parametrize("homed", [True, False])
def test_a_switch_that_says_home_is_told_only_where_the_axis_knows_its_place(homed: bool):
    machine, drive = bench()
    carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    carry_out(machine, drive.go_to(3_000))
    look(machine, says_home=False)
    assert drive.astray is None
    look(machine, says_home=True)
    drive.axis.homed = homed
    assert (drive.astray is not None) == homed


def test_a_switch_may_say_home_as_far_out_as_homing_backs_off():
    machine, drive = bench()
    carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    carry_out(machine, drive.go_to(drive.axis.steps_at(BACK_OFF_UM)))
    look(machine, says_home=True)
    assert drive.astray is None
    carry_out(machine, drive.go_by(1, SLOW_UM_S))
    look(machine, says_home=True)
    assert drive.astray is not None


def test_a_switch_that_says_home_while_its_axis_comes_back_is_right():
    machine, drive = bench()
    carry_out(machine, drive.home(BACK_OFF_UM, SLOW_UM_S))
    carry_out(machine, drive.go_to(3_000))
    back = drive.go_to(0)
    next(back)
    look(machine, says_home=True)
    assert drive.astray is None


@pytest.mark.parametrize(("apart_um", "homed"), [(50, True), (51, False)])
def test_the_two_approaches_may_find_home_50_um_apart(apart_um: int, homed: bool):
    machine, drive = bench()
    drive.axis.steps_per_mm = 1_000
    drive.axis.backlash_steps = 0
    port, start_axis = machine.port, machine.port.start_axis
    begun: list[int] = []

    def start(number: int, forward: bool, move: object) -> None:
        begun.append(port.at[DEPTH])
        if len(begun) == 3:  # the slow approach: its way to the switch is longer now
            port.at[DEPTH] += apart_um - begun[1]  # the fast one came so far past it
        start_axis(number, forward, move)

    port.start_axis = start
    homing = drive.home(BACK_OFF_UM, SLOW_UM_S)
    if homed:
        carry_out(machine, homing)
    else:
        with pytest.raises(Trouble, match=f"two places, {apart_um} um apart"):
            carry_out(machine, homing)
    assert drive.axis.homed == homed
