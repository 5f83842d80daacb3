"""What named mechanics can follow, against torques worked out by hand."""

from math import pi

import drives
import pytest
from hypothesis import given
from hypothesis import strategies as st

from injector.mechanics import Driver, LeadScrew, Mechanics, Motor

DRIVER = Driver("a driver", microsteps=16, high_ns=100, low_ns=100, setup_ns=20)
SCREW = LeadScrew("a screw", lead_um=1_000, backlash_um=20, efficiency_pct=50)
MOTOR = Motor(
    "a motor",
    full_steps=200,
    inertia_g_mm2=1_000,
    pull_out=((0, 80_000), (1_000, 60_000), (3_000, 20_000)),
)


def axis(
    screw: LeadScrew = SCREW,
    motor: Motor = MOTOR,
    driver: Driver = DRIVER,
    load_mn: int = 50_000,
    speed_um_s: int = 10_000,
    accel_um_s2: int = 1_000_000,
    jerk_um_s3: int = 100_000_000,
) -> Mechanics:
    return Mechanics(
        "plunger", screw, motor, driver, 60_000, load_mn, speed_um_s, accel_um_s2, jerk_um_s3
    )


@pytest.mark.requirement("R29")
@pytest.mark.parametrize("name", ["PLUNGER", "DEPTH"])
def test_the_boards_own_drives_can_follow_themselves(name: str):
    getattr(drives, name).check()


def test_the_reference_plunger_makes_12_mm_a_second_in_3200_steps_a_mm():
    assert drives.PLUNGER.steps_per_mm == 3_200
    assert vars(drives.PLUNGER.limits) == {
        "speed_steps_s": 38_400,
        "accel_steps_s2": 6_400_000,
        "jerk_steps_s3": 640_000_000,
    }
    assert drives.DEPTH.steps_per_mm == 6_400


def test_a_millimetre_of_no_whole_number_of_steps_is_refused():
    with pytest.raises(ValueError, match="no whole number of steps a mm"):
        axis(screw=LeadScrew("inch", 1_270, 20, 50))


@pytest.mark.parametrize(
    ("load_mn", "accel_um_s2", "needed_unm"),
    [
        # 50 N × 1 mm ÷ 2π ÷ 0.5 = 15,915.49 µN·m; 10⁻⁶ kg·m² × 2π × 1000/s² = 6283.19 µN·m
        (50_000, 1_000_000, 15_916 + 6_284),
        (50_000, 1, 15_916 + 1),
        (0, 1_000_000, 6_284),
    ],
)
def test_the_needed_torque_is_the_loads_and_the_rotors(
    load_mn: int, accel_um_s2: int, needed_unm: int
):
    assert axis(load_mn=load_mn, accel_um_s2=accel_um_s2).needed_unm == needed_unm


@given(
    st.integers(0, 200_000),
    st.integers(100, 10_000_000),
    st.integers(1, 100),
    st.sampled_from([500, 1_000, 2_000, 4_000]),
)
def test_the_needed_torque_is_never_understated(load: int, accel: int, efficiency: int, lead: int):
    made = axis(screw=LeadScrew("a screw", lead, 20, efficiency), load_mn=load, accel_um_s2=accel)
    push = load * lead / (2 * pi * efficiency / 100) / 1_000
    turn = 1_000 * 2 * pi * accel / lead / 1_000
    assert push + turn - 1 <= made.needed_unm <= (push + turn) * (1 + 1e-6) + 2


@pytest.mark.parametrize(
    ("um_s", "torque_unm"),
    [
        (0, 80_000),
        (2_500, 70_000),  # 500 full steps/s
        (5_000, 60_000),
        (10_000, 40_000),
        (15_000, 20_000),
        (15_001, 0),
    ],
)
def test_pull_out_is_linear_between_its_points_and_nothing_beyond(um_s: int, torque_unm: int):
    assert axis().torque_unm(um_s) == torque_unm


def test_the_speed_limit_is_where_two_thirds_of_pull_out_are_needed():
    # 22,200 × 1.5 = 33,300 µN·m: 60,000 - 20 × (full steps/s - 1000), at 2335 full steps/s
    assert axis().um_s_limit == 11_675


@pytest.mark.requirement("R29")
@given(st.integers(0, 60_000), st.integers(1, 4_000_000))
def test_at_the_speed_limit_the_torque_suffices_and_beyond_it_does_not(load: int, accel: int):
    made = axis(load_mn=load, accel_um_s2=accel)
    limit = made.um_s_limit
    if limit:
        assert 2 * made.torque_unm(limit) >= 3 * made.needed_unm
    assert 2 * made.torque_unm(limit + 1) < 3 * made.needed_unm


def test_a_speed_up_to_the_limit_is_accepted():
    axis(speed_um_s=11_675).check()


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    ("changed", "limit"),
    [
        ({"speed_um_s": 11_676}, 11_675),
        ({"accel_um_s2": 2_000_000}, 9_318),
        ({"load_mn": 60_000}, 10_481),
        ({"load_mn": 500_000}, 0),
    ],
    ids=["speed", "acceleration", "load", "far too much load"],
)
def test_a_speed_beyond_pull_out_is_refused_with_the_limit(changed: dict[str, int], limit: int):
    made = axis(**{"speed_um_s": 10_500, **changed})
    with pytest.raises(ValueError, match=rf"torque enough up to {limit} um/s; choose") as refused:
        made.check()
    assert str(refused.value).count(".") == 1


def test_more_steps_than_the_driver_takes_are_refused_with_the_limit():
    slow = Driver("DRV8825", microsteps=16, high_ns=19_000, low_ns=19_000, setup_ns=650)
    axis(driver=slow, speed_um_s=8_000).check()
    with pytest.raises(ValueError, match=r"32000 steps/s .* at most 26315\b"):
        axis(driver=slow, speed_um_s=10_000).check()


@pytest.mark.parametrize(
    "pull_out", [((100, 5), (200, 4)), ((0, 5), (0, 4)), ((0, 5), (300, 4), (200, 3))]
)
def test_a_curve_that_does_not_go_from_standstill_to_faster_is_refused(
    pull_out: tuple[tuple[int, int], ...],
):
    with pytest.raises(ValueError, match="begins at 0"):
        Motor("a motor", 200, 1_000, pull_out)


def test_a_curve_whose_torque_grows_with_speed_is_refused():
    with pytest.raises(ValueError, match="never grows"):
        Motor("a motor", 200, 1_000, ((0, 5), (100, 6)))
