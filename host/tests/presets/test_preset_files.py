"""Every way to spoil a preset file gives one sentence that names the key and the way out."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesodrive.presets import PresetError, load_preset, validate

GOOD = """\
schema = 2
name = "mine"
title = "Mine"
technique = "nappage"
mode = "series"
cartridge = "single-30g-4mm"
syringe = "1ml"

[shots]
value = 20
unit = "shots"
source = "test"

[depth]
value = 3.0
unit = "mm"
range = [2.0, 4.0]
source = "test"

[dose]
value = 10
unit = "µL"
source = "test"

[rate]
value = 2
unit = "Hz"
source = "test"

[flow]
value = 100
unit = "µL/s"
source = "test"

[settle]
value = 20
unit = "ms"
source = "test"

[rest]
value = 50
unit = "ms"
source = "test"
"""

WriteFile = Callable[..., Path]


@pytest.fixture
def preset_file(tmp_path: Path) -> WriteFile:
    """Write a good preset with `old` replaced by `new`, and return its path."""

    def write(old: str = "", new: str = "") -> Path:
        assert GOOD.count(old) == 1 or not old
        path = tmp_path / "mine.toml"
        path.write_text(GOOD.replace(old, new) if old else GOOD + new, encoding="utf-8")
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(PresetError) as caught:
        load_preset(str(path))
    sentence = str(caught.value)
    assert re.fullmatch(r"[^\n]+[.?]", sentence), sentence
    assert sentence == validate(path)[0]
    return sentence


def test_a_good_file_loads_and_has_no_problem(preset_file: WriteFile) -> None:
    path = preset_file()
    assert load_preset(str(path)).name == "mine"
    assert validate(path) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('unit = "mm"', 'unit = "cm"', "depth is in 'cm' but must be in 'mm'; convert"),
        ("value = 3.0", "value = 5.0", "depth is 5 mm, outside its own range; change"),
        ("value = 3.0", "value = 6.1", "depth is 6.1 mm but must lie from 0.01 to 6 mm; change"),
        ("value = 3.0", "value = nan", "depth.value must be a finite number; correct"),
        ("value = 3.0", 'value = "3"', "depth.value must be a number without quotes; correct"),
        ("value = 3.0", "value = true", "depth.value must be a number without quotes; correct"),
        ("[2.0, 4.0]", "[4.0, 2.0]", "depth has a range that runs backwards; put"),
        ("[2.0, 4.0]", "[2.0]", "depth.range.1 is missing; add"),
        ("[2.0, 4.0]", "3.0", "depth.range must be two numbers in square brackets; correct"),
        ('value = 20\nunit = "shots"', 'value = 2.5\nunit = "shots"', "shots is 2.5 but must"),
        ("value = 100\n", "values = 100\n", "flow.values is not a known key; did you mean value?"),
        ("[rate]", "[rates]", "rates is not a known key; did you mean rate"),
        ('mode = "series"', 'mode = "glide"', "mode must be one of 'single', 'burst', 'series'"),
        ('mode = "series"', 'mode = "dry"', "dose has no place in the mode 'dry'; remove it"),
        ('mode = "series"', 'mode = "burst"', "burst is missing in the mode 'burst'; add it."),
        ('name = "mine"', 'name = "My preset"', "name may hold a to z"),
        ('title = "Mine"', 'title = ""', "title must not be empty; correct"),
        ('title = "Mine"', "", "title is missing; add it."),
        ("schema = 2", "", "schema is missing; add 'schema = 2'"),
        ("schema = 2", "schema = 3", "schema 3 is newer than this mesodrive knows (2); update"),
        ("schema = 2", "schema = 1", "schema 1 is of an older mesodrive, whose modes meant some"),
        ("schema = 2", "schema = 0", "schema must be 2; correct it."),
        ("schema = 2", "schema = true", "schema must be 2; correct it."),
        ("[rest]", "[rest", "is not TOML (Expected ']'"),
        ('syringe = "1ml"', 'syringe = "1ml"\nsyringe = "2ml"', "is not TOML (Cannot overwrite"),
    ],
)
def test_a_spoilt_file_is_refused_with_one_sentence(
    preset_file: WriteFile, old: str, new: str, sentence: str
) -> None:
    assert sentence in refusal(preset_file(old, new))


@pytest.mark.requirement("R29")
def test_a_number_without_its_source_is_refused(preset_file: WriteFile) -> None:
    path = preset_file('[2.0, 4.0]\nsource = "test"', "[2.0, 4.0]")
    assert refusal(path) == "mine.toml: depth.source is missing; add it."


def test_a_flow_is_wanted_where_there_is_liquid(preset_file: WriteFile) -> None:
    path = preset_file('[flow]\nvalue = 100\nunit = "µL/s"\nsource = "test"\n', "")
    assert refusal(path) == "mine.toml: flow is missing in the mode 'series'; add it."


BURST = '[burst]\nvalue = 5\nunit = "strikes"\nsource = "test"\n'
SOFT = '[soft_strikes]\nvalue = 5\nunit = "strikes"\nsource = "test"\n'


@pytest.mark.parametrize(
    ("mode", "more", "sentence"),
    [
        ("series", BURST, "burst has no place in the mode 'series'; remove it or change mode."),
        ("single", SOFT, "soft_strikes has no place in the mode 'single'; remove it or change"),
        ("stamp", SOFT, "soft_strikes has no place in the mode 'stamp'; remove it or change"),
        ("drip", SOFT, "soft_strikes has no place in the mode 'drip'; remove it or change"),
        ("burst", BURST.replace("5", "1"), "burst is 1 strikes but must lie from 2 to 100"),
        ("burst", BURST.replace("5", "2.5"), "burst is 2.5 but must be a whole number; round"),
        ("series", SOFT.replace("5", "51"), "soft_strikes is 51 strikes but must lie from 0 to"),
    ],
    ids=["burst", "single", "stamp", "drip", "row-of-one", "half-a-strike", "never-full"],
)
def test_a_value_that_the_mode_does_not_know_is_refused(
    preset_file: WriteFile, mode: str, more: str, sentence: str
) -> None:
    text = preset_file('mode = "series"', f'mode = "{mode}"').read_text("utf-8")
    path = preset_file()
    path.write_text(text + more, "utf-8")
    assert f"mine.toml: {sentence}" in refusal(path)


def test_fractions_of_a_ms_are_taken(preset_file: WriteFile) -> None:
    path = preset_file('value = 50\nunit = "ms"', 'value = 0.4\nunit = "ms"')
    assert load_preset(str(path)).rest.value == 0.4
    assert validate(path) == []


@pytest.mark.parametrize("unit", ["uL", "\N{GREEK SMALL LETTER MU}L", "\N{MICRO SIGN}L"])
def test_the_micro_sign_may_be_typed_in_any_way(preset_file: WriteFile, unit: str) -> None:
    preset = load_preset(str(preset_file('unit = "µL"', f'unit = "{unit}"')))
    assert preset.dose is not None
    assert preset.dose.text == "10 \N{MICRO SIGN}L"


def test_all_problems_of_a_file_are_told_at_once(preset_file: WriteFile) -> None:
    path = preset_file()
    text = GOOD.replace('unit = "mm"', 'unit = "cm"').replace('unit = "Hz"', 'unit = "rpm"')
    path.write_text(text + '[angle]\nvalue = 90\nunit = "deg"\nsource = "test"\n', "utf-8")
    problems = validate(path)
    assert len(problems) == 3
    for key, problem in zip(("angle", "depth", "rate"), problems, strict=True):
        assert problem.startswith(f"mine.toml: {key} is ")


def test_a_preset_that_cannot_be_given_is_a_problem(preset_file: WriteFile) -> None:
    path = preset_file('syringe = "1ml"', 'syringe = "20ml"')
    assert validate(path)[0].startswith("mine.toml: There is no syringe named '20ml'; did you")
    path = preset_file('value = 3.0\nunit = "mm"\nrange = [2.0, 4.0]', 'value = 5\nunit = "mm"')
    assert "past the 4 mm" in validate(path)[0]
    path = preset_file('value = 20\nunit = "shots"', 'value = 101\nunit = "shots"')
    assert validate(path) == [
        "mine.toml: 101 shots of 10 µL need 1010 µL and the syringe '1ml' holds 1000 µL; "
        "take a larger syringe, or give fewer shots or a lesser dose."
    ]


def test_an_open_dose_is_no_problem(preset_file: WriteFile) -> None:
    path = preset_file('[dose]\nvalue = 10\nunit = "µL"\nsource = "test"\n', "")
    assert validate(path) == []


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (no such file" in refusal(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    assert "cannot be read (is a directory)" in refusal(tmp_path / "folder.toml")
    (tmp_path / "latin.toml").write_bytes("schema = 1 # µ".encode("latin-1"))
    assert "is not UTF-8" in refusal(tmp_path / "latin.toml")
    (tmp_path / "deep.toml").write_text("x = " + "[" * 20_000)
    assert "is not TOML" in refusal(tmp_path / "deep.toml")


_KEYS = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


@given(key=_KEYS, table=st.sampled_from(["", "shots", "depth", "dose", "rate"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_unknown_key_is_refused(preset_file: WriteFile, key: str, table: str) -> None:
    known = {"value", "unit", "range", "source"} if table else set(re.findall(r"\w+", GOOD))
    optional = {"dwell", "spacing", "notes", "burst", "soft_strikes", "zone_area"}
    known |= set() if table else optional
    if key in known:
        return
    where = f"[{table}]\n" if table else "schema = 2\n"
    name = f"{table}.{key}" if table else key
    path = preset_file(where, where + f'{key} = "x"\n')
    assert refusal(path).startswith(f"mine.toml: {name} is not a known key; ")


@given(data=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_whatever_make_it_crash(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(data)
    assert validate(path)
