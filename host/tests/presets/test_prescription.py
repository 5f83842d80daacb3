"""From a preset to the device's profile, and what stands in the way."""

import re
from collections.abc import Mapping
from typing import cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mesodrive.presets import (
    ADJUSTABLE,
    Change,
    Prescription,
    PresetError,
    list_cartridges,
    list_presets,
    list_syringes,
    load_preset,
    prescribe,
)
from mesodrive.presets.profile import RAMP_MS, RETURN_MS, TRAVEL_MS, least_dwell_ms

POSSIBLE_PRESETS = [p for p in list_presets() if p.mode != "drip"]
CARTRIDGES = [c.name for c in list_cartridges()]
SYRINGES = [s.name for s in list_syringes()]
PROFILE_KEYS = {
    "version",
    "name",
    "mode",
    "shots",
    "depth_um",
    "dose_nl",
    "flow_nl_s",
    "settle_ms",
    "dwell_ms",
    "rest_ms",
    "period_ms",
    "cartridge_um",
    "needles",
    "syringe_nl_per_mm",
    "fill_nl",
}


def nappage(**changes: object) -> Prescription:
    return prescribe(load_preset("nappage"), **changes)  # pyright: ignore[reportArgumentType]


def refusal(preset: str = "nappage", **changes: object) -> str:
    with pytest.raises(PresetError) as caught:
        prescribe(load_preset(preset), **changes)  # pyright: ignore[reportArgumentType]
    sentence = str(caught.value)
    assert re.fullmatch(r"[^\n]+[.?]", sentence), sentence
    return sentence


def whole(profile: Mapping[str, object], key: str) -> int:
    value = profile[key]
    assert type(value) is int
    return value


def test_the_profile_of_nappage_is_this() -> None:
    assert nappage(fill_ul=500).to_profile() == {
        "version": 1,
        "name": "nappage",
        "mode": "series",
        "shots": 20,
        "depth_um": 3000,
        "dose_nl": 10_000,
        "flow_nl_s": 100_000,
        "settle_ms": 20,
        "dwell_ms": 140,
        "rest_ms": 50,
        "period_ms": 400,
        "cartridge_um": 4000,
        "needles": 1,
        "syringe_nl_per_mm": 17_349,
        "fill_nl": 500_000,
    }


@pytest.mark.parametrize(
    ("preset", "mode"),
    [("papule", "single"), ("nappage", "series"), ("hyaluronic-booster-9", "series")],
)
def test_the_device_knows_single_and_series(preset: str, mode: str) -> None:
    assert prescribe(load_preset(preset)).to_profile()["mode"] == mode


def test_a_dry_profile_moves_no_liquid() -> None:
    profile = prescribe(load_preset("dry-microneedling")).to_profile()
    assert (profile["mode"], profile["dose_nl"], profile["fill_nl"]) == ("series", 0, 0)
    assert whole(profile, "flow_nl_s") > 0
    assert "is dry and takes no dose" in refusal("dry-microneedling", overrides={"dose": 5.0})


def test_the_dwell_follows_the_dose_when_the_preset_leaves_it_open() -> None:
    assert nappage(overrides={"dose": 20.0}).dwell_ms == 20 + 200 + RAMP_MS
    assert least_dwell_ms(settle_ms=10, dose_ul=1, flow_ul_s=3) == 10 + 334 + RAMP_MS
    assert least_dwell_ms(settle_ms=10, dose_ul=0, flow_ul_s=3) == 10


def test_a_full_syringe_is_the_fill_unless_told() -> None:
    assert nappage().fill_ul == 1000
    assert nappage(syringe="2.5ml").fill_ul == 2500


def test_what_differs_from_the_preset_is_told() -> None:
    prescription = nappage(
        overrides={"depth": 1.5, "dose": 12.0, "rate": 2.5}, shots=30, syringe="3ml"
    )
    assert prescription.changes == (
        Change("depth", "3 mm", "1.5 mm", beyond_range=True),
        Change("dose", "10 µL", "12 µL", beyond_range=False),
        Change("shots", "20 shots", "30 shots", beyond_range=False),
        Change("syringe", "1ml", "3ml", beyond_range=False),
    )


def test_an_open_dose_must_be_set() -> None:
    assert "leaves the dose open" in refusal("fractional")
    prescription = prescribe(load_preset("fractional"), overrides={"dose": 5.0})
    assert prescription.changes == (Change("dose", "unset", "5 µL", beyond_range=False),)


def test_a_drip_is_refused() -> None:
    assert "needs a firmware with the drip mode" in refusal("mesoperfusion")


def test_a_depth_past_the_cartridge_is_refused() -> None:
    assert nappage(overrides={"depth": 4.0}).depth_mm == 4
    assert "past the 4 mm that the cartridge 'single-30g-4mm' reaches" in refusal(
        overrides={"depth": 4.001}
    )
    assert nappage(overrides={"depth": 4.001}, cartridge="single-30g-13mm").depth_mm == 4.001


def test_a_dose_past_the_syringe_is_refused() -> None:
    assert nappage(shots=100).shots == 100
    assert "101 shots of 10 µL need 1010 µL and the syringe '1ml' holds 1000" in refusal(shots=101)


def test_a_dose_past_the_fill_is_refused() -> None:
    assert nappage(fill_ul=200.0).fill_ul == 200
    assert "the syringe is filled with 199 µL; fill it further" in refusal(fill_ul=199.0)


@pytest.mark.parametrize("fill_ul", [-1.0, 1001.0, float("nan"), float("inf")])
def test_a_fill_that_cannot_be_is_refused(fill_ul: float) -> None:
    assert "is not possible in the syringe '1ml'" in refusal(fill_ul=fill_ul)


def test_a_dose_that_does_not_fit_the_dwell_is_refused() -> None:
    assert nappage(overrides={"dwell": 140.0}).dwell_ms == 140
    assert "set a dwell of at least 140 ms" in refusal(overrides={"dwell": 139.0})


def test_a_dose_longer_than_the_device_dwells_is_refused() -> None:
    sentence = refusal(overrides={"dose": 40.0, "flow": 5.0})
    assert "needs a dwell of 8040 ms and the device dwells at most 5000 ms" in sentence


def test_a_rate_past_the_fastest_is_refused_and_the_fastest_is_told() -> None:
    fastest = 1000 / (TRAVEL_MS + 140 + RETURN_MS + 50)
    sentence = refusal(overrides={"rate": 5.0})
    assert "leaves 200 ms a shot and one takes 210 ms" in sentence
    told = float(sentence.split()[-2])
    assert told == pytest.approx(fastest, rel=0.01)
    assert nappage(overrides={"rate": told}).period_ms >= 210


def test_a_pressure_past_the_syringe_is_refused_and_the_time_it_takes_is_told() -> None:
    sentence = refusal(viscosity_cp=10.0)
    assert "takes 637 kPa and the syringe bears 300 kPa" in sentence
    flow, seconds = re.findall(
        r"at most ([\d.]+) µL/s, which takes at least ([\d.]+) s", sentence
    )[0]
    slower = nappage(viscosity_cp=10.0, overrides={"flow": float(flow)})
    assert slower.pressure_kpa == pytest.approx(300, rel=0.03)
    assert slower.least_period_ms <= float(seconds) * 1000 < slower.least_period_ms + 10


def test_a_product_that_no_flow_is_slow_enough_for_is_refused() -> None:
    assert "no flow is slow enough" in refusal(viscosity_cp=10_000.0)


@pytest.mark.parametrize("viscosity_cp", [0.0, -1.0, float("nan"), float("inf")])
def test_a_viscosity_that_cannot_be_is_refused(viscosity_cp: float) -> None:
    assert "must be above zero" in refusal(viscosity_cp=viscosity_cp)


def test_a_value_that_could_never_be_is_refused() -> None:
    assert "no value 'dept'; did you mean depth" in refusal(overrides={"dept": 3.0})
    assert "dose is nan µL but must lie from" in refusal(overrides={"dose": float("nan")})
    assert "dose is 0 µL but must lie from" in refusal(overrides={"dose": 0.0})
    assert "shots is 0 shots but must lie from 1 to 2000" in refusal(shots=0)
    assert "shots is 2001 shots" in refusal(shots=2001)


def test_an_unknown_cartridge_or_syringe_is_refused() -> None:
    assert "no cartridge named 'multi-10'" in refusal(cartridge="multi-10")
    assert "no syringe named '4ml'" in refusal(syringe="4ml")


@st.composite
def requests(draw: st.DrawFn) -> dict[str, object]:
    """Any shipped technique with anything a person may change, sensible or not."""
    preset = draw(st.sampled_from(POSSIBLE_PRESETS))
    values = {name: st.floats(kind.least, kind.most) for name, kind in ADJUSTABLE.items()}
    if preset.mode == "dry":
        del values["dose"], values["flow"]
    near = {"dose": st.floats(0.001, 30), "flow": st.floats(5, 300), "depth": st.floats(0.01, 2)}
    values |= {name: strategy for name, strategy in near.items() if name in values}
    open_dose = preset.dose is None and preset.mode != "dry"
    must = {"dose": values.pop("dose")} if open_dose else {}
    return {
        "preset": preset,
        "overrides": draw(st.fixed_dictionaries(must, optional=values)),
        "cartridge": draw(st.none() | st.sampled_from(CARTRIDGES)),
        "syringe": draw(st.none() | st.sampled_from(SYRINGES)),
        "shots": draw(st.none() | st.integers(1, 2000)),
        "viscosity_cp": draw(st.floats(0.5, 200)),
    }


def attempt(request: dict[str, object]) -> Prescription | str:
    try:
        return prescribe(**request)  # pyright: ignore[reportArgumentType]
    except PresetError as e:
        return str(e)


@given(request=requests())
@settings(deadline=None, max_examples=300)
def test_any_profile_is_exact_and_within_the_hard_limits(request: dict[str, object]) -> None:
    p = attempt(request)
    assume(isinstance(p, Prescription))
    assert isinstance(p, Prescription)
    profile = p.to_profile()
    assert set(profile) == PROFILE_KEYS
    assert abs(whole(profile, "depth_um") - p.depth_mm * 1000) <= 0.5
    assert abs(whole(profile, "dose_nl") - p.dose_ul * 1000) <= 0.5
    assert abs(whole(profile, "flow_nl_s") - p.flow_ul_s * 1000) <= 0.5
    assert abs(whole(profile, "fill_nl") - p.fill_ul * 1000) <= 0.5
    assert abs(whole(profile, "syringe_nl_per_mm") - p.syringe.ul_per_mm * 1000) <= 0.5
    assert abs(whole(profile, "period_ms") - 1000 / p.rate_hz) <= 0.5
    overrides = cast("dict[str, float]", request["overrides"])
    for name in {"settle", "rest", "dwell"} & set(overrides):
        assert abs(whole(profile, f"{name}_ms") - overrides[name]) <= 0.5
    assert whole(profile, "depth_um") <= min(6000, whole(profile, "cartridge_um"))
    assert whole(profile, "cartridge_um") == p.cartridge.usable_length.value * 1000
    assert whole(profile, "shots") * whole(profile, "dose_nl") <= whole(profile, "fill_nl")
    assert whole(profile, "fill_nl") <= p.syringe.volume_ul * 1000
    dose_ms = p.dose_ul / p.flow_ul_s * 1000
    assert whole(profile, "settle_ms") + dose_ms <= whole(profile, "dwell_ms") <= 5000
    strike_ms = TRAVEL_MS + whole(profile, "dwell_ms") + RETURN_MS + whole(profile, "rest_ms")
    assert strike_ms <= whole(profile, "period_ms") <= 60_000
    assert p.dose_ul == 0 or p.pressure_kpa <= p.syringe.max_pressure.value


@given(request=requests())
@settings(deadline=None, max_examples=300)
def test_the_way_out_that_a_refusal_names_leads_out(request: dict[str, object]) -> None:
    sentence = attempt(request)
    assume(isinstance(sentence, str))
    assert isinstance(sentence, str)
    overrides = cast("dict[str, float]", request["overrides"])
    advice = {
        "rate": r"the fastest possible rate is (\S+) Hz",
        "dwell": r"set a dwell of at least (\S+) ms",
        "flow": r"set a flow of at most (\S+) µL/s",
    }
    for name, pattern in advice.items():
        if found := re.search(pattern, sentence):
            # A slower flow wants its own time: leave dwell to be computed and the rate low.
            others = {"rate": 0.017} if name == "flow" else {}
            kept = {k: v for k, v in overrides.items() if name != "flow" or k != "dwell"}
            again = attempt({**request, "overrides": {**kept, **others, name: float(found[1])}})
            assert not (isinstance(again, str) and re.search(pattern, again)), again
            return
    assume(False)
