"""One axis at a time: homing, positioning, and what stops them."""

from collections.abc import Iterator
from itertools import pairwise

import drives
import pytest
from stand_ins import DEPTH, HZ, PLUNGER, Machine, Pulses

from injector.errors import Trouble
from injector.limits import RAIL_UP_MS
from injector.motion import Move
from injector.travel import Interrupted, power_up

BACK_OFF_UM, SLOW_UM_S = drives.HOME_BACK_OFF_UM, drives.HOME_SLOW_UM_S


class Bench:
    """The drive of one axis, with the rail on."""

    def __init__(self, number: int):
        self.machine = Machine()
        self.port = self.machine.port
        self.drive = self.machine.drives[0 if number == PLUNGER else 1]
        self.axis = self.drive.axis
        self.mechanics = drives.PLUNGER if number == PLUNGER else drives.DEPTH
        self.number = number
        self.moves: list[tuple[bool, int]] = []  # (forward, shortest interval in counts)
        self._start_axis = self.port.start_axis
        self.port.start_axis = self._note
        self.port.hold_rail()
        self.port.advance(10)

    def _note(self, number: int, forward: bool, move: Move) -> None:
        self._start_axis(number, forward, move)
        if not self.port.stopped:
            between = [(b - a) // 2 for a, b in pairwise(Pulses(move.words).ticks())]
            self.moves.append((forward, min(between, default=0)))

    def carry_out(self, activity: Iterator[None], at_most_ms: int = 30_000) -> None:
        for _ in activity:
            self.port.hold_rail()
            self.port.advance(1)
            at_most_ms -= 1
            assert at_most_ms > 0, "the move does not end"

    def home(self) -> None:
        self.carry_out(self.drive.home(BACK_OFF_UM, SLOW_UM_S))


@pytest.fixture(params=[PLUNGER, DEPTH], ids=["plunger", "depth"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("start_um", [0, 10, 5_000])
def test_homing_ends_at_the_switch_wherever_it_begins(bench: Bench, start_um: int):
    bench.port.at[bench.number] = bench.axis.steps_at(start_um)
    bench.home()
    assert (bench.axis.homed, bench.axis.position) == (True, 0)
    slowly_in_a_ms = SLOW_UM_S * bench.axis.steps_per_mm // 1_000_000 + 1
    assert -slowly_in_a_ms <= bench.port.at[bench.number] <= 0


def test_the_last_approach_to_the_switch_is_the_slow_one(bench: Bench):
    bench.home()
    forward, shortest = bench.moves[-1]
    assert not forward
    assert shortest >= HZ * 1_000 // (SLOW_UM_S * bench.axis.steps_per_mm)


def test_no_move_is_faster_than_the_axis_may_be(bench: Bench):
    bench.home()
    bench.carry_out(bench.drive.go_to(bench.axis.steps_at(9_000)))
    fastest_steps_s = bench.mechanics.limits.speed_steps_s
    assert len(bench.moves) == 4
    assert all(shortest * fastest_steps_s >= HZ for _, shortest in bench.moves if shortest)


@pytest.mark.requirement("R11")
def test_a_switch_that_never_closes_is_told_after_the_whole_travel(bench: Bench):
    travel_um = bench.mechanics.travel_um
    start = 2 * bench.axis.steps_at(travel_um)
    bench.port.at[bench.number] = start
    with pytest.raises(Trouble, match=bench.axis.name) as caught:
        bench.home()
    assert caught.value.code == "home_missing"
    assert not bench.axis.homed
    assert start - bench.port.at[bench.number] == bench.axis.steps_at(travel_um)


@pytest.mark.requirement("R11")
def test_a_switch_that_stays_closed_is_told_after_one_back_off(bench: Bench):
    bench.port.at[bench.number] = -10_000
    with pytest.raises(Trouble, match=bench.axis.name) as caught:
        bench.home()
    assert caught.value.code == "home_stuck"
    assert not bench.axis.homed
    assert [forward for forward, _ in bench.moves] == [True]


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("input", ["guard", "stop", "supply", "open"])
@pytest.mark.parametrize("after_ms", [1, 100, 650])
def test_what_must_hold_stops_homing_and_the_place_is_lost(
    bench: Bench, input: str, after_ms: int
):
    activity = bench.drive.home(BACK_OFF_UM, SLOW_UM_S)
    bench.port.at[bench.number] = bench.axis.steps_at(5_000)
    for _ in range(after_ms):
        next(activity)
        bench.port.hold_rail()
        bench.port.advance(1)
    bench.port.set(input, 0)
    at = bench.port.at[bench.number]
    with pytest.raises(Interrupted):
        bench.carry_out(activity)
    assert bench.port.at[bench.number] == at
    assert not bench.axis.homed


@pytest.mark.requirement("R11")
def test_a_guard_that_opens_as_the_switch_closes_makes_no_home(bench: Bench):
    activity = bench.drive.home(BACK_OFF_UM, SLOW_UM_S)
    next(activity)
    bench.port.at[bench.number] = 0
    bench.port.set("guard", 0)
    bench.port.set("guard", 1)
    with pytest.raises(Interrupted):
        bench.carry_out(activity)
    assert not bench.axis.homed


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("input", ["guard", "stop", "supply", "open"])
def test_what_must_hold_stops_a_move_and_the_place_is_lost(bench: Bench, input: str):
    bench.home()
    activity = bench.drive.go_by(10_000, 2_000)
    next(activity)
    bench.port.advance(50)
    bench.port.set(input, 0)
    with pytest.raises(Interrupted):
        bench.carry_out(activity)
    assert not bench.axis.homed


@pytest.mark.parametrize("input", ["guard", "stop", "supply", "open"])
def test_what_is_missing_before_a_move_lets_none_begin(bench: Bench, input: str):
    bench.home()
    at = bench.port.at[bench.number]
    bench.port.set(input, 0)
    with pytest.raises(Interrupted):
        bench.carry_out(bench.drive.go_by(100, 2_000))
    assert bench.port.at[bench.number] == at


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("wanted", [[1_000, 400, 2_000], [5, 4, 6, 6, 0]])
def test_the_driven_part_reaches_each_place_with_the_backlash_taken_up(
    bench: Bench, wanted: list[int]
):
    bench.home()
    home = bench.port.at[bench.number]
    for steps in wanted:
        bench.carry_out(bench.drive.go_to(steps))
        assert bench.axis.position == steps
        backlash = bench.axis.backlash_steps if bench.axis.forward else 0
        assert bench.port.at[bench.number] - home == steps + backlash


@pytest.mark.parametrize("steps", [1, 2, 30, 2_000])
def test_a_way_too_short_for_the_speed_is_made_at_what_it_has_room_for(bench: Bench, steps: int):
    bench.home()
    bench.carry_out(bench.drive.go_to(steps))
    assert bench.axis.position == steps


def test_a_ramp_to_full_speed_is_worked_out_once(bench: Bench):
    full = bench.drive.ramp(bench.drive.speed_um_s, 10**6)
    assert bench.drive.ramp(bench.drive.speed_um_s, full.least_steps) is full
    shorter = bench.drive.ramp(bench.drive.speed_um_s, full.least_steps - 1)
    assert shorter.least_steps < full.least_steps


def test_to_go_nowhere_starts_nothing(bench: Bench):
    bench.home()
    before = len(bench.moves)
    bench.carry_out(bench.drive.go_to(0))
    assert len(bench.moves) == before


def test_the_rail_is_waited_for_and_told_when_it_stays_away():
    machine = Machine()
    port = machine.port
    port.set("supply", 0)

    def wait() -> None:
        for _ in power_up(port, machine.inputs, lambda: port.now_ms):
            port.advance(1)
            machine.inputs.poll(port.now_ms)

    with pytest.raises(Trouble) as caught:
        wait()
    assert caught.value.code == "rail_dead"
    assert RAIL_UP_MS < port.now_ms <= RAIL_UP_MS + 2
    port.set("supply", 1)
    before = port.now_ms
    wait()
    assert port.now_ms - before < RAIL_UP_MS


@pytest.mark.requirement("R18")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("stop", "the stop was pulled"),
        ("guard", "the guard was opened"),
        ("interlock", "the interlock line fell"),
    ],
)
def test_one_input_that_falls_alone_ends_the_wait_for_the_rail(name: str, why: str):
    machine = Machine()
    port = machine.port
    port.set("supply", 0)
    machine.inputs.poll(port.now_ms)
    waiting = power_up(port, machine.inputs, lambda: port.now_ms)
    next(waiting)
    machine.inputs.now &= ~machine.inputs.masks[name]
    with pytest.raises(Interrupted) as caught:
        next(waiting)
    assert str(caught.value) == why


@pytest.mark.requirement("R22")
def test_all_moves_of_both_axes_are_written_into_the_same_room():
    """Later there may be no place in memory for so many words in a row."""
    machine = Machine().boot()
    rooms: list[object] = []
    axes: set[int] = set()
    start_axis = machine.port.start_axis

    def note(number: int, forward: bool, move: Move) -> None:
        axes.add(number)
        rooms.append(move.words.obj)
        start_axis(number, forward, move)

    machine.port.start_axis = note
    machine.make_ready()
    assert {id(room) for room in rooms} == {id(rooms[0])}
    assert axes == {PLUNGER, DEPTH}
