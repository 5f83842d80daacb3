"""The forces that follow from a profile, worked out by hand."""

from types import SimpleNamespace

import pytest

from injector.pressure import Forces

USUAL = {
    "nl_per_mm": 17_349,
    "friction_mn": 2_000,
    "pressure_pa": 64_000,
    "bears_pa": 300_000,
    "flow_nl_s": 100_000,
    "dose_nl": 10_000,
}


def forces(**changes: int) -> Forces:
    return Forces(SimpleNamespace(**{**USUAL, **changes}))


@pytest.mark.requirement("R5", "R12")
def test_a_strokes_forces_are_those_of_its_pressure():
    usual = forces()
    assert usual.stop_mn == 2_000 + 2_446  # (64 + 30) kPa × 3/2 on 17.349 mm²
    assert usual.rest_mn == 2_000 + 728  # half of 64 kPa, and 10 kPa
    assert usual.air_mn == (2_000 + 1_110) // 2


@pytest.mark.requirement("R10", "R13")
def test_a_quarter_of_the_expected_rise_is_felt_where_the_converter_tells_it_from_noise():
    usual = forces()
    assert usual.rise_mn == 277  # 64 kPa ÷ 4 on 17.349 mm²
    assert forces(pressure_pa=20_751).rise_mn == 90
    assert forces(pressure_pa=20_750).rise_mn == 0


@pytest.mark.requirement("R10", "R13")
def test_a_dose_is_felt_when_it_takes_three_looks_and_to_its_end_when_the_line_fills_before():
    assert forces().fill_nl == 2_500  # 25 ms at 100 µL/s
    assert forces(dose_nl=1_200).rise_mn == 277
    assert forces(dose_nl=1_199).rise_mn == 0
    assert forces(dose_nl=3_701).tail_nl == 1_200
    assert forces(dose_nl=3_700).tail_nl is None


@pytest.mark.requirement("R5")
def test_a_stroke_stops_at_what_the_syringe_bears_and_at_what_the_drive_is_made_for():
    assert forces(bears_pa=100_000).stop_mn == 2_000 + 1_734
    assert forces(nl_per_mm=500_000, friction_mn=0, pressure_pa=70_000).stop_mn == 40_000


@pytest.mark.requirement("R5")
def test_a_pressure_past_the_drives_force_is_refused():
    wide = {"nl_per_mm": 500_000, "friction_mn": 0}
    assert forces(**wide, pressure_pa=80_000).stop_mn == 40_000
    with pytest.raises(ValueError, match="come to 40001 mN on the plunger and this machine press"):
        forces(**wide, pressure_pa=80_002)


@pytest.mark.requirement("R5")
def test_priming_takes_half_of_what_the_syringe_bears():
    # 100 µL/s × 300 kPa / 128 kPa in µm/s on 17.349 mm²
    assert forces().prime_um_s(50_000) == 13_509
    assert forces().prime_um_s(10_000) == 10_000
    assert forces(pressure_pa=0).prime_um_s(10_000) == 10_000
    assert forces(flow_nl_s=1).prime_um_s(10_000) == 1
    assert forces(flow_nl_s=25).prime_um_s(10_000) == 3


@pytest.mark.requirement("R5")
def test_priming_stops_where_a_stroke_of_its_flow_would():
    # 10 mm/s are 173.49 µL/s, at 111 kPa
    assert forces().prime_mn(10_000) == 2_000 + 3_670
    assert forces(flow_nl_s=173_490).prime_mn(10_000) == forces().stop_mn


@pytest.mark.requirement("R5", "R10")
def test_forces_and_volumes_are_rounded_down_from_just_below_a_whole_one():
    fast = {"flow_nl_s": 2_000_000}
    assert forces(**fast, dose_nl=24_000).rise_mn == 277  # 12 ms
    assert forces(**fast, dose_nl=23_999).rise_mn == 0
    assert forces(**fast).fill_nl == 50_000  # 25 ms
    assert forces(flow_nl_s=1_999_999).fill_nl == 49_999
    wide = {"nl_per_mm": 100_000, "friction_mn": 0, "bears_pa": 999_999}
    assert forces(**wide, pressure_pa=400_000).rise_mn == 10_000
    assert forces(**{**wide, "nl_per_mm": 100_001}, pressure_pa=399_036).rise_mn == 9_975
    assert forces(**{**wide, "nl_per_mm": 30_000}, pressure_pa=700_000).stop_mn == 29_999
