"""The whole injector at its pins, on a clock that the test turns."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant import (
    CartridgeSpec,
    Injector,
    Layer,
    ManualClock,
    NeedleState,
    Output,
    PlantSpec,
    Sensor,
    SkinSpec,
    StrikeSpec,
    SyringeSpec,
    Truth,
)

MS = 1e6
UL_PER_STEP = 0.1
# `ready_board` sets the needle to 1.5 mm below the skin, 2.5 mm from its back stop.
PULL_IN_MS = 0.2
OUT_MS = PULL_IN_MS + math.sqrt(2 * 2.5 / 1.3)
BACK_MS = math.sqrt(2 * 2.5 / 1.0)
# 320 µL/mm, so a step is 0.1 µL; filled to where the pusher soon meets it, 3.75 mm from home
SYRINGE = SyringeSpec.from_ul_per_mm(320.0, fill_ul=18_000.0)


@dataclass(frozen=True)
class Change:
    sensor: Sensor
    level: int
    ms: float


class Board:
    """Moves the pins as a board would."""

    def __init__(self, spec: PlantSpec | None = None):
        self.clock = ManualClock()
        self.changes: list[Change] = []
        spec = spec or PlantSpec(syringe=SYRINGE, cartridge=CartridgeSpec(dead_volume_ul=0.0))
        self.injector = Injector(spec, self.clock, self._sensed)
        self.hands = self.injector.hands

    def _sensed(self, sensor: Sensor, level: int, now_ns: float) -> None:
        self.changes.append(Change(sensor, level, now_ns / MS))

    def enable(self) -> None:
        self.injector.on_enable(1, self.clock.now_ns())
        self.clock.run_for_ms(2.0)

    def step(self, axis: str, steps: int, interval_ms: float = 0.02) -> None:
        handlers = {
            "plunger": (self.injector.on_plunger_step, self.injector.on_plunger_dir),
            "depth": (self.injector.on_depth_step, self.injector.on_depth_dir),
        }
        on_step, on_dir = handlers[axis]
        on_dir(int(steps > 0), self.clock.now_ns())
        for _ in range(abs(steps)):
            on_step(1, self.clock.now_ns())
            on_step(0, self.clock.now_ns() + 2000.0)
            self.clock.run_for_ms(interval_ms)

    def touch_plunger(self) -> None:
        """Bring the pusher to the plunger, with less than a step missing."""
        travel_mm = SYRINGE.contact_mm - 2.0 + 0.01  # half the play
        self.step("plunger", int(travel_mm * 3200), interval_ms=0.001)

    def strike_line(self, level: int) -> None:
        self.injector.on_strike(level, self.clock.now_ns())
        self.injector.on_strike_peak(level, self.clock.now_ns())

    def truth(self) -> Truth:
        return self.injector.truth()


def accounted_ul(truth: Truth) -> float:
    return truth.skin_ul + truth.lost_ul + truth.line_ul


def ready_board(spec: PlantSpec | None = None) -> Board:
    """A powered board on the skin, the needle set to 1.5 mm, the pusher at the plunger."""
    board = Board(spec)
    board.enable()
    board.step("depth", round((2.5 - 0.7 + 0.01) * 6400), interval_ms=0.001)
    board.touch_plunger()
    board.hands.set(Sensor.CONTACT, True)
    return board


def test_a_shot_lands_in_the_skin_at_its_depth_and_its_record_says_so():
    board = ready_board()
    start_ms = board.clock.now_ns() / MS
    board.strike_line(1)
    board.clock.run_for_ms(10.0)
    board.step("plunger", 101, interval_ms=0.1)
    board.strike_line(0)
    release_ms = board.clock.now_ns() / MS
    board.clock.run_for_ms(50.0)
    truth = board.truth()
    (strike,) = truth.strikes
    assert strike.skin_ul == pytest.approx(10.0, abs=UL_PER_STEP + 1e-6)
    assert strike.lost_ul == truth.lost_ul == 0.0
    assert strike.depth_mm == pytest.approx(1.5, abs=0.001)
    assert strike.layer is Layer.SUPERFICIAL_DERMIS
    times_ms = [strike.start_ms, strike.out_ms, strike.release_ms, strike.back_ms]
    assert times_ms == pytest.approx(
        [start_ms + PULL_IN_MS, start_ms + OUT_MS, release_ms, release_ms + BACK_MS], abs=1e-3
    )
    assert truth.left_ul == pytest.approx(SYRINGE.fill_ul - truth.pushed_ul)


def test_the_end_sensors_follow_the_needle_at_their_own_times():
    board = ready_board()
    board.changes.clear()
    start_ms = board.clock.now_ns() / MS
    board.strike_line(1)
    board.clock.run_for_ms(30.0)
    assert board.truth().needle is NeedleState.OUT
    board.strike_line(0)
    board.clock.run_for_ms(30.0)
    assert [(c.sensor, c.level) for c in board.changes] == [
        (Sensor.NEEDLE_BACK, 0),
        (Sensor.NEEDLE_OUT, 1),
        (Sensor.NEEDLE_OUT, 0),
        (Sensor.NEEDLE_BACK, 1),
    ]
    assert [c.ms - start_ms for c in board.changes] == pytest.approx(
        [PULL_IN_MS, OUT_MS, 30.0, 30.0 + BACK_MS], abs=1e-3
    )


def test_an_end_sensor_may_bounce():
    board = ready_board(
        PlantSpec(
            syringe=SYRINGE,
            cartridge=CartridgeSpec(dead_volume_ul=0.0),
            strike=StrikeSpec(bounce_ms=(0.2, 0.3)),
        )
    )
    board.changes.clear()
    start_ms = board.clock.now_ns() / MS
    board.strike_line(1)
    board.clock.run_for_ms(30.0)
    out = [(c.level, c.ms - start_ms) for c in board.changes if c.sensor is Sensor.NEEDLE_OUT]
    assert [level for level, _ in out] == [1, 0, 1]
    assert [ms for _, ms in out] == pytest.approx([OUT_MS, OUT_MS + 0.2, OUT_MS + 0.3], abs=1e-3)


def test_what_is_pushed_without_a_strike_is_lost():
    board = ready_board()
    board.step("plunger", 50)
    truth = board.truth()
    assert truth.strikes == ()
    assert truth.skin_ul == 0.0
    assert truth.lost_ul == pytest.approx(5.0, abs=UL_PER_STEP + 1e-6)


@pytest.mark.parametrize("missing", [Sensor.CONTACT, Sensor.CARTRIDGE])
def test_a_strike_without_contact_or_cartridge_loses_its_dose_in_the_air(missing: Sensor):
    board = ready_board()
    board.hands.set(missing, False)
    board.strike_line(1)
    board.clock.run_for_ms(10.0)
    board.step("plunger", 101)
    (strike,) = board.truth().strikes
    assert (strike.skin_ul, strike.depth_mm, strike.layer) == (0.0, 0.0, Layer.AIR)
    assert strike.lost_ul == pytest.approx(10.0, abs=UL_PER_STEP + 1e-6)
    assert strike.back_ms is None


def test_a_stretched_line_drips_after_the_needle_is_home():
    board = ready_board(
        PlantSpec(
            syringe=SYRINGE, cartridge=CartridgeSpec(dead_volume_ul=0.0, compliance_ul_kpa=0.1)
        )
    )
    board.strike_line(1)
    board.clock.run_for_ms(10.0)
    board.step("plunger", 101, interval_ms=0.02)
    board.strike_line(0)
    board.clock.run_for_ms(1000.0)
    truth = board.truth()
    (strike,) = truth.strikes
    assert 0 < strike.skin_ul < 5.0
    assert strike.lost_ul > 0  # between leaving the skin and reaching home
    assert truth.lost_ul > strike.lost_ul + 5.0
    assert truth.skin_ul == strike.skin_ul
    assert accounted_ul(truth) == pytest.approx(truth.pushed_ul, abs=1e-9)


def test_what_drips_before_a_strike_is_not_the_strikes():
    board = ready_board(
        PlantSpec(
            syringe=SYRINGE, cartridge=CartridgeSpec(dead_volume_ul=0.0, compliance_ul_kpa=0.1)
        )
    )
    board.step("plunger", 101, interval_ms=0.001)
    board.clock.run_for_ms(1000.0)
    board.strike_line(1)
    board.clock.run_for_ms(20.0)
    truth = board.truth()
    assert truth.lost_ul > 9.9
    assert truth.strikes[0].lost_ul < 0.01


def test_each_strike_has_its_own_depth():
    board = ready_board()
    for _ in range(2):
        board.strike_line(1)
        board.clock.run_for_ms(20.0)
        board.strike_line(0)
        board.clock.run_for_ms(20.0)
        board.step("depth", -6400, interval_ms=0.001)
    depths_mm = [strike.depth_mm for strike in board.truth().strikes]
    assert depths_mm == pytest.approx([1.5, 0.52], abs=0.001)  # the play is 0.02 mm


def test_a_dose_lands_in_the_skin_though_the_clock_has_not_called_for_the_strike_yet():
    board = ready_board()
    now_ns = board.clock.now_ns()
    board.strike_line(1)
    board.injector.on_plunger_dir(1, now_ns)
    for step in range(10):
        board.injector.on_plunger_step(1, now_ns + (20 + step) * MS)
    board.clock.run_for_ms(50.0)
    truth = board.truth()
    assert truth.lost_ul == 0.0
    assert truth.strikes[0].skin_ul == pytest.approx(1.0, abs=UL_PER_STEP + 1e-6)


def test_pressing_takes_the_needle_deeper_by_as_much():
    board = ready_board()
    board.injector.press(0.4)
    board.strike_line(1)
    board.clock.run_for_ms(20.0)
    (strike,) = board.truth().strikes
    assert strike.depth_mm == pytest.approx(1.9, abs=0.001)
    with pytest.raises(MesodriveError):
        board.injector.press(1.0)


@pytest.mark.parametrize("sensor", [Sensor.GUARD, Sensor.STOP])
def test_guard_and_stop_cut_the_rail_and_bring_the_needle_home(sensor: Sensor):
    board = ready_board()
    board.strike_line(1)
    board.clock.run_for_ms(20.0)
    board.changes.clear()
    cut_ms = board.clock.now_ns() / MS
    before = board.truth()
    board.hands.set(sensor, False)
    board.clock.run_for_ms(1.0)
    board.step("plunger", 100)
    board.step("depth", 100)
    board.clock.run_for_ms(30.0)
    after = board.truth()
    fell_ms = {change.sensor: change.ms - cut_ms for change in board.changes if not change.level}
    assert fell_ms[sensor] == fell_ms[Sensor.INTERLOCK] == 0.0
    assert fell_ms[Sensor.RAIL] == pytest.approx(0.2)
    assert not after.rail_on
    assert after.strikes[0].release_ms == pytest.approx(cut_ms + 0.2)
    assert after.strikes[0].back_ms == pytest.approx(cut_ms + 0.2 + BACK_MS, abs=1e-3)
    assert after.pushed_ul == before.pushed_ul
    assert after.depth_axis_mm == before.depth_axis_mm


def test_interlock_is_guard_and_stop():
    board = Board()
    levels: list[int] = []
    for guard, stop in ((True, True), (False, True), (False, False), (True, False), (True, True)):
        board.hands.set(Sensor.GUARD, guard)
        board.hands.set(Sensor.STOP, stop)
        levels.append(board.injector.levels()[Sensor.INTERLOCK])
    assert levels == [1, 0, 0, 0, 1]


def test_pulling_the_supply_cuts_the_rail_though_everything_is_closed():
    board = ready_board()
    board.injector.set_supply_present(False)
    board.clock.run_for_ms(1.0)
    assert board.injector.levels()[Sensor.RAIL] == 0
    assert board.injector.levels()[Sensor.INTERLOCK] == 1


def test_levels_at_power_up_are_those_of_an_injector_at_rest():
    levels = Board().injector.levels()
    assert {sensor for sensor, level in levels.items() if level} == {
        Sensor.PLUNGER_HOME,
        Sensor.DEPTH_HOME,
        Sensor.NEEDLE_BACK,
        Sensor.GUARD,
        Sensor.STOP,
        Sensor.INTERLOCK,
        Sensor.CARTRIDGE,
        Sensor.DRIVER_OK,
        Sensor.SERVICE,
    }
    assert set(levels) == set(Sensor)


def test_a_fitted_service_jumper_pulls_its_pin_low():
    board = Board()
    board.hands.set(Sensor.SERVICE, True)
    assert board.changes == [Change(Sensor.SERVICE, 0, 0.0)]


def test_no_hand_moves_a_needle_sensor():
    with pytest.raises(MesodriveError, match="No hand"):
        Board().hands.set(Sensor.NEEDLE_OUT, True)


@pytest.mark.parametrize(
    ("axis", "sensor"), [("plunger", Sensor.PLUNGER_HOME), ("depth", Sensor.DEPTH_HOME)]
)
def test_an_axis_finds_its_home_switch_and_its_level_falls(axis: str, sensor: Sensor):
    board = Board()
    board.enable()
    board.changes.clear()
    board.step(axis, -6500, interval_ms=0.001)
    assert [(c.sensor, c.level) for c in board.changes] == [(sensor, 0)]


def test_bounce_reaches_the_pin_but_the_skin_is_touched_once():
    board = ready_board()
    board.hands.set(Sensor.CONTACT, False)
    board.clock.run_for_ms(1.0)
    board.strike_line(1)
    board.clock.run_for_ms(20.0)
    board.changes.clear()
    board.hands.set(Sensor.CONTACT, True, bounce_ms=(0.5, 1.0))
    board.clock.run_for_ms(0.6)
    assert [c.level for c in board.changes] == [1, 0]
    board.step("plunger", 10)
    assert board.truth().lost_ul == 0.0
    assert board.truth().skin_ul > 0.0


def test_edges_of_each_output_are_counted_with_their_times():
    board = Board()
    board.enable()
    start_ns = board.clock.now_ns()
    board.step("plunger", 5, interval_ms=1.0)
    board.strike_line(1)
    edges = board.truth().outputs
    steps = edges[Output.PLUNGER_STEP]
    assert (steps.rises, steps.first_rise_ns) == (5, start_ns)
    assert steps.last_rise_ns == start_ns + 4 * MS
    assert steps.last_fall_ns == start_ns + 4 * MS + 2000
    assert edges[Output.STRIKE].last_rise_ns == start_ns + 5 * MS
    assert edges[Output.STRIKE].last_fall_ns is None
    assert edges[Output.DEPTH_STEP].rises == 0


actions = st.one_of(
    st.tuples(st.just("step"), st.integers(-150, 150)),
    st.tuples(st.just("wait"), st.integers(1, 60)),
    st.tuples(st.just("strike"), st.booleans()),
    st.tuples(st.just("contact"), st.booleans()),
    st.tuples(st.just("cartridge"), st.booleans()),
    st.tuples(st.just("guard"), st.booleans()),
)


@given(
    st.lists(actions, max_size=25),
    st.sampled_from([0.0, 0.02, 0.3]),
    st.sampled_from([0.0, 5.0]),
    st.sampled_from([0.0, 40.0]),
    st.booleans(),
)
def test_what_is_pushed_is_in_the_skin_lost_or_in_the_line_always(
    script: list[tuple[str, int]],
    compliance_ul_kpa: float,
    dead_volume_ul: float,
    back_pressure_kpa: float,
    coupled: bool,
):
    # the pusher starts at the plunger, so that a few steps already push
    syringe = SyringeSpec.from_ul_per_mm(320.0, fill_ul=320.0 * 58, coupled=coupled)
    board = Board(
        PlantSpec(
            syringe=syringe,
            cartridge=CartridgeSpec(dead_volume_ul, compliance_ul_kpa=compliance_ul_kpa),
            skin=SkinSpec(back_pressure_kpa=back_pressure_kpa),
            strike=StrikeSpec(depth_offset_mm=-1.0),
        )
    )
    board.enable()
    skin_ul = lost_ul = 0.0
    for action, amount in script:
        if action == "step":
            board.step("plunger", amount)
        elif action == "wait":
            board.clock.run_for_ms(amount)
        elif action == "strike":
            board.strike_line(int(amount))
        else:
            board.hands.set(Sensor(action), bool(amount))
        truth = board.truth()
        assert accounted_ul(truth) == pytest.approx(truth.pushed_ul, abs=1e-8)
        assert truth.skin_ul >= skin_ul
        assert truth.lost_ul >= lost_ul
        skin_ul, lost_ul = truth.skin_ul, truth.lost_ul
        assert sum(strike.skin_ul for strike in truth.strikes) == pytest.approx(skin_ul, abs=1e-8)
        assert sum(strike.lost_ul for strike in truth.strikes) <= lost_ul + 1e-8


@pytest.mark.parametrize(
    ("syringe", "strike", "skin", "way_out"),
    [
        (SyringeSpec(inner_diameter_mm=5.0), StrikeSpec(), SkinSpec(), "less fill"),
        (SyringeSpec(), StrikeSpec(clearance_mm=0.5), SkinSpec(pressing_mm=0.6), "clearance_mm"),
        (SyringeSpec(), StrikeSpec(), SkinSpec(pressing_mm=1.0), "clearance_mm"),
    ],
)
def test_an_injector_that_cannot_be_is_refused(
    syringe: SyringeSpec, strike: StrikeSpec, skin: SkinSpec, way_out: str
):
    with pytest.raises(MesodriveError, match=way_out):
        PlantSpec(syringe=syringe, strike=strike, skin=skin)
