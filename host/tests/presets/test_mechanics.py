"""How long a strike and a dose take, against the physics that they are made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.presets.mechanics import dose_us, plunger_us, return_us, travel_us

JERK_MM_S3 = 200_000.0


@pytest.mark.parametrize(
    ("depth_um", "travel", "back"),
    [(0, 1715, 1582), (250, 1882, 1768), (1000, 2301, 2237), (6000, 4042, 4184)],
)
def test_travel_and_return_are_those_of_the_device(depth_um: int, travel: int, back: int) -> None:
    assert (travel_us(depth_um), return_us(depth_um)) == (travel, back)


def travelled_mm(speed_mm_s: float, duration_us: float) -> float:
    """Where jerk +j, −j, cruise, −j, +j takes the plunger in `duration_us`, in small steps."""
    quarter_s = (min(speed_mm_s, JERK_MM_S3 * (duration_us / 4e6) ** 2) / JERK_MM_S3) ** 0.5
    cruise_s = duration_us / 1e6 - 4 * quarter_s
    steps = 4000
    acceleration = speed = place = 0.0
    for jerk, phase_s in (
        (JERK_MM_S3, quarter_s),
        (-JERK_MM_S3, quarter_s),
        (0.0, max(0.0, cruise_s)),
        (-JERK_MM_S3, quarter_s),
        (JERK_MM_S3, quarter_s),
    ):
        dt = phase_s / steps
        for _ in range(steps):
            place += speed * dt + acceleration * dt**2 / 2 + jerk * dt**3 / 6
            speed += acceleration * dt + jerk * dt**2 / 2
            acceleration += jerk * dt
    return place


@pytest.mark.parametrize("speed_mm_s", [0.03, 1.2, 5.764, 12.0])
@pytest.mark.parametrize("travel_mm", [0.001, 0.0576, 0.576, 5.0])
def test_the_plunger_is_there_when_its_time_is_over(travel_mm: float, speed_mm_s: float) -> None:
    duration_us = plunger_us(travel_mm, speed_mm_s)
    assert travelled_mm(speed_mm_s, duration_us) == pytest.approx(travel_mm, rel=1e-3)


@given(st.floats(1e-5, 50), st.floats(1e-3, 12))
def test_no_dose_is_faster_than_its_flow(travel_mm: float, speed_mm_s: float) -> None:
    assert plunger_us(travel_mm, speed_mm_s) >= 1e6 * travel_mm / speed_mm_s


@given(st.integers(1, 500_000), st.integers(500, 2_000_000), st.integers(1000, 500_000))
def test_a_dose_has_time_for_one_step_more(dose_nl: int, flow_nl_s: int, nl_per_mm: int) -> None:
    steps = round(dose_nl * 3200 / nl_per_mm) + 1
    least_us = 1e6 * steps * nl_per_mm / 3200 / flow_nl_s
    assert dose_us(dose_nl, flow_nl_s, nl_per_mm) >= least_us
