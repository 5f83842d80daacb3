"""A profile is taken at its limits, refused one past them, and never taken in part."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import PROFILE

from injector import limits
from injector.errors import Refusal
from injector.profile import MODES, Profile
from mesodrive_wire import BAD_PARAMS, LIMIT

DRY = {"mode": "dry", "dose_nl": 0}
BURST = {"mode": "burst", "burst": 2}
DOSED = ("single", "burst", "series", "stamp", "drip")
SEVERAL = ("burst", "series", "dry")


def mode(name: str) -> dict[str, object]:
    """What is true of a profile in mode `name`."""
    return {"mode": name, **{"dry": DRY, "burst": BURST}.get(name, {})}


# key, lowest, highest, and what else must then be so: the table of docs/protocol.md
BOUNDS = [
    ("version", 2, 2, {}),
    *[("shots", 1, 2_000, {**mode(name), "dose_nl": 1}) for name in DOSED],
    ("shots", 1, 100_000, DRY),
    ("burst", 2, 100, BURST),
    *[("burst", 1, 1, mode(name)) for name in MODES if name != "burst"],
    *[("depth_um", 0, 6_000, {**mode(name), "cartridge_um": 6_000}) for name in MODES],
    *[("dose_nl", 1, 100_000, {**mode(name), "shots": 1}) for name in DOSED if name != "drip"],
    ("dose_nl", 1, 500_000, {"mode": "drip", "shots": 1}),
    ("dose_nl", 0, 0, DRY),
    ("flow_nl_s", 1, 2_000_000, {}),
    *[("settle_us", 1_000, 1_000_000, mode(name)) for name in DOSED],
    ("settle_us", 0, 1_000_000, DRY),
    *[("dwell_us", 100, 5_000_000, mode(name)) for name in MODES if name != "drip"],
    ("dwell_us", 100, 30_000_000, mode("drip")),
    ("rest_us", 200, 60_000_000, {}),
    ("period_us", 4_000, 60_000_000, {}),
    *[("soft_strikes", 0, 50, mode(name)) for name in SEVERAL],
    *[("soft_strikes", 0, 0, mode(name)) for name in MODES if name not in SEVERAL],
    ("cartridge_um", 1, 13_000, {"depth_um": 1}),
    ("needles", 1, 25, {}),
    ("syringe_nl_per_mm", 1_000, 500_000, {}),
    ("fill_nl", 0, 10_000_000, DRY),
    ("bears_pa", 10_000, 1_000_000, {"pressure_pa": 0}),
    ("pressure_pa", 0, 1_000_000, {"bears_pa": 1_000_000}),
    ("friction_mn", 0, 20_000, {}),
]
AT_BOUNDS = pytest.mark.parametrize(
    ("key", "low", "high", "others"),
    [pytest.param(*bound, id=f"{bound[0]}-{bound[3].get('mode', 'any')}") for bound in BOUNDS],
)
NUMBERS = sorted({key for key, *_ in BOUNDS})


def profile(**changes: object) -> Profile:
    return Profile({**PROFILE, **changes})


def refusal(**changes: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        profile(**changes)
    return caught.value


@pytest.mark.requirement("R8")
@AT_BOUNDS
def test_a_value_at_its_limit_is_taken(key: str, low: int, high: int, others: dict[str, object]):
    for value in (low, high):
        taken = vars(profile(**{**others, key: value}))
        name = "nl_per_mm" if key == "syringe_nl_per_mm" else key
        assert key == "version" or taken[name] == value


@pytest.mark.requirement("R8", "R11")
@AT_BOUNDS
def test_a_value_one_past_its_limit_is_refused_with_the_limit(
    key: str, low: int, high: int, others: dict[str, object]
):
    for value, limit in ((low - 1, low), (high + 1, high), (10**30, high), (-(10**30), low)):
        refused = refusal(**{**others, key: value})
        assert refused.code == LIMIT
        assert refused.data == {"name": key, "value": value, "limit": limit}
        assert key in refused.sentence


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("key", sorted(PROFILE))
def test_a_profile_that_lacks_a_key_is_refused(key: str):
    values = {name: value for name, value in PROFILE.items() if name != key}
    with pytest.raises(Refusal, match=key) as caught:
        Profile(values)
    assert caught.value.code == BAD_PARAMS


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("key", ["Depth_um", "depth_mm", "", "volume_nl"])
def test_an_unknown_key_is_refused_by_its_name(key: str):
    refused = refusal(**{key: 1})
    assert refused.code == BAD_PARAMS
    assert f"'{key}'" in refused.sentence


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("value", [1.0, 5.5, float("inf"), True, False, "5", None, [5], {}])
@pytest.mark.parametrize("key", NUMBERS)
def test_what_is_no_whole_number_is_refused(key: str, value: object):
    refused = refusal(**{key: value})
    assert refused.code == BAD_PARAMS
    assert f"{key} must be a whole number" in refused.sentence


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("unknown", ["perfusion", "SINGLE", "", None, 1, True, ["single"], {}])
def test_a_mode_that_the_device_has_not_is_refused(unknown: object):
    refused = refusal(mode=unknown)
    assert refused.code == BAD_PARAMS
    assert all(known in refused.sentence for known in MODES)


@pytest.mark.parametrize("name", ["", "x" * 41, None, 7, ["name"], True, "a\ud800", "\udfff"])
def test_a_name_of_no_or_too_many_characters_is_refused(name: object):
    assert refusal(name=name).code == BAD_PARAMS


@pytest.mark.parametrize("name", ["x", "x" * 40, "é" * 40, "наппаж", "\ud7ff", "\ue000"])
def test_a_name_of_1_to_40_characters_is_taken(name: str):
    assert profile(name=name).name == name


@pytest.mark.requirement("R11")
@given(st.integers(1, 6_000), st.integers(1, 6_000))
def test_the_depth_is_within_the_needles_length(depth_um: int, cartridge_um: int):
    values = {"depth_um": depth_um, "cartridge_um": cartridge_um}
    if depth_um <= cartridge_um:
        assert profile(**values).depth_um == depth_um
    else:
        data = {"name": "depth_um", "value": depth_um, "limit": cartridge_um}
        assert refusal(**values).data == data


@pytest.mark.requirement("R12")
@given(st.integers(1, 2_000), st.integers(1, 100_000), st.integers(0, 10_000_000))
def test_all_shots_together_are_within_the_syringe(shots: int, dose_nl: int, fill_nl: int):
    values = {"shots": shots, "dose_nl": dose_nl, "fill_nl": fill_nl}
    if shots * dose_nl <= fill_nl:
        assert profile(**values).shots == shots
    else:
        refused = refusal(**values)
        assert refused.code == LIMIT
        assert refused.data == {"name": "shots", "value": shots, "limit": fill_nl // dose_nl}


def test_a_syringe_that_holds_just_the_shots_is_taken():
    assert profile(shots=10, dose_nl=1_000, fill_nl=10_000).fill_nl == 10_000
    assert refusal(shots=10, dose_nl=1_000, fill_nl=9_999).data == {
        "name": "shots",
        "value": 10,
        "limit": 9,
    }


def test_a_dry_profile_needs_no_liquid_and_no_settling():
    assert profile(mode="dry", dose_nl=0, fill_nl=0, settle_us=0).dose_nl == 0


@pytest.mark.parametrize("dwell_us", [0, -1, -(10**9)])
@pytest.mark.parametrize("name", MODES)
def test_a_dwell_of_no_time_or_less_is_refused_with_the_limit(name: str, dwell_us: int):
    refused = refusal(**{**mode(name), "dwell_us": dwell_us})
    assert refused.code == LIMIT
    assert refused.data == {"name": "dwell_us", "value": dwell_us, "limit": 100}
    assert "limits of 100 to" in refused.sentence


def test_an_id_is_eight_hex_digits_and_the_same_each_time():
    assert profile().id == profile().id == "33f7b9d4"


@pytest.mark.parametrize(
    ("number", "held"), [("", "00" * 8), ("b1", "00" * 7 + "b1"), ("0123456789abcdef",) * 2]
)
def test_a_cartridges_number_is_held_in_eight_bytes(number: str, held: str):
    assert profile(cartridge=number).cartridge.hex() == held


@pytest.mark.parametrize("number", ["0123456789abcdef0", "xyz", "0x1", "AB", "1 2", 5, None])
def test_a_cartridges_number_is_hex_digits_or_refused(number: object):
    refused = refusal(cartridge=number)
    assert refused.code == BAD_PARAMS
    assert "up to 16 lower-case hex digits" in refused.sentence


def test_the_order_of_the_keys_does_not_change_the_id():
    assert Profile(dict(reversed(PROFILE.items()))).id == profile().id


@pytest.mark.parametrize("key", sorted(set(PROFILE) - {"version"}))
def test_every_value_changes_the_id(key: str):
    changed = {"name": "nappagf", "mode": "single", "cartridge": "0b"}.get(key)
    if changed is None:
        changed = PROFILE[key] + 1
    others = {"mode": "burst", "burst": 2}
    if key == "mode":
        others = {}
    elif key == "burst":
        changed = 3
    assert profile(**{**others, key: changed}).id != profile(**others).id


@pytest.mark.requirement("R8", "R11")
def test_the_hard_limits_are_those_of_the_preset_tables_deepest_and_largest():
    # mesoperfusion to 6 mm; point by point up to 100 µL
    assert (limits.MAX_DEPTH_UM, limits.MAX_DOSE_NL) == (6_000, 100_000)


# what one pull gives


@pytest.mark.parametrize(
    ("changes", "strikes", "goes_on"),
    [
        ({"mode": "single"}, 1, False),
        ({"mode": "burst", "burst": 7}, 7, True),
        ({"mode": "series"}, 40, True),
        ({"mode": "stamp"}, 1, False),
        ({"mode": "drip"}, 1, False),
        ({"mode": "dry", "dose_nl": 0}, 40, True),
    ],
    ids=MODES,
)
def test_one_pull_gives_what_the_mode_says_and_is_gone_on_with_or_not(
    changes: dict[str, object], strikes: int, goes_on: bool
):
    made = profile(**changes, shots=40)
    assert (made.a_pull, made.goes_on) == (strikes, goes_on)


@given(st.integers(4_000, 60_000_000), st.integers(0, 50), st.integers(1, 120))
def test_the_rate_rises_from_half_to_full_over_the_soft_strikes(
    period_us: int, soft: int, strike: int
):
    made = profile(period_us=period_us, soft_strikes=soft)
    after_us = made.period_after_us(strike)
    left = max(0, soft - strike + 1)
    assert after_us == floor(period_us * (1 + Fraction(left, soft + 1)))
    assert period_us <= after_us < 2 * period_us
    assert made.period_after_us(strike + 1) <= after_us
    assert (after_us == period_us) == (strike > soft)


def test_three_soft_strikes_of_80_ms():
    made = profile(soft_strikes=3)
    assert [made.period_after_us(k) for k in range(1, 6)] == [
        140_000,
        120_000,
        100_000,
        80_000,
        80_000,
    ]
