"""Profiles at and around every limit, alone, by twos, and by threes where limits meet."""

from collections.abc import Iterator
from itertools import combinations, product
from random import Random
from typing import Any

from mesodrive_rig.campaigns.limits.oracle import KEYS, MODES, Values, bounds, cycle_us

_NOT_WHOLE: tuple[Any, ...] = (None, True, False, 1.0, "1", [1], {}, 10**30, -(10**30))
_ABSENT = object()

# One that can be carried out in every mode, with room on all sides.
_BASE: Values = {
    "shots": 3,
    "burst": 1,
    "depth_um": 2_000,
    "dose_nl": 1_000,
    "flow_nl_s": 100_000,
    "settle_us": 5_000,
    "dwell_us": 200_000,
    "rest_us": 10_000,
    "period_us": 500_000,
    "soft_strikes": 0,
    "cartridge_um": 4_000,
    "needles": 1,
    "syringe_nl_per_mm": 17_349,
    "fill_nl": 900_000,
    "pressure_pa": 10_000,
    "bears_pa": 300_000,
    "friction_mn": 2_000,
}


def base(mode: str) -> Values:
    values = {"mode": mode, **_BASE}
    if mode == "dry":
        values["dose_nl"] = 0
    if mode == "burst":
        values["burst"] = 2
    return values


def around(low: int, high: int) -> list[int]:
    """A limit's two ends, and one to either side of each."""
    return sorted({low - 1, low, low + 1, high - 1, high, high + 1})


def generous(values: Values, key: str) -> Values:
    """Where a value alone is at its end the others make room for it, as far as they can."""
    changed = dict(values)
    if key == "dwell_us":
        changed["period_us"] = 60_000_000
    if key in ("rest_us", "period_us"):
        changed.update(dwell_us=100_000, period_us=values["period_us"])
    if key in ("depth_um", "cartridge_um"):
        changed["cartridge_um" if key == "depth_um" else "depth_um"] = (
            13_000 if key == "depth_um" else 1
        )
    if key in ("shots", "dose_nl", "fill_nl"):
        changed.update(fill_nl=10_000_000, syringe_nl_per_mm=200_000)
    if key == "dose_nl":
        changed.update(dwell_us=4_000_000, period_us=60_000_000, flow_nl_s=1_000_000)
    if key == "pressure_pa":
        changed["bears_pa"] = 1_000_000
    changed[key] = values[key]
    return changed


def alone() -> Iterator[Values]:
    """Each key at each of its ends, and of kinds that no number is; and missing."""
    for mode in MODES:
        for key, (low, high) in bounds(mode).items():
            for value in (*around(low, high), *_NOT_WHOLE, _ABSENT):
                for values in (base(mode), generous({**base(mode), key: value}, key)):
                    changed = {**values, key: value}
                    if value is _ABSENT:
                        del changed[key]
                    yield changed
        for other in ("Single", "", None, 1, True, ["single"], "perfusion"):
            yield {**base(mode), "mode": other}


def pairs() -> Iterator[Values]:
    """Every two keys at all their ends."""
    for mode in MODES:
        limits = bounds(mode)
        for one, other in combinations(KEYS, 2):
            for a, b in product(around(*limits[one]), around(*limits[other])):
                yield {**base(mode), one: a, other: b}


def meeting() -> Iterator[Values]:
    """Where three or more limits meet, exactly there and one to either side."""
    for mode in MODES:
        yield from _syringe(mode)
        yield from _time(mode)
        yield from _depth(mode)
        yield from _force(mode)
        yield from _speed(mode)


def _syringe(mode: str) -> Iterator[Values]:
    limits = bounds(mode)
    room = {"dwell_us": 4_900_000, "period_us": 60_000_000, "flow_nl_s": 2_000_000}
    for shots, dose in product((1, 2, 99, 1_999, 2_000), around(*limits["dose_nl"])):
        for off in (-1, 0, 1):
            fill = shots * dose + off
            syringe = max(1_000, min(500_000, fill // 40_000))
            changed = {"shots": shots, "dose_nl": dose, "fill_nl": fill}
            yield {**base(mode), **room, **changed, "syringe_nl_per_mm": syringe}
    for syringe in (1_000, 1_001, 17_349, 100_000, 166_666, 166_667):
        for fill in (60 * syringe - 1, 60 * syringe, 60 * syringe + 1, 60 * syringe + syringe):
            yield {**base(mode), "syringe_nl_per_mm": syringe, "fill_nl": fill}


def _time(mode: str) -> Iterator[Values]:
    for depth, dwell, rest in product((0, 1, 2_000, 6_000), (100, 60_000), (200, 201, 9_999)):
        values = {**base(mode), "depth_um": depth, "dwell_us": dwell, "rest_us": rest}
        values["cartridge_um"] = 6_000
        for off in (-20, -10, -1, 0, 1, 9, 10, 20):
            yield {**values, "period_us": int(cycle_us(values)) + off}
    for settle, dwell in product((1_000, 100_000, 1_000_000), (0, 1, 60_000, 120_000)):
        yield {
            **base(mode),
            "settle_us": settle,
            "dwell_us": settle + dwell,
            "period_us": 60_000_000,
        }


def _depth(mode: str) -> Iterator[Values]:
    for cartridge in (1, 2, 5_999, 6_000, 6_001, 13_000):
        for depth in {0, 1, cartridge - 1, cartridge, cartridge + 1, 6_000}:
            yield {**base(mode), "depth_um": depth, "cartridge_um": cartridge}


def _force(mode: str) -> Iterator[Values]:
    for syringe, friction in product((17_349, 100_000, 500_000), (0, 2_000, 20_000)):
        most_pa = (40_000 - friction) * 1_000_000 // syringe
        for pressure in (most_pa - 100, most_pa - 1, most_pa, most_pa + 1, most_pa + 100):
            force = {"syringe_nl_per_mm": syringe, "friction_mn": friction}
            yield {**base(mode), **force, "pressure_pa": pressure, "bears_pa": 1_000_000}
    for bears in (10_000, 300_000, 1_000_000):
        for pressure in (bears - 1, bears, bears + 1):
            yield {**base(mode), "pressure_pa": pressure, "bears_pa": bears}


def _speed(mode: str) -> Iterator[Values]:
    for syringe in (1_000, 17_349, 166_666, 500_000):
        room = {"dwell_us": 4_000_000, "period_us": 60_000_000, "syringe_nl_per_mm": syringe}
        room["fill_nl"] = min(10_000_000, 50 * syringe)
        for um_s in (1, 2, 11_999, 12_000, 12_001, 12_002):
            for off in (-1, 0, 1):
                flow = um_s * syringe // 1_000 + off
                yield {**base(mode), **room, "dose_nl": 10, "shots": 1, "flow_nl_s": flow}


def some(cases: list[Values], share: float, random: Random) -> list[Values]:
    return random.sample(cases, max(1, round(share * len(cases))))
