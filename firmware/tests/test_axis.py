"""An axis knows where its driven part is, against a simulation of a screw with play."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from injector.axis import Axis

PLAY_UM = st.integers(0, 100)
# (forward, how far the driven part is to go, what part in a hundred of it is really made)
TURNS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 500), st.just(100) | st.integers(0, 100)), max_size=25
)


class Screw:
    """A nut on a screw with play: it moves when a flank touches it, and only then."""

    def __init__(self, play: int):
        self.play = play
        self.motor = 0
        self.nut = 0  # the flanks touch at motor = nut (backward) and motor = nut + play (forward)

    def step(self, forward: bool) -> None:
        self.motor += 1 if forward else -1
        self.nut = max(self.motor - self.play, min(self.nut, self.motor))


@pytest.mark.requirement("R11")
@given(PLAY_UM, TURNS)
def test_the_position_is_the_nuts_whatever_the_turns_and_stops(
    play_um: int, turns: list[tuple[bool, int, int]]
):
    axis = Axis("plunger", 3_200, play_um)
    axis.set_home()
    screw = Screw(axis.backlash_steps)
    for forward, distance, percent in turns:
        wanted = distance + axis.turn(forward)
        made = wanted * percent // 100
        before = screw.nut
        for _ in range(made):
            screw.step(forward)
        assert axis.moved(made) == abs(screw.nut - before)
        assert axis.position == screw.nut
        if percent == 100:
            assert abs(screw.nut - before) == distance


@given(PLAY_UM, st.lists(st.booleans(), max_size=10))
def test_choosing_directions_without_moving_changes_nothing(play_um: int, choices: list[bool]):
    axis = Axis("depth", 6_400, play_um)
    axis.set_home()
    for forward in choices:
        axis.turn(forward)
    assert axis.position == 0
    assert axis.turn(True) == axis.backlash_steps
    assert axis.turn(False) == 0


@pytest.mark.requirement("R11")
def test_home_is_zero_with_the_backward_flank_touching():
    axis = Axis("depth", 6_400, 20)
    axis.turn(True)
    axis.moved(1_000)
    assert not axis.homed
    axis.set_home()
    assert (axis.homed, axis.position, axis.forward) == (True, 0, False)
    assert axis.turn(False) == 0


def test_home_forgets_slack_that_was_being_taken_up():
    axis = Axis("depth", 6_400, 20)
    axis.set_home()
    axis.turn(True)
    axis.moved(50)
    axis.set_home()
    assert axis.turn(True) == axis.backlash_steps


@given(st.integers(100, 12_800), st.integers(-100_000, 100_000))
def test_lengths_and_steps_convert_to_the_nearest(steps_per_mm: int, length: int):
    axis = Axis("plunger", steps_per_mm, 0)
    half = Fraction(1, 2)
    assert abs(axis.steps_at(length) - Fraction(length * steps_per_mm, 1_000)) <= half
    assert abs(axis.um_at(length) - Fraction(length * 1_000, steps_per_mm)) <= half


def test_an_axis_knows_nothing_before_it_was_home():
    axis = Axis("depth", 6_400, 20)
    assert (axis.position, axis.homed, axis.forward) == (0, False, False)
    assert axis.turn(False) == 0
    axis.set_home()
    assert (axis.position, axis.homed, axis.forward) == (0, True, False)


def test_lengths_and_steps_are_rounded_to_the_nearest_and_halves_up():
    axis = Axis("any", 500, 100_000)  # 2 µm a step
    assert axis.backlash_steps == 50_000
    assert [axis.steps_at(um) for um in (0, 1, 2, 3, 4, 1_000_001)] == [0, 1, 1, 2, 2, 500_001]
    fine = Axis("any", 2_000, 0)  # half a µm a step
    assert [fine.um_at(steps) for steps in (0, 1, 2, 3, 2_000_000)] == [0, 1, 1, 2, 1_000_000]
