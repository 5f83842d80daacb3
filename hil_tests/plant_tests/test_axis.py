import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant.axis import Axis, AxisSpec

STEP_NS = 20_000.0


class Driven:
    """An axis with its supply on, and a switch that writes down what it says."""

    def __init__(self, **figures: float):
        spec = {"lead_mm": 1.0, "max_mm": 20.0, "initial_mm": 10.0, **figures}
        self.spec = AxisSpec(**spec)  # type: ignore[arg-type]
        self.home_changes: list[tuple[bool, float]] = []
        self.axis = Axis(self.spec, lambda home, ns: self.home_changes.append((home, ns)))
        self.axis.powered = True
        self.now_ns = 0.0

    def run(self, steps: int, interval_ns: float = STEP_NS) -> None:
        for _ in range(abs(steps)):
            self.now_ns += interval_ns
            self.axis.step(int(steps > 0), self.now_ns)


def test_a_turn_of_the_screw_moves_the_nut_by_its_lead():
    driven = Driven(lead_mm=0.5, backlash_mm=0.0)
    driven.run(3200)
    assert driven.axis.position_mm == pytest.approx(10.5, abs=1e-9)


@given(
    st.lists(st.integers(-200, 200), max_size=12),
    st.floats(0.0, 0.05),
)
def test_a_mirrored_journey_ends_at_the_mirrored_place(moves: list[int], backlash_mm: float):
    there, mirrored = Driven(backlash_mm=backlash_mm), Driven(backlash_mm=backlash_mm)
    for steps in moves:
        there.run(steps)
        mirrored.run(-steps)
        assert there.axis.position_mm - 10 == pytest.approx(
            10 - mirrored.axis.position_mm, abs=1e-9
        )


@given(st.integers(100, 1000), st.integers(1, 1000), st.floats(0.0, 0.03))
def test_after_a_reversal_the_nut_waits_for_the_whole_backlash(
    out: int, back: int, backlash_mm: float
):
    driven = Driven(backlash_mm=backlash_mm)
    driven.run(out)
    turned_mm = driven.axis.position_mm
    driven.run(-back)
    moved_mm = max(0.0, back / driven.spec.steps_per_mm - backlash_mm)
    assert turned_mm - driven.axis.position_mm == pytest.approx(moved_mm, abs=1e-9)


@pytest.mark.parametrize(("steps", "end_mm"), [(200, 10.05), (-200, 9.95)])
def test_steps_against_a_hard_stop_are_lost_and_counted(steps: int, end_mm: float):
    driven = Driven(min_mm=9.95, max_mm=10.05, backlash_mm=0.0)
    driven.run(steps)
    assert driven.axis.position_mm == pytest.approx(end_mm, abs=1e-9)
    assert driven.axis.lost_steps == 40
    driven.run(-steps // 2)  # the screw turns back at once: the lost steps are not owed
    assert driven.axis.position_mm == pytest.approx(end_mm - steps / 2 / 3200, abs=1e-9)


def test_nothing_moves_without_supply():
    driven = Driven()
    driven.axis.powered = False
    driven.run(50)
    assert driven.axis.position_mm == 10.0
    assert driven.axis.unpowered_steps == 50


def test_steps_past_pull_out_are_lost():
    driven = Driven(max_step_hz=10_000.0, backlash_mm=0.0)
    driven.run(10, interval_ns=100_000.0)
    assert driven.axis.lost_steps == 0
    driven.run(10, interval_ns=99_000.0)
    assert driven.axis.lost_steps == 10
    assert driven.axis.position_mm == pytest.approx(10 + 10 / 3200)


def test_the_home_switch_changes_where_the_nut_passes_it():
    driven = Driven(initial_mm=0.01, backlash_mm=0.0)
    driven.run(-40)
    driven.run(40)
    assert driven.home_changes == [(True, 32 * STEP_NS), (False, (40 + 9) * STEP_NS)]


@pytest.mark.parametrize(
    "figures",
    [
        {"lead_mm": 0.0},
        {"backlash_mm": -0.01},
        {"initial_mm": 20.1},
    ],
)
def test_an_axis_that_cannot_be_is_refused(figures: dict[str, float]):
    with pytest.raises(MesodriveError):
        Driven(**figures)
