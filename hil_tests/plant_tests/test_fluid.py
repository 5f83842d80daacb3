import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant.fluid import (
    CartridgeSpec,
    FluidPath,
    needle_resistance_kpa_s_ul,
)
from mesodrive_rig.plant.syringe import Syringe, SyringeSpec

MS = 1e6


def primed(spec: CartridgeSpec, back_pressure_kpa: float = 0.0) -> FluidPath:
    path = FluidPath(spec, back_pressure_kpa)
    path.push(spec.dead_volume_ul, 0.0)
    return path


@given(st.floats(3.0, 25.0), st.floats(0.0, 60.0), st.floats(0.0, 60.0))
def test_a_syringe_pushes_its_cross_section_times_the_travel_after_contact(
    diameter_mm: float, fill_mm: float, pusher_mm: float
):
    area_mm2 = math.pi / 4 * diameter_mm**2
    spec = SyringeSpec(inner_diameter_mm=diameter_mm, fill_ul=fill_mm * area_mm2)
    syringe = Syringe(spec)
    pushed_ul = syringe.follow(pusher_mm)
    travel_mm = max(0.0, pusher_mm - (60 - fill_mm))
    assert pushed_ul == pytest.approx(area_mm2 * travel_mm, abs=1e-6)
    assert syringe.pushed_ul == pytest.approx(pushed_ul, abs=1e-6)
    assert syringe.left_ul == pytest.approx(spec.fill_ul - pushed_ul, abs=1e-6)


def test_a_syringe_given_by_its_volume_for_each_mm_has_that_volume():
    spec = SyringeSpec.from_ul_per_mm(114.2, fill_ul=1142.0)
    assert spec.ul_per_mm == pytest.approx(114.2)
    assert spec.contact_mm == pytest.approx(50.0)


def test_an_empty_syringe_gives_nothing_more():
    syringe = Syringe(SyringeSpec.from_ul_per_mm(100.0, fill_ul=500.0))
    assert syringe.follow(61.0) == pytest.approx(500.0)
    assert syringe.follow(62.0) == 0.0
    assert syringe.left_ul == pytest.approx(0.0)


def test_a_pusher_that_draws_back_leaves_the_plunger_unless_coupled():
    loose = Syringe(SyringeSpec.from_ul_per_mm(100.0, fill_ul=500.0))
    coupled = Syringe(SyringeSpec.from_ul_per_mm(100.0, fill_ul=500.0, coupled=True))
    for syringe in (loose, coupled):
        assert syringe.follow(54.0) == 0.0  # not touched yet, so not pulled either
        syringe.follow(57.0)
    assert loose.follow(56.0) == 0.0
    assert loose.follow(57.5) == pytest.approx(50.0)
    assert coupled.follow(56.0) == pytest.approx(-100.0)
    assert coupled.follow(57.5) == pytest.approx(150.0)


@pytest.mark.parametrize(
    ("needles", "diameter_mm", "length_mm", "viscosity_cp", "pressure_kpa"),
    [
        (1, 0.159, 13.0, 1.0, 83.0),  # one 30G, water
        (1, 0.159, 13.0, 10.0, 830.0),
        (1, 0.108, 10.0, 1.0, 300.0),  # one 32G
        (9, 0.09, 5.0, 1.0, 35.0),  # nine 0.18 mm needles
    ],
)
def test_ten_microlitres_in_100_ms_take_the_pressure_of_the_table(
    needles: int, diameter_mm: float, length_mm: float, viscosity_cp: float, pressure_kpa: float
):
    resistance = needle_resistance_kpa_s_ul(
        viscosity_cp=viscosity_cp,
        needles=needles,
        inner_diameter_mm=diameter_mm,
        length_mm=length_mm,
    )
    assert resistance * 100.0 == pytest.approx(pressure_kpa, rel=0.02)


def test_a_rigid_line_gives_what_is_pushed_where_the_tip_is():
    path = primed(CartridgeSpec(dead_volume_ul=30.0))
    path.push(2.0, 1 * MS)
    path.set_in_skin(True, 2 * MS)
    path.push(3.0, 3 * MS)
    path.set_in_skin(False, 4 * MS)
    path.settle(1000 * MS)
    assert (path.lost_ul, path.skin_ul) == (2.0, 3.0)
    assert path.pressure_kpa is None


def test_nothing_comes_out_while_the_cartridge_fills():
    path = FluidPath(CartridgeSpec(dead_volume_ul=30.0), 0.0)
    path.push(29.0, 0.0)
    assert (path.lost_ul, path.line_ul) == (0.0, 29.0)
    path.push(3.0, 1 * MS)
    assert (path.lost_ul, path.line_ul) == (2.0, 30.0)


@given(
    st.floats(0.01, 1.0),
    st.floats(1.0, 100.0),
    st.lists(st.floats(0.0, 300.0), min_size=1, max_size=8),
)
def test_a_stretched_line_empties_with_resistance_times_compliance(
    compliance_ul_kpa: float, viscosity_cp: float, times_ms: list[float]
):
    spec = CartridgeSpec(compliance_ul_kpa=compliance_ul_kpa, viscosity_cp=viscosity_cp)
    tau_ms = 1e3 * spec.resistance_kpa_s_ul * compliance_ul_kpa
    path = primed(spec)
    path.push(10.0, 0.0)
    assert path.pressure_kpa == pytest.approx(10.0 / compliance_ul_kpa)
    for time_ms in sorted(times_ms):  # however often it is asked on the way
        path.settle(time_ms * MS)
        assert path.lost_ul == pytest.approx(10 * (1 - math.exp(-time_ms / tau_ms)), abs=1e-9)


def test_the_time_constant_of_30g_water_and_a_tenth_of_a_microlitre_a_kilopascal_is_83_ms():
    path = primed(CartridgeSpec(compliance_ul_kpa=0.1))
    path.push(10.0, 0.0)
    path.settle(83 * MS)
    assert path.lost_ul == pytest.approx(10 * (1 - 1 / math.e), rel=0.003)


def test_skin_keeps_in_what_its_back_pressure_holds_and_it_drips_out_afterwards():
    path = primed(CartridgeSpec(compliance_ul_kpa=0.1), back_pressure_kpa=40.0)
    path.set_in_skin(True, 0.0)
    path.push(3.0, 0.0)
    path.settle(1000 * MS)
    assert path.skin_ul == 0.0  # 30 kPa against 40
    path.push(7.0, 1000 * MS)
    path.settle(9000 * MS)
    assert path.skin_ul == pytest.approx(6.0)
    assert path.pressure_kpa == pytest.approx(40.0)
    path.set_in_skin(False, 9000 * MS)
    path.settle(20_000 * MS)
    assert path.lost_ul == pytest.approx(4.0)


def test_a_flow_is_split_at_the_moment_the_tip_leaves_the_skin():
    spec = CartridgeSpec(compliance_ul_kpa=0.1)
    tau_ms = 1e3 * spec.resistance_kpa_s_ul * 0.1
    path = primed(spec)
    path.set_in_skin(True, 0.0)
    path.push(10.0, 0.0)
    path.set_in_skin(False, 40 * MS)
    path.settle(100 * MS)
    left_at_40_ul = 10 * math.exp(-40 / tau_ms)
    assert path.skin_ul == pytest.approx(10 - left_at_40_ul)
    assert path.lost_ul == pytest.approx(left_at_40_ul - 10 * math.exp(-100 / tau_ms))


def test_a_steady_push_reaches_poiseuille_pressure():
    spec = CartridgeSpec(compliance_ul_kpa=0.01)
    path = primed(spec)
    for step in range(20_000):  # 100 µL/s in steps of 5 nL
        path.push(0.005, step * 0.05 * MS)
    assert path.pressure_kpa == pytest.approx(100.0 * spec.resistance_kpa_s_ul, rel=0.01)


def test_drawing_back_relieves_the_pressure_first_and_then_takes_air():
    path = primed(CartridgeSpec(dead_volume_ul=30.0, compliance_ul_kpa=0.1))
    path.push(5.0, 0.0)
    path.push(-4.0, 0.0)
    assert path.pressure_kpa == pytest.approx(10.0)
    path.push(-3.0, 0.0)
    assert path.pressure_kpa == 0.0
    assert path.line_ul == pytest.approx(28.0)
    path.settle(1000 * MS)
    path.push(2.0, 1000 * MS)  # the air goes before anything comes out
    path.settle(2000 * MS)
    assert path.lost_ul == 0.0


@pytest.mark.parametrize(
    "figures", [{"needles": 0}, {"viscosity_cp": 0.0}, {"dead_volume_ul": -1.0}]
)
def test_a_cartridge_that_cannot_be_is_refused(figures: dict[str, float]):
    with pytest.raises(MesodriveError):
        CartridgeSpec(**figures)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "figures",
    [
        {"inner_diameter_mm": 0.0},
        {"inner_diameter_mm": math.nan},
        {"fill_ul": -1.0},
        {"fill_ul": math.nan},
        {"fill_ul": math.inf},
        {"empty_mm": math.inf},
        {"friction_n": math.nan},
    ],
)
def test_a_syringe_that_cannot_be_is_refused(figures: dict[str, float]):
    with pytest.raises(MesodriveError):
        SyringeSpec(**figures)  # type: ignore[arg-type]


def blocked(spec: CartridgeSpec, volume_ul: float) -> FluidPath:
    path = primed(spec)
    path.set_blocked(True, 0.0)
    path.push(volume_ul, MS)
    return path


@given(st.sampled_from([0.0, 0.05]), st.floats(0.1, 20.0))
def test_blocked_needles_keep_everything_back_as_pressure(compliance: float, volume_ul: float):
    spec = CartridgeSpec(compliance_ul_kpa=compliance, blocked_ul_kpa=0.02)
    path = blocked(spec, volume_ul)
    assert path.pressure_at(1000 * MS) == pytest.approx(volume_ul / (compliance or 0.02))
    assert path.skin_ul == path.lost_ul == 0.0


@given(st.sampled_from([0.0, 0.05]))
def test_needles_that_are_freed_let_out_what_was_kept_back(compliance: float):
    path = blocked(CartridgeSpec(compliance_ul_kpa=compliance), 3.0)
    path.set_in_skin(True, 2 * MS)
    path.set_blocked(False, 3 * MS)
    path.settle(10_000 * MS)
    assert path.skin_ul == pytest.approx(3.0)


def test_in_a_rigid_line_the_pressure_is_what_the_flow_takes_and_fades_after_it():
    spec = CartridgeSpec()
    path = primed(spec)
    for number in range(1, 5):
        path.push(0.1, number * MS)
    takes_kpa = 100 * spec.resistance_kpa_s_ul
    assert path.pressure_at(4.5 * MS) == pytest.approx(takes_kpa)
    assert path.pressure_at(14 * MS) == pytest.approx(takes_kpa / 10)
