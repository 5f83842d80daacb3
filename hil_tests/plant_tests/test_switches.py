"""Hands, sensor wires, supply and skin."""

import itertools

import pytest

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant.clock import ManualClock
from mesodrive_rig.plant.lines import Sensor, SensorLine
from mesodrive_rig.plant.skin import Layer, SkinSpec
from mesodrive_rig.plant.supply import Supply, SupplySpec, Veto

MS = 1e6


class Rail:
    def __init__(self, rise_ms: float = 1.0, fall_ms: float = 0.2):
        self.clock = ManualClock()
        self.changes: list[tuple[bool, float]] = []
        self.supply = Supply(
            SupplySpec(rise_ms, fall_ms),
            self.clock,
            lambda on, ns: self.changes.append((on, ns / MS)),
        )

    def set_all(self, on: bool) -> None:
        for veto in Veto:
            self.supply.set(veto, on, self.clock.now_ns())


@pytest.mark.parametrize("inputs", list(itertools.product((False, True), repeat=4)))
def test_the_rail_is_on_only_when_all_four_agree(inputs: tuple[bool, ...]):
    rail = Rail()
    for veto, on in zip(Veto, inputs, strict=True):
        rail.supply.set(veto, on, 0.0)
    rail.clock.run_for_ms(10.0)
    assert rail.supply.on is all(inputs)


@pytest.mark.parametrize("veto", list(Veto))
def test_any_veto_cuts_the_rail_after_its_fall_time(veto: Veto):
    rail = Rail()
    rail.set_all(True)
    rail.clock.run_until(5 * MS)
    rail.supply.set(veto, False, 5 * MS)
    rail.clock.run_until(20 * MS)
    assert rail.changes == [(True, 1.0), (False, 5.2)]


def test_a_glitch_shorter_than_the_fall_time_leaves_the_rail_on():
    rail = Rail()
    rail.set_all(True)
    rail.clock.run_until(5 * MS)
    rail.supply.set(Veto.GUARD, False, 5 * MS)
    rail.clock.run_until(5.1 * MS)
    rail.supply.set(Veto.GUARD, True, 5.1 * MS)
    rail.clock.run_until(20 * MS)
    assert rail.changes == [(True, 1.0)]


def test_a_bouncing_line_toggles_at_the_given_times_and_rests_at_its_level():
    clock = ManualClock()
    seen: list[tuple[int, float]] = []
    line = SensorLine(Sensor.TRIGGER, 0, clock, lambda _, level, ns: seen.append((level, ns / MS)))
    line.set(1, 0.0, (0.5, 0.8, 1.0, 1.1))
    clock.run_for_ms(5.0)
    assert seen == [(1, 0.0), (0, 0.5), (1, 0.8), (0, 1.0), (1, 1.1)]


def test_a_new_movement_ends_the_bounce_of_the_one_before():
    clock = ManualClock()
    seen: list[int] = []
    line = SensorLine(Sensor.TRIGGER, 0, clock, lambda _sensor, level, _ns: seen.append(level))
    line.set(1, 0.0, (0.5, 0.8))
    clock.run_for_ms(0.6)
    line.set(0, clock.now_ns())
    clock.run_for_ms(5.0)
    assert seen == [1, 0]
    assert line.level == 0


@pytest.mark.parametrize("bounce_ms", [(0.5,), (0.8, 0.5), (0.0, 0.5), (0.5, 0.5)])
def test_a_bounce_that_cannot_be_is_refused_and_moves_nothing(bounce_ms: tuple[float, ...]):
    line = SensorLine(Sensor.TRIGGER, 0, ManualClock(), lambda _sensor, _level, _ns: None)
    with pytest.raises(MesodriveError, match="even number"):
        line.set(1, 0.0, bounce_ms)
    assert line.level == 0


@pytest.mark.parametrize(
    ("depth_mm", "layer"),
    [
        (-1.0, Layer.AIR),
        (0.0, Layer.AIR),
        (0.3, Layer.EPIDERMIS),
        (0.6, Layer.SUPERFICIAL_DERMIS),
        (2.0, Layer.SUPERFICIAL_DERMIS),
        (2.1, Layer.DEEP_DERMIS),
        (4.0, Layer.DEEP_DERMIS),
        (4.1, Layer.HYPODERMIS),
    ],
)
def test_each_depth_lies_in_its_layer(depth_mm: float, layer: Layer):
    assert SkinSpec().layer(depth_mm) is layer


@pytest.mark.parametrize("figures", [{"epidermis_mm": 3.0}, {"back_pressure_kpa": -1.0}])
def test_a_skin_that_cannot_be_is_refused(figures: dict[str, float]):
    with pytest.raises(MesodriveError):
        SkinSpec(**figures)
