"""Passes and coverage of a zone, from the geometry of the cartridge."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.presets import Coverage, Prescription, PresetError, load_preset, prescribe


def of(strikes: int, **changes: float | None) -> Coverage:
    values = {"needles": 12, "diameter_mm": 0.18, "spacing_mm": 2.0, "zone_area_cm2": 50.0}
    return Coverage.of(strikes, **{**values, **changes})  # pyright: ignore[reportArgumentType]


def fractional(shots: int, **changes: object) -> Prescription:
    return prescribe(
        load_preset("fractional"),
        overrides={"dose": 1.0},
        shots=shots,
        **changes,  # pyright: ignore[reportArgumentType]
    )


def test_twelve_needles_two_mm_apart_treat_48_mm2_a_strike() -> None:
    assert of(100).passes == pytest.approx(0.96)
    assert of(100).percent == pytest.approx(100 * 100 * 12 * math.pi * 0.09**2 / 5000)
    assert of(100).text == "0.96 passes, 0.61 % of 50 cm²"


def test_without_a_spacing_nobody_knows_the_passes() -> None:
    unknown = of(100, spacing_mm=None)
    assert unknown.passes is None
    assert unknown.percent == of(100).percent
    assert unknown.text == "0.61 % of 50 cm²"


@given(st.integers(1, 100_000), st.integers(0, 100_000), st.floats(0.1, 5000))
def test_a_share_of_the_strikes_is_that_share_of_the_coverage(
    planned: int, done: int, zone_area_cm2: float
) -> None:
    share = of(planned, zone_area_cm2=zone_area_cm2).scaled(done / planned)
    whole = of(done, zone_area_cm2=zone_area_cm2)
    assert share.percent == pytest.approx(whole.percent)
    assert share.passes == pytest.approx(whole.passes)


def test_a_cartridge_knows_its_spacing_and_a_single_needle_has_the_preset_s() -> None:
    nine = prescribe(load_preset("hyaluronic-booster-9"), zone_area_cm2=100)
    given = nine.coverage(100)
    assert given
    assert given.passes == pytest.approx(100 * 9 * 2.5**2 / 10_000)
    papules = prescribe(load_preset("papule"), zone_area_cm2=100).coverage(20)
    assert papules
    assert papules.passes == pytest.approx(20 * 10**2 / 10_000)
    unspaced = prescribe(load_preset("micro-droplet"), zone_area_cm2=100).coverage(20)
    assert unspaced
    assert unspaced.passes is None


def test_without_a_zone_there_is_nothing_to_count() -> None:
    assert fractional(2000).coverage(2000) is None
    assert fractional(2000).warnings == []


@pytest.mark.parametrize("zone_area_cm2", [0.0, -1.0, 0.09, 5001.0, float("nan"), float("inf")])
def test_a_zone_that_cannot_be_is_refused(zone_area_cm2: float) -> None:
    with pytest.raises(PresetError, match=r"^zone_area is .* must lie from 0\.1 to 5000 cm²"):
        fractional(100, zone_area_cm2=zone_area_cm2)


@pytest.mark.requirement("R29")
def test_a_fifth_pass_is_warned_of() -> None:
    # 48 mm² a strike: 4 passes over 1 cm² are 8 strikes and a third.
    assert fractional(8, zone_area_cm2=1).warnings == []
    (sentence,) = fractional(9, zone_area_cm2=1).warnings
    assert sentence == (
        "All strikes come to 4.3 passes over 1 cm² and at most 4 are advised; plan fewer shots or "
        "treat a larger zone."
    )


def test_a_quarter_of_the_area_is_the_most_for_fractional_technique_only() -> None:
    both = fractional(100, zone_area_cm2=1).warnings
    assert len(both) == 2
    assert "cover 30.5 % of 1 cm² and about 25 % is advised in one session" in both[1]
    assert len(fractional(80, zone_area_cm2=1).warnings) == 1
    dry = prescribe(load_preset("dry-microneedling"), shots=100, zone_area_cm2=1)
    assert len(dry.warnings) == 1
