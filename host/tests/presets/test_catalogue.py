"""What the shipped files hold, and that they can be used as they stand."""

import math
from pathlib import Path

import pytest

from mesodrive.presets import (
    Cartridge,
    Preset,
    PresetError,
    Quantity,
    list_cartridges,
    list_presets,
    list_syringes,
    load_cartridge,
    load_preset,
    load_syringe,
    prescribe,
    validate,
)
from mesodrive.presets.toml_file import read

DATA = Path(__file__).parents[2] / "mesodrive" / "presets" / "data"
DOC = Path(__file__).parents[3] / "docs" / "presets.md"

TECHNIQUES = {
    "dry-microneedling",
    "epidermic",
    "fractional",
    "hyaluronic-booster-9",
    "mesoperfusion",
    "micro-droplet",
    "micropuncture",
    "nappage",
    "papule",
    "point-by-point",
}


def value_of(quantity: Quantity | None) -> float:
    assert quantity is not None
    return quantity.value


def test_every_technique_of_the_table_is_shipped() -> None:
    assert {preset.name for preset in list_presets()} == TECHNIQUES


def test_a_file_is_named_after_what_is_in_it() -> None:
    entries = [*list_presets(), *list_cartridges(), *list_syringes()]
    assert sorted(e.name for e in entries) == sorted(p.stem for p in DATA.glob("*/*.toml"))


@pytest.mark.parametrize("path", sorted((DATA / "presets").glob("*.toml")), ids=lambda p: p.stem)
def test_a_shipped_preset_has_no_problem(path: Path) -> None:
    assert validate(path) == []


@pytest.mark.parametrize("preset", list_presets(), ids=lambda p: p.name)
def test_a_shipped_preset_can_be_prescribed_once_its_dose_is_set(preset: Preset) -> None:
    open_dose = preset.dose is None and preset.mode != "dry"
    prescription = prescribe(preset, overrides={"dose": 2.0} if open_dose else {})
    assert prescription.to_profile()["name"] == preset.name


def test_nappage_gives_at_least_twenty_shots_of_10_ul_in_under_half_a_second_each() -> None:
    prescription = prescribe(load_preset("nappage"))
    assert prescription.dose_ul == 10
    assert prescription.shots >= 20
    assert 300_000 <= prescription.period_us <= 500_000
    assert prescription.changes == ()


def test_the_booster_stamps_20_ul_through_nine_needles_at_06_mm() -> None:
    prescription = prescribe(load_preset("hyaluronic-booster-9"))
    profile = prescription.to_profile()
    assert (profile["needles"], profile["dose_nl"], profile["depth_um"]) == (9, 20_000, 600)
    assert profile["period_us"] == 1_000_000


def test_a_technique_has_the_mode_of_its_movement() -> None:
    modes = {preset.name: preset.mode for preset in list_presets()}
    assert modes == {
        "dry-microneedling": "dry",
        "epidermic": "burst",
        "fractional": "stamp",
        "hyaluronic-booster-9": "stamp",
        "mesoperfusion": "drip",
        "micro-droplet": "series",
        "micropuncture": "single",
        "nappage": "series",
        "papule": "single",
        "point-by-point": "single",
    }
    assert value_of(load_preset("nappage").soft_strikes) > 0


@pytest.mark.parametrize("depth", [0.25, 1.0, 2.5])
@pytest.mark.parametrize("rate", [100.0, 117.0, 150.0])
def test_dry_micro_needling_keeps_its_rate_at_every_depth_of_its_range(
    depth: float, rate: float
) -> None:
    preset = load_preset("dry-microneedling")
    assert preset.rate.range == (100, 150)
    assert preset.depth.range == (0.25, 2.5)
    prescription = prescribe(preset, overrides={"depth": depth, "rate": rate})
    assert prescription.period_us == round(1e6 / rate)
    assert prescription.changes == () or all(not c.beyond_range for c in prescription.changes)


def test_there_are_cartridges_of_1_5_9_and_12_needles() -> None:
    assert {c.needles.value for c in list_cartridges()} == {1, 5, 9, 12}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("value = 0.159", "value = 0.4", "inner_diameter must be less than outer_diameter"),
        ("value = 10.0\n", "value = 3.0\n", "bore_length must be at least usable_length"),
        ("value = 1\n", "value = 26\n", "needles is 26 needles but must lie from 1 to 25"),
    ],
)
def test_a_cartridge_that_cannot_be_is_refused(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    text = (DATA / "cartridges" / "single-30g-4mm.toml").read_text("utf-8")
    assert text.count(old) == 1
    path = tmp_path / "odd.toml"
    path.write_text(text.replace(old, new), "utf-8")
    cartridge, problems = read(path, Cartridge)
    assert cartridge is None
    assert problems[0].startswith(f"odd.toml: {sentence}")


def test_syringes_from_1_to_10_ml_have_a_bore_that_holds_their_volume() -> None:
    syringes = list_syringes()
    assert [s.volume.value for s in syringes] == [1, 2, 2.5, 3, 5, 10]
    for syringe in syringes:
        # A barrel is a few centimetres long: this catches a diameter given as a radius or in cm.
        assert 25 <= syringe.volume_ul / syringe.ul_per_mm <= 65


def test_the_bore_of_a_syringe_gives_its_volume_for_each_mm() -> None:
    assert load_syringe("1ml").ul_per_mm == pytest.approx(math.pi * 2.35**2)


def test_the_pressure_is_the_one_of_the_textbook() -> None:
    # 100 µL/s of water through 13 mm of 0.159 mm bore: 83 kPa by Hagen-Poiseuille.
    needle = load_cartridge("single-30g-13mm")
    per_mm = needle.pressure_kpa(flow_ul_s=100, viscosity_cp=1) / needle.bore_length.value
    assert per_mm * 13 == pytest.approx(83, abs=0.5)
    assert load_cartridge("multi-9").pressure_kpa(100, 1) == pytest.approx(34.5, abs=0.5)
    assert load_cartridge("multi-9").pressure_kpa(100, 10) == pytest.approx(345, abs=5)


def test_an_unknown_name_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(PresetError, match=r"no preset named 'napage'; did you mean nappage\?"):
        load_preset("napage")
    with pytest.raises(PresetError, match=r"did you mean multi-9"):
        load_cartridge("multi9")
    with pytest.raises(PresetError, match=r"choose from 10ml, 1ml"):
        load_syringe("bucket")


@pytest.mark.parametrize("preset", list_presets(), ids=lambda p: p.name)
def test_the_document_lists_a_shipped_preset_with_its_values(preset: Preset) -> None:
    dose = "-" if preset.mode == "dry" else "open" if preset.dose is None else preset.dose.text
    row = f"| `{preset.name}` | {preset.mode} | {preset.depth.text} | {dose} | "
    assert row + f"{preset.shots.value:g} | {preset.rate.text} |" in DOC.read_text("utf-8")


def test_a_preset_is_loaded_from_a_path_too() -> None:
    path = DATA / "presets" / "papule.toml"
    assert load_preset(str(path)) == load_preset("papule")
    assert value_of(load_preset("papule").dose) == 20
