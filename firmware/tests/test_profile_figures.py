"""The figures with which a profile is refused, and its id."""

import binascii

import pytest
from stand_ins import PROFILE

from injector.errors import Refusal
from injector.profile import MODES, Profile
from mesodrive_wire import BAD_PARAMS, LIMIT

KEYS = (
    *("version", "name", "mode", "shots", "burst", "depth_um", "dose_nl", "flow_nl_s"),
    *("settle_us", "dwell_us", "rest_us", "period_us", "soft_strikes", "cartridge_um"),
    *("needles", "syringe_nl_per_mm", "fill_nl", "pressure_pa", "bears_pa", "friction_mn"),
    "cartridge",
)


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        (
            {"depth_um": 4_001, "cartridge_um": 4_000},
            {"name": "depth_um", "value": 4_001, "limit": 4_000},
        ),
        (
            {"pressure_pa": 50_001, "bears_pa": 50_000},
            {"name": "pressure_pa", "value": 50_001, "limit": 50_000},
        ),
        (
            {"shots": 3, "dose_nl": 1_000, "fill_nl": 2_999},
            {"name": "shots", "value": 3, "limit": 2},
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused_with_the_limit(
    changes: dict[str, object], data: dict[str, object]
):
    with pytest.raises(Refusal) as caught:
        Profile({**PROFILE, **changes})
    assert (caught.value.code, caught.value.data) == (LIMIT, data)
    limit = {**changes, data["name"]: data["limit"]}
    Profile({**PROFILE, **limit})


def test_an_id_is_the_crc_of_all_values_a_line_each():
    bits = 0
    for number in range(40):
        values = {**PROFILE, "name": f"number {number}"}
        lines = "\n".join(str(values[key]) for key in KEYS)
        expected = binascii.crc32(lines.encode())
        assert Profile(values).id == f"{expected:08x}"
        bits |= expected
    assert bits == 0xFFFFFFFF


def test_the_modes_are_these_six():
    assert MODES == ("single", "burst", "series", "stamp", "drip", "dry")
    for mode in ("", "SERIES", None, 1, ["series"]):
        with pytest.raises(Refusal) as caught:
            Profile({**PROFILE, "mode": mode})
        assert caught.value.code == BAD_PARAMS


@pytest.mark.parametrize(
    ("mode", "a_pull", "goes_on"),
    [
        ("single", 1, False),
        ("burst", 4, True),
        ("series", 9, True),
        ("stamp", 1, False),
        ("drip", 1, False),
        ("dry", 9, True),
    ],
)
def test_what_a_pull_gives_and_whether_it_goes_on(mode: str, a_pull: int, goes_on: bool):
    changes = {"mode": mode, "shots": 9, "burst": 4 if mode == "burst" else 1}
    profile = Profile({**PROFILE, **changes, "dose_nl": 0 if mode == "dry" else 1_000})
    assert (profile.a_pull, profile.goes_on) == (a_pull, goes_on)
    soft = {**PROFILE, **changes, "dose_nl": 0 if mode == "dry" else 1_000, "soft_strikes": 3}
    if goes_on:
        profile = Profile(soft)
        periods = [profile.period_after_us(strike) for strike in range(1, 6)]
        assert periods == [140_000, 120_000, 100_000, 80_000, 80_000]
    else:
        with pytest.raises(Refusal):
            Profile(soft)


@pytest.mark.parametrize(
    ("number", "held"), [("", bytes(8)), ("f", bytes(7) + b"\x0f"), ("0123456789abcdef", None)]
)
def test_a_cartridges_number_fills_eight_bytes(number: str, held: "bytes | None"):
    expected = held or bytes.fromhex(number)
    assert Profile({**PROFILE, "cartridge": number}).cartridge == expected
    for wrong in (number + "0" * (17 - len(number)), number[:15] + "g", 5, None):
        with pytest.raises(Refusal) as caught:
            Profile({**PROFILE, "cartridge": wrong})
        assert caught.value.code == BAD_PARAMS
