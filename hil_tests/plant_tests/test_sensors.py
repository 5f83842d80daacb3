"""What the board can measure of the injector: force, heat, supply, drivers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive_rig.plant import (
    Analog,
    AxisSpec,
    CartridgeSpec,
    HeatSpec,
    Injector,
    ManualClock,
    Output,
    PlantSpec,
    Sensor,
    SupplySpec,
    SyringeSpec,
)
from mesodrive_rig.plant.analog import FULL, broken_wire, shorted_to
from mesodrive_rig.plant.heat import Coil
from mesodrive_rig.plant.syringe import Syringe

MS = 1e6
MM2 = 20.0
# The pusher stands at the plunger.
SYRINGE = SyringeSpec.from_ul_per_mm(MM2, fill_ul=1000.0, empty_mm=60.0)
PLUNGER = AxisSpec(lead_mm=1.0, max_mm=62.0, initial_mm=10.0, backlash_mm=0.0)
STEP_UL = MM2 / 3200


class Board:
    def __init__(self, **parts: object):
        self.clock = ManualClock()
        self.levels: dict[Sensor, int] = {}
        spec = PlantSpec(
            **{
                "plunger": PLUNGER,
                "syringe": SYRINGE,
                "cartridge": CartridgeSpec(dead_volume_ul=0.0),
                **parts,
            }  # pyright: ignore[reportArgumentType]
        )
        self.injector = Injector(spec, self.clock, self._sensed)
        self.injector.on_enable(1, 0.0)
        self.clock.run_for_ms(2.0)

    def _sensed(self, sensor: Sensor, level: int, _now_ns: float) -> None:
        self.levels[sensor] = level

    def step(self, steps: int, forward: bool = True) -> None:
        self.injector.on_plunger_dir(int(forward), self.clock.now_ns())
        for _ in range(steps):
            self.clock.run_for_ms(0.1)
            self.injector.on_plunger_step(1, self.clock.now_ns())
            self.injector.on_plunger_step(0, self.clock.now_ns())


def test_a_pusher_away_from_the_plunger_feels_nothing():
    board = Board(syringe=SyringeSpec.from_ul_per_mm(MM2, fill_ul=900.0))
    board.step(100)
    assert board.injector.force_n() == 0.0


def test_a_plunger_that_is_pushed_resists_with_its_friction_and_the_flow():
    board = Board()
    board.step(100)
    spec = CartridgeSpec()
    flow_n = 10_000 * STEP_UL * spec.resistance_kpa_s_ul * MM2 / 1000
    assert board.injector.force_n() == pytest.approx(2.0 + flow_n)
    board.clock.run_for_ms(1000)
    assert board.injector.force_n() == pytest.approx(2.0, abs=0.01)


def test_air_in_the_line_leaves_the_friction_alone():
    board = Board(cartridge=CartridgeSpec(dead_volume_ul=30.0))
    board.step(100)
    assert board.injector.force_n() == 2.0


def test_blocked_needles_let_the_force_grow_with_each_step():
    board = Board(cartridge=CartridgeSpec(dead_volume_ul=0.0, blocked_ul_kpa=0.05))
    board.injector.set_blocked(True)
    board.step(320)
    assert board.injector.force_n() == pytest.approx(2.0 + 2.0 / 0.05 * MM2 / 1000)


def test_a_pusher_that_is_drawn_back_is_followed_until_friction_holds_the_rest():
    board = Board()
    board.injector.set_blocked(True)
    board.step(3200)
    assert board.injector.truth().line_ul == pytest.approx(20.0)
    board.step(3200, forward=False)
    assert board.injector.force_n() == 0.0
    truth = board.injector.truth()
    friction_kpa = 2.0 * 1000 / MM2
    assert truth.line_ul == pytest.approx(friction_kpa * 0.02)
    assert truth.pushed_ul == pytest.approx(truth.line_ul)


def test_the_bottom_of_an_empty_syringe_resists():
    syringe = Syringe(SyringeSpec.from_ul_per_mm(MM2, fill_ul=0.0))
    syringe.follow(60.2)
    assert syringe.force_n(60.2, 0.0) > 40


@given(st.floats(1.0, 600.0), st.floats(1.0, 600.0))
def test_the_coil_warms_and_cools_the_same_in_one_leap_or_in_many(heat_s: float, cool_s: float):
    spec = HeatSpec()
    once, often = Coil(spec), Coil(spec)
    for coil in (once, often):
        coil.set_current(True, True, 0.0)
    for part in range(1, 10):
        often.set_current(True, True, part * heat_s / 10 * 1e9)
    for coil in (once, often):
        coil.set_current(False, False, heat_s * 1e9)
    end_ns = (heat_s + cool_s) * 1e9
    warmed_k = 40 * (1 - math.exp(-heat_s / 120)) * math.exp(-cool_s / 120)
    assert once.celsius(end_ns) == pytest.approx(25.0 + warmed_k)
    assert often.celsius(end_ns) == pytest.approx(once.celsius(end_ns))


def test_the_supply_sags_under_the_full_current_and_is_no_rail_when_too_low():
    board = Board(supply=SupplySpec(sag_v=4.0))
    board.injector.on_strike_peak(1, board.clock.now_ns())
    assert board.injector.count(Analog.SUPPLY) == round(24 * 10 / 101 / 3.3 * 4096)
    board.injector.on_strike(1, board.clock.now_ns())
    assert board.injector.count(Analog.SUPPLY) == round(20 * 10 / 101 / 3.3 * 4096)
    board.injector.set_supply_v(10.0)
    board.clock.run_for_ms(1.0)
    assert board.levels[Sensor.RAIL] == 0


def test_wires_break_and_short():
    board = Board()
    for sensor in Analog:
        board.injector.faults[sensor] = shorted_to(FULL)
        assert board.injector.count(sensor) == FULL
        board.injector.faults[sensor] = broken_wire(sensor)
        assert board.injector.count(sensor) in (0, FULL)
        del board.injector.faults[sensor]
        assert 0 < board.injector.count(sensor) < FULL


def test_a_driver_tells_its_error_and_a_stalled_motor_loses_its_steps():
    board = Board()
    board.injector.set_driver_error(True)
    assert board.levels[Sensor.DRIVER_OK] == 0
    board.injector.set_stalled(Output.PLUNGER_STEP, True)
    board.step(10)
    assert board.injector.truth().plunger_lost_steps == 10
    assert board.injector.truth().pushed_ul == 0.0
