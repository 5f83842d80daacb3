"""From a preset to the device's profile, and what stands in the way."""

import math
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
    Preset,
    PresetError,
    list_cartridges,
    list_presets,
    list_syringes,
    load_preset,
    prescribe,
)

CARTRIDGES = [c.name for c in list_cartridges()]
SYRINGES = [s.name for s in list_syringes()]
PROFILE_KEYS = {
    "version",
    "name",
    "mode",
    "shots",
    "burst",
    "depth_um",
    "dose_nl",
    "flow_nl_s",
    "settle_us",
    "dwell_us",
    "rest_us",
    "period_us",
    "soft_strikes",
    "cartridge_um",
    "needles",
    "syringe_nl_per_mm",
    "fill_nl",
    "pressure_pa",
    "bears_pa",
    "friction_mn",
    "cartridge",
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
        "version": 2,
        "name": "nappage",
        "mode": "series",
        "shots": 20,
        "burst": 1,
        "depth_um": 3000,
        "dose_nl": 10_000,
        "flow_nl_s": 100_000,
        "settle_us": 20_000,
        "dwell_us": 135_900,
        "rest_us": 50_000,
        "period_us": 400_000,
        "soft_strikes": 3,
        "cartridge_um": 4000,
        "needles": 1,
        "syringe_nl_per_mm": 17_349,
        "fill_nl": 500_000,
        "pressure_pa": 63_749,
        "bears_pa": 300_000,
        "friction_mn": 2_000,
        "cartridge": "",
    }


@pytest.mark.parametrize("preset", list_presets(), ids=lambda p: p.name)
def test_the_mode_of_the_preset_is_the_mode_of_the_device(preset: Preset) -> None:
    must = {"dose": 5.0} if preset.dose is None and preset.mode != "dry" else {}
    profile = prescribe(preset, overrides=must).to_profile()
    assert profile["mode"] == preset.mode
    assert (profile["burst"] == 1) == (preset.mode != "burst")


def test_a_dry_profile_moves_no_liquid() -> None:
    profile = prescribe(load_preset("dry-microneedling")).to_profile()
    assert (profile["mode"], profile["dose_nl"], profile["fill_nl"]) == ("dry", 0, 0)
    assert whole(profile, "flow_nl_s") > 0
    assert "is of the mode 'dry' and takes no dose" in refusal(
        "dry-microneedling", overrides={"dose": 5.0}
    )


def test_fractions_of_a_ms_and_odd_rates_become_whole_us() -> None:
    dry = prescribe(
        load_preset("dry-microneedling"), overrides={"dwell": 0.4567, "rest": 0.3, "rate": 117.0}
    )
    assert (dry.dwell_us, dry.rest_us, dry.period_us) == (457, 300, 8547)


def test_a_row_and_a_soft_start_can_be_changed_for_one_session() -> None:
    row = prescribe(load_preset("epidermic"), overrides={"dose": 2, "burst": 4, "soft_strikes": 2})
    profile = row.to_profile()
    assert (profile["burst"], profile["soft_strikes"]) == (4, 2)
    assert Change("burst", "10 strikes", "4 strikes", beyond_range=False) in row.changes


@pytest.mark.parametrize("preset", ["papule", "hyaluronic-booster-9", "mesoperfusion"])
def test_a_soft_start_has_no_place_where_strikes_do_not_follow_each_other(preset: str) -> None:
    sentence = refusal(preset, overrides={"dose": 20.0, "soft_strikes": 3.0})
    assert f"is of the mode '{load_preset(preset).mode}' and takes no soft_strikes" in sentence


def test_a_row_is_refused_outside_of_its_mode() -> None:
    assert "is of the mode 'series' and takes no burst" in refusal(overrides={"burst": 5.0})
    assert "burst is 1 strikes but must lie from 2 to 100" in refusal(
        "epidermic", overrides={"dose": 2.0, "burst": 1.0}
    )


def test_only_a_dry_session_has_more_than_2000_strikes() -> None:
    assert prescribe(load_preset("dry-microneedling"), shots=100_000).shots == 100_000
    assert "2001 shots are more than the 2000 of a session in the mode 'series'" in refusal(
        shots=2001
    )


def test_only_a_drip_gives_more_than_100_ul_or_dwells_longer_than_5_s() -> None:
    drip = prescribe(load_preset("mesoperfusion"), overrides={"dose": 140.0})
    assert drip.dwell_us > 28_000_000
    assert "dwells at most 30000 ms in the mode 'drip'" in refusal(
        "mesoperfusion", overrides={"dose": 150.0}
    )
    assert (
        prescribe(
            load_preset("mesoperfusion"), overrides={"dose": 500.0, "flow": 20.0}
        ).to_profile()["dose_nl"]
        == 500_000
    )
    assert "A dose of 100.1 µL is past the 100 µL of one strike in the mode 'single'" in refusal(
        "papule", overrides={"dose": 100.1}, shots=1
    )


def test_a_dose_wants_time_to_see_that_the_needle_is_out() -> None:
    assert nappage(overrides={"settle": 1.0}).settle_us == 1000
    assert "A settle of 0.999 ms is too short" in refusal(overrides={"settle": 0.999})


@pytest.mark.requirement("R29")
def test_a_flow_that_the_plunger_cannot_follow_is_refused() -> None:
    assert nappage(overrides={"flow": 208.0}).flow_ul_s == 208
    sentence = refusal(overrides={"flow": 209.0})
    assert "more than the plunger can follow; set at most 208 µL/s or take a larger" in sentence
    assert nappage(overrides={"flow": 209.0}, syringe="3ml").flow_ul_s == 209


def test_a_flow_slower_than_the_plunger_can_go_is_refused() -> None:
    slow = {"dose": 0.01, "rate": 0.1}
    assert nappage(overrides={**slow, "flow": 0.018}).flow_ul_s == 0.018
    sentence = refusal(overrides={**slow, "flow": 0.017})
    assert "is slower than the plunger can go; set at least 0.018 µL/s" in sentence


def test_a_slow_dose_has_room_for_the_step_that_earlier_ones_lacked() -> None:
    # 10 mL: a step is 61 nL, and takes 12 ms at 5 µL/s.
    drip = prescribe(load_preset("mesoperfusion"), overrides={"dose": 6.757})
    assert drip.dwell_us - drip.settle_us - 6.757 / 5 * 1e6 > 12_000


def test_the_dwell_follows_the_dose_when_the_preset_leaves_it_open() -> None:
    ul_per_mm = nappage().syringe.ul_per_mm
    ramp_us = 2e6 * math.sqrt(100 / ul_per_mm / 200_000)
    step_us = 1e6 * ul_per_mm / 3200 / 100
    spared_us = nappage(overrides={"dose": 20.0}).dwell_us - (20_000 + 200_000 + ramp_us)
    assert 5_000 + step_us <= spared_us < 5_200 + 2 * step_us
    assert prescribe(load_preset("dry-microneedling")).dwell_us == 400


def test_a_full_syringe_is_the_fill_unless_told() -> None:
    assert nappage().fill_ul == 1000
    assert nappage(syringe="3ml").fill_ul == 3000
    assert nappage(syringe="2.5ml").fill_ul == 2497  # the plunger goes 60 mm


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


@pytest.mark.requirement("R29")
def test_a_depth_past_the_cartridge_is_refused() -> None:
    assert nappage(overrides={"depth": 4.0}).depth_mm == 4
    assert "past the 4 mm that the cartridge 'single-30g-4mm' reaches" in refusal(
        overrides={"depth": 4.001}
    )
    assert nappage(overrides={"depth": 4.001}, cartridge="single-30g-13mm").depth_mm == 4.001


@pytest.mark.requirement("R29")
def test_a_dose_past_the_syringe_is_refused() -> None:
    assert nappage(shots=100).shots == 100
    assert "101 shots of 10 µL need 1010 µL and the syringe '1ml' holds 1000" in refusal(shots=101)


@pytest.mark.requirement("R29")
def test_a_dose_past_the_fill_is_refused() -> None:
    assert nappage(fill_ul=200.0).fill_ul == 200
    assert "the syringe is filled with 199 µL; fill it further" in refusal(fill_ul=199.0)


@pytest.mark.parametrize("fill_ul", [-1.0, 1001.0, float("nan"), float("inf")])
def test_a_fill_that_cannot_be_is_refused(fill_ul: float) -> None:
    assert "is not possible in the syringe '1ml'" in refusal(fill_ul=fill_ul)


@pytest.mark.requirement("R29")
def test_a_dose_that_does_not_fit_the_dwell_is_refused() -> None:
    assert nappage(overrides={"dwell": 135.9}).dwell_us == 135_900
    assert "set a dwell of at least 135.9 ms" in refusal(overrides={"dwell": 135.8})


def test_a_dose_longer_than_the_device_dwells_is_refused() -> None:
    sentence = refusal(overrides={"dose": 40.0, "flow": 5.0})
    assert "takes 8039.4 ms and the device dwells at most 5000 ms" in sentence


@pytest.mark.requirement("R29")
def test_a_rate_past_the_fastest_is_refused_and_the_fastest_is_told() -> None:
    travel_us = 300 + math.isqrt(2 * 4000 * 10**6 // 1000) + 1
    back_us = math.isqrt(2 * 4000 * 10**6 // 800) + 1
    least_us = travel_us + 135_900 + back_us + 50_000
    sentence = refusal(overrides={"rate": 6.0})
    assert f"leaves 166.667 ms a strike and one takes {least_us / 1000} ms" in sentence
    told = float(sentence.split()[-2])
    assert told == pytest.approx(1e6 / least_us, rel=0.01)
    assert nappage(overrides={"rate": told}).period_us >= least_us


def test_no_strike_is_faster_than_250_a_second() -> None:
    fast = {"rate": 250.0, "depth": 0.25, "dwell": 0.1, "rest": 0.2}
    assert prescribe(load_preset("dry-microneedling"), overrides=fast).period_us == 4000
    assert "rate is 251 Hz but must lie from" in refusal(
        "dry-microneedling", overrides={**fast, "rate": 251.0}
    )


@pytest.mark.requirement("R29")
def test_a_pressure_past_the_syringe_is_refused_and_the_time_it_takes_is_told() -> None:
    sentence = refusal(viscosity_cp=10.0)
    assert "takes 637 kPa and the syringe bears 300 kPa" in sentence
    flow, seconds = re.findall(
        r"at most ([\d.]+) µL/s, which takes at least ([\d.]+) s", sentence
    )[0]
    slower = nappage(viscosity_cp=10.0, overrides={"flow": float(flow)})
    assert slower.pressure_kpa == pytest.approx(300, rel=0.03)
    assert slower.least_period_us <= float(seconds) * 1e6 < slower.least_period_us + 10_000


def test_a_product_that_no_flow_is_slow_enough_for_is_refused() -> None:
    assert "no flow is slow enough" in refusal(viscosity_cp=10_000.0)


@pytest.mark.parametrize("viscosity_cp", [0.0, -1.0, float("nan"), float("inf")])
def test_a_viscosity_that_cannot_be_is_refused(viscosity_cp: float) -> None:
    assert "must be above zero" in refusal(viscosity_cp=viscosity_cp)


def test_a_value_that_could_never_be_is_refused() -> None:
    assert "no value 'dept'; did you mean depth" in refusal(overrides={"dept": 3.0})
    assert "dose is nan µL but must lie from" in refusal(overrides={"dose": float("nan")})
    assert "dose is 0 µL but must lie from" in refusal(overrides={"dose": 0.0})
    assert "dose is 1e+308 µL but must lie from" in refusal(overrides={"dose": 1e308})
    assert "shots is 0 shots but must lie from 1 to 100000" in refusal(shots=0)


def test_an_unknown_cartridge_or_syringe_is_refused() -> None:
    assert "no cartridge named 'multi-10'" in refusal(cartridge="multi-10")
    assert "no syringe named '4ml'" in refusal(syringe="4ml")


@st.composite
def requests(draw: st.DrawFn) -> dict[str, object]:
    """Any shipped technique with anything a person may change, sensible or not."""
    preset = draw(st.sampled_from(list_presets()))
    values = {
        name: st.integers(int(kind.least), int(kind.most)).map(float)
        if kind.whole
        else st.floats(kind.least, kind.most)
        for name, kind in ADJUSTABLE.items()
        if preset.takes(name)
    }
    near = {
        "dose": st.floats(0.001, 30),
        "flow": st.floats(5, 300),
        "depth": st.floats(0.01, 2),
        "dwell": st.floats(0.1, 5000),
        "rate": st.floats(0.017, 10),
    }
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


@pytest.mark.requirement("R29")
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
    assert abs(whole(profile, "period_us") - 1e6 / p.rate_hz) <= 0.5
    overrides = cast("dict[str, float]", request["overrides"])
    for name in {"settle", "rest", "dwell"} & set(overrides):
        assert abs(whole(profile, f"{name}_us") - 1000 * overrides[name]) <= 0.5
    assert whole(profile, "depth_um") <= min(6000, whole(profile, "cartridge_um"))
    assert whole(profile, "cartridge_um") == p.cartridge.usable_length.value * 1000
    assert whole(profile, "shots") * whole(profile, "dose_nl") <= whole(profile, "fill_nl")
    assert whole(profile, "fill_nl") <= p.syringe.volume_ul * 1000
    assert whole(profile, "shots") <= (100_000 if p.mode == "dry" else 2000)
    assert whole(profile, "dose_nl") <= (500_000 if p.mode == "drip" else 100_000)
    assert (whole(profile, "dose_nl") == 0) == (p.mode == "dry")
    assert (whole(profile, "burst") >= 2) == (p.mode == "burst")
    assert whole(profile, "soft_strikes") == 0 or p.mode in ("series", "burst", "dry")
    dose_us = p.dose_ul / p.flow_ul_s * 1e6
    most_dwell_us = 30_000_000 if p.mode == "drip" else 5_000_000
    assert 100 <= whole(profile, "dwell_us") <= most_dwell_us
    assert whole(profile, "settle_us") + dose_us <= whole(profile, "dwell_us") or p.mode == "dry"
    assert whole(profile, "settle_us") >= 1000 or p.mode == "dry"
    assert whole(profile, "settle_us") <= whole(profile, "dwell_us")
    stroke_um = 1000 + whole(profile, "depth_um")
    travel_us = 300 + math.isqrt(2 * stroke_um * 1000)
    strike_us = travel_us + whole(profile, "dwell_us") + math.isqrt(2 * stroke_um * 1250)
    assert 200 <= whole(profile, "rest_us") <= 60_000_000
    assert strike_us + whole(profile, "rest_us") <= whole(profile, "period_us")
    assert 4000 <= whole(profile, "period_us") <= 60_000_000
    speed_mm_s = whole(profile, "flow_nl_s") / whole(profile, "syringe_nl_per_mm")
    assert p.mode == "dry" or speed_mm_s <= 12.001
    assert p.dose_ul == 0 or p.pressure_kpa <= p.syringe.max_pressure.value


@pytest.mark.requirement("R29")
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
