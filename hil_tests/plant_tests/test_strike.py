"""The actuator alone: clearance 1 mm, the stop at 3 mm of travel, so 2 mm deep; times in ms."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant.clock import ManualClock
from mesodrive_rig.plant.strike import NeedleEvent, NeedleState, StrikeActuator, StrikeSpec

MS = 1e6
STOP_MM, SURFACE_MM = 3.0, 1.0
COIL, SPRING = 1.3, 1.0  # mm/ms², which is 1000 m/s²
PULL_IN_MS = 0.2
TRAVEL_MS = math.sqrt(2 * STOP_MM / COIL)
RETURN_MS = math.sqrt(2 * STOP_MM / SPRING)
E = NeedleEvent


class Driven:
    """A powered actuator whose lines a test moves at a time in ms, and what it reported."""

    def __init__(self, surface_mm: float = SURFACE_MM):
        self.clock = ManualClock()
        self.events: list[tuple[NeedleEvent, float]] = []
        self.needle = StrikeActuator(
            StrikeSpec(),
            self.clock,
            STOP_MM,
            surface_mm,
            lambda event, ns: self.events.append((event, ns / MS)),
        )
        self.needle.set_powered(True, 0.0)

    def until(self, ms: float) -> float:
        self.clock.run_until(ms * MS)
        return self.clock.now_ns()

    def pulse(self, on_ms: float, off_ms: float, peak_ms: float = 3.0) -> None:
        self.needle.set_strike(True, self.until(on_ms))
        self.needle.set_peak(True, self.clock.now_ns())
        self.needle.set_peak(False, self.until(min(on_ms + peak_ms, off_ms)))
        self.needle.set_strike(False, self.until(off_ms))

    def time_of(self, event: NeedleEvent) -> float:
        (time_ms,) = [time_ms for seen, time_ms in self.events if seen is event]
        return time_ms

    def kinds(self) -> list[NeedleEvent]:
        return [event for event, _ in self.events]


def test_a_strike_takes_pull_in_travel_and_return_times():
    driven = Driven()
    driven.pulse(10.0, 60.0)
    driven.until(200.0)
    expected = [
        (E.LEFT_BACK, 10.2),
        (E.ENTERED_SKIN, 10.2 + math.sqrt(2 * 1.0 / 1.3)),  # t = √(2 s / a)
        (E.REACHED_STOP, 10.2 + math.sqrt(2 * 3.0 / 1.3)),
        (E.RELEASED, 60.0),
        (E.LEFT_STOP, 60.0),
        (E.LEFT_SKIN, 60 + math.sqrt(2 * 2.0 / 1.0)),
        (E.REACHED_BACK, 60 + math.sqrt(2 * 3.0 / 1.0)),
    ]
    assert driven.kinds() == [event for event, _ in expected]
    assert [ms for _, ms in driven.events] == pytest.approx([ms for _, ms in expected])
    assert driven.needle.max_depth_mm == pytest.approx(2.0)
    assert driven.needle.state is NeedleState.BACK


@given(st.floats(0.1, 9.0))
def test_a_stroke_takes_the_root_of_twice_its_length_over_the_acceleration(stop_mm: float):
    driven = Driven()
    driven.needle.set_stop(stop_mm, 0.0)
    driven.pulse(0.0, 60.0)
    driven.until(200.0)
    out_ms = driven.time_of(E.REACHED_STOP) - driven.time_of(E.LEFT_BACK)
    back_ms = driven.time_of(E.REACHED_BACK) - driven.time_of(E.LEFT_STOP)
    assert out_ms == pytest.approx(math.sqrt(2 * stop_mm / 1.3), abs=1e-9)
    assert back_ms == pytest.approx(math.sqrt(2 * stop_mm / 1.0), abs=1e-9)


@given(st.floats(0.0, TRAVEL_MS), st.floats(0.0, RETURN_MS))
def test_the_tip_moves_on_a_parabola_each_way(out_ms: float, back_ms: float):
    driven = Driven()
    driven.pulse(0.0, 60.0)
    way_out = Driven()
    way_out.needle.set_strike(True, 0.0)
    way_out.needle.set_peak(True, 0.0)
    assert way_out.needle.x_mm(way_out.until(PULL_IN_MS + out_ms)) == pytest.approx(
        COIL * out_ms**2 / 2, abs=1e-9
    )
    assert driven.needle.x_mm(driven.until(60 + back_ms)) == pytest.approx(
        STOP_MM - SPRING * back_ms**2 / 2, abs=1e-9
    )


@pytest.mark.parametrize(("peak_ms", "strikes"), [(0.199, 0), (0.2, 1), (0.201, 1)])
def test_the_needle_leaves_home_only_after_the_whole_pull_in(peak_ms: float, strikes: int):
    driven = Driven()
    driven.pulse(0.0, 50.0, peak_ms)
    driven.until(100.0)
    assert driven.kinds().count(E.LEFT_BACK) == strikes
    assert driven.kinds().count(E.REACHED_STOP) == strikes


def test_two_short_peaks_do_not_add_up():
    driven = Driven()
    driven.needle.set_strike(True, 0.0)
    for start_ms in (1.0, 2.0):
        driven.needle.set_peak(True, driven.until(start_ms))
        driven.needle.set_peak(False, driven.until(start_ms + 0.15))
    driven.until(50.0)
    assert driven.events == []


def test_without_supply_no_strike_starts():
    driven = Driven()
    driven.needle.set_powered(False, 0.0)
    driven.pulse(1.0, 50.0)
    driven.until(100.0)
    assert driven.events == []


def test_losing_the_supply_sends_the_needle_home_and_it_stays_there():
    driven = Driven()
    driven.needle.set_strike(True, driven.until(0.0))
    driven.needle.set_peak(True, 0.0)
    driven.needle.set_peak(False, driven.until(3.0))
    driven.needle.set_powered(False, driven.until(30.0))
    driven.needle.set_powered(True, driven.until(35.0))  # STRIKE still on, but no new peak
    driven.until(100.0)
    assert driven.time_of(E.RELEASED) == 30.0
    assert driven.time_of(E.REACHED_BACK) == pytest.approx(30 + RETURN_MS)
    assert driven.kinds().count(E.LEFT_BACK) == 1


def apex_mm(pulled_ms: float) -> float:
    """How far a needle would fly that is pulled for so long and then let go."""
    return COIL * pulled_ms**2 / 2 + (COIL * pulled_ms) ** 2 / (2 * SPRING)


def test_a_release_on_the_way_out_turns_the_needle_at_its_apex():
    driven = Driven()
    driven.pulse(0.0, PULL_IN_MS + 1.8)
    driven.until(100.0)
    assert COIL * 1.8**2 / 2 < STOP_MM < apex_mm(1.8)
    assert E.REACHED_STOP in driven.kinds()  # it still touches the stop, and goes home from there
    assert driven.needle.max_depth_mm == pytest.approx(2.0)

    short = Driven()
    short.pulse(0.0, PULL_IN_MS + 1.0)
    short.until(100.0)
    assert SURFACE_MM < apex_mm(1.0) < STOP_MM
    assert short.kinds() == [
        E.LEFT_BACK,
        E.RELEASED,
        E.ENTERED_SKIN,
        E.LEFT_SKIN,
        E.REACHED_BACK,
    ]
    assert short.needle.max_depth_mm == pytest.approx(apex_mm(1.0) - SURFACE_MM)


def test_a_new_pulse_on_the_way_home_drives_the_needle_out_again():
    driven = Driven()
    driven.pulse(0.0, 30.0)
    driven.pulse(31.0, 70.0)
    driven.until(100.0)
    assert driven.kinds().count(E.REACHED_STOP) == 2
    assert driven.kinds().count(E.LEFT_BACK) == driven.kinds().count(E.REACHED_BACK) == 1
    assert driven.kinds().count(E.ENTERED_SKIN) == driven.kinds().count(E.LEFT_SKIN)


def test_a_misfire_moves_nothing_and_the_next_strike_is_sound():
    driven = Driven()
    driven.needle.set_misfiring(True, 0.0)
    driven.pulse(0.0, 30.0)
    assert driven.events == []
    driven.needle.set_misfiring(False, driven.until(40.0))
    driven.pulse(50.0, 90.0)
    assert driven.time_of(E.REACHED_STOP) == pytest.approx(50 + PULL_IN_MS + TRAVEL_MS)


def test_a_sticking_needle_stays_out_until_it_is_freed():
    driven = Driven()
    driven.needle.set_sticking(True, 0.0)
    driven.pulse(0.0, 30.0)
    driven.until(500.0)
    assert driven.needle.state is NeedleState.OUT
    assert driven.needle.in_skin
    driven.needle.set_sticking(False, 500 * MS)
    driven.until(600.0)
    assert driven.time_of(E.REACHED_BACK) == pytest.approx(500 + RETURN_MS)


def test_without_skin_nothing_is_pierced():
    driven = Driven(surface_mm=math.inf)
    driven.pulse(0.0, 30.0)
    driven.until(100.0)
    assert not {E.ENTERED_SKIN, E.LEFT_SKIN} & set(driven.kinds())
    assert driven.needle.max_depth_mm < 0


def test_skin_that_leaves_an_out_needle_is_left_at_that_moment():
    driven = Driven()
    driven.needle.set_strike(True, 0.0)
    driven.needle.set_peak(True, 0.0)
    driven.needle.set_surface(math.inf, driven.until(20.0))
    driven.needle.set_surface(SURFACE_MM - 0.5, driven.until(25.0))
    driven.needle.set_strike(False, driven.until(30.0))
    driven.until(100.0)
    crossings = [(e, ms) for e, ms in driven.events if e in (E.ENTERED_SKIN, E.LEFT_SKIN)]
    assert [event for event, _ in crossings] == [E.ENTERED_SKIN, E.LEFT_SKIN] * 2
    assert [ms for _, ms in crossings[1:3]] == [20.0, 25.0]
    assert driven.needle.max_depth_mm == pytest.approx(2.5)


def test_an_out_needle_goes_along_with_the_depth_stop():
    driven = Driven()
    driven.needle.set_strike(True, 0.0)
    driven.needle.set_peak(True, 0.0)
    driven.needle.set_stop(3.3, driven.until(20.0))
    assert driven.needle.x_mm(driven.until(21.0)) == pytest.approx(3.3)
    driven.needle.set_stop(0.8, driven.until(22.0))
    assert not driven.needle.in_skin
    assert driven.needle.max_depth_until(driven.until(23.0)) == pytest.approx(2.3)


def test_a_stop_at_the_back_stop_holds_the_needle_until_it_moves_on():
    driven = Driven()
    driven.needle.set_stop(StrikeSpec().stop_mm(-0.5), 0.0)
    driven.needle.set_strike(True, 0.0)
    driven.needle.set_peak(True, 0.0)
    driven.until(20.0)
    assert driven.events == []
    driven.needle.set_stop(0.65, driven.until(20.0))
    driven.until(30.0)
    assert driven.kinds() == [E.LEFT_BACK, E.REACHED_STOP]
    assert driven.time_of(E.REACHED_STOP) == pytest.approx(21.0)  # √(2 · 0.65 / 1.3)


@given(st.lists(st.floats(0.02, 4.0), min_size=1, max_size=20))
def test_a_clock_that_calls_late_changes_no_event(gaps_ms: list[float]):
    prompt, late = Driven(), Driven()
    now_ms = 0.0
    for number, gap_ms in enumerate(gaps_ms):
        now_ms += gap_ms
        level = number % 2 == 0
        prompt.until(now_ms)  # late's clock stands still, so that only the edges drive it
        for driven in (prompt, late):
            driven.needle.set_strike(level, now_ms * MS)
            driven.needle.set_peak(level, now_ms * MS)
    prompt.needle.catch_up((now_ms + 100) * MS)
    late.needle.catch_up((now_ms + 100) * MS)
    assert late.kinds() == prompt.kinds()
    assert [ms for _, ms in late.events] == [ms for _, ms in prompt.events]
    assert [ms for _, ms in late.events] == sorted(ms for _, ms in late.events)
    assert late.needle.state is prompt.needle.state


@given(st.lists(st.floats(0.02, 4.0), min_size=1, max_size=30))
def test_whatever_the_pulses_the_needle_stays_between_its_stops_and_reports_in_pairs(
    gaps_ms: list[float],
):
    driven = Driven()
    now_ms = 0.0
    for number, gap_ms in enumerate(gaps_ms):
        now_ms += gap_ms
        driven.until(now_ms)
        driven.needle.set_strike(number % 2 == 0, now_ms * MS)
        driven.needle.set_peak(number % 2 == 0, now_ms * MS)
        assert -1e-9 <= driven.needle.x_mm(now_ms * MS) <= STOP_MM + 1e-9
    driven.needle.set_strike(False, driven.until(now_ms + 1))
    driven.until(now_ms + 100)
    for enter, leave in (
        (E.LEFT_BACK, E.REACHED_BACK),
        (E.ENTERED_SKIN, E.LEFT_SKIN),
        (E.REACHED_STOP, E.LEFT_STOP),
    ):
        pairs = [event for event in driven.kinds() if event in (enter, leave)]
        assert pairs == [enter, leave] * (len(pairs) // 2)
    assert driven.needle.state is NeedleState.BACK


@pytest.mark.parametrize(
    "spec",
    [{"coil_m_s2": 0.0}, {"spring_m_s2": -1.0}, {"pull_in_ms": -0.1}],
    ids=lambda spec: next(iter(spec)),
)
def test_a_strike_without_forces_is_refused(spec: dict[str, float]):
    with pytest.raises(MesodriveError, match="accelerations above 0"):
        StrikeSpec(**spec)  # pyright: ignore[reportArgumentType]  # bounce_ms is none of them
