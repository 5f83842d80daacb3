"""What a person gets who holds the device to the skin and pulls the trigger: the right dose at
the right depth, told as it truly was, and never a strike that nobody asked for.

Truth is the virtual injector's; times are emulated ms, taken from the device's pins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from mesodrive.device import Plan
from mesodrive.link.client import RefusedError
from mesodrive.telemetry import Shot
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, NL_PER_STEP, PRIME_UL, Operator, profile
from mesodrive_rig.plant import Layer, Output, Sensor, StrikeTruth

pytestmark = pytest.mark.hil

SHOTS = 8
NAPPAGE = profile(shots=SHOTS, depth_um=3000)
# The shallowest needle is home soonest.
SINGLE = profile(
    mode="single", shots=40, depth_um=250, dose_nl=2000, dwell_us=60_000, period_us=150_000
)
DRY = profile(
    mode="dry",
    shots=10,
    depth_um=250,
    dose_nl=0,
    settle_us=0,
    dwell_us=10_000,
    rest_us=10_000,
    period_us=45_000,
)
SETTLE_MS = 15  # the profile's: no dose sooner after the needle is at depth
JITTER_MS = 0.001  # what a strike's edges may be off their time
# A trigger that chatters for 12 ms before it rests.
CHATTER_MS = (0.3, 0.6, 1.0, 1.7, 2.5, 4.0, 6.0, 7.0, 11.5, 12.0)


@dataclass
class Shots:
    """A series as it was: one of each for every shot."""

    plan: Plan
    strikes: list[StrikeTruth]
    reports: list[Shot]
    steps_ms: list[list[float]]
    on_ms: list[float]
    off_ms: list[float]


class Table:
    """One device for all of these tests."""

    def __init__(self) -> None:
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)

    def arm(self, values: dict[str, object], prime_ul: float = 0) -> Plan:
        """Have `values` armed with nobody touching anything."""
        plan = self.operator.make_ready(values)
        if prime_ul:
            self.operator.device.prime(prime_ul)
        self.operator.device.arm()
        self.edges.clear()
        self.operator.forget()
        return plan


@pytest.fixture(scope="module")
def table() -> Table:
    return Table()


@pytest.fixture(scope="module")
def series(table: Table) -> Shots:
    """The first thing that is done at the table: primed, armed, the trigger held."""
    operator, edges = table.operator, table.edges
    plan = table.arm(NAPPAGE, PRIME_UL)
    operator.touch()
    reports = operator.shoot(SHOTS)
    on_ms, off_ms = edges.rises(Output.STRIKE), edges.falls(Output.STRIKE)
    steps = edges.rises(Output.PLUNGER_STEP)
    return Shots(
        plan=plan,
        strikes=list(table.rig.truth().strikes),
        reports=reports,
        steps_ms=[
            [ms for ms in steps if on <= ms < following]
            for on, following in pairwise([*on_ms, float("inf")])
        ],
        on_ms=on_ms,
        off_ms=off_ms,
    )


@pytest.mark.requirement("R24")
def test_every_dose_lies_in_the_skin_within_two_percent(series: Shots):
    assert len(series.strikes) == SHOTS
    for strike in series.strikes:
        assert strike.skin_ul == pytest.approx(10.0, rel=0.02)
        assert strike.lost_ul == 0


@pytest.mark.requirement("R11")
def test_every_strike_is_as_deep_as_the_profile_says(series: Shots):
    for strike in series.strikes:
        assert strike.depth_mm == pytest.approx(3.0, abs=0.05)
        assert strike.layer is Layer.DEEP_DERMIS


def test_the_reports_say_what_truly_happened(series: Shots):
    assert [report.shot for report in series.reports] == list(range(1, SHOTS + 1))
    for report, strike in zip(series.reports, series.strikes, strict=True):
        assert (report.outcome, report.why) == ("done", "")
        assert report.dose_nl == pytest.approx(1000 * strike.skin_ul, abs=1)
        assert strike.out_ms
        assert strike.back_ms
        # The device counts from the edge of its own output, before the needle moves.
        start_ms = strike.start_ms - NEAR_HOME.strike.pull_in_ms
        assert report.out_us == pytest.approx(1000 * (strike.out_ms - start_ms), abs=100)
        assert report.back_us == pytest.approx(1000 * (strike.back_ms - start_ms), abs=100)


@pytest.mark.requirement("R10")
def test_as_many_steps_reach_the_pin_as_were_planned_and_counted(series: Shots):
    for report, steps in zip(series.reports, series.steps_ms, strict=True):
        assert report.steps == report.audit == len(steps)
        assert abs(len(steps) - series.plan.dose_steps) <= 1


@pytest.mark.requirement("R24")
def test_the_sum_of_all_doses_is_within_one_step(series: Shots):
    given_nl = sum(1000 * strike.skin_ul for strike in series.strikes)
    assert given_nl == pytest.approx(SHOTS * 10_000, abs=NL_PER_STEP)


@pytest.mark.requirement("R25")
def test_the_dose_comes_while_the_needle_rests_at_depth(series: Shots):
    for on, off, strike, steps in zip(
        series.on_ms, series.off_ms, series.strikes, series.steps_ms, strict=True
    ):
        assert strike.out_ms
        assert on < strike.out_ms
        assert steps[0] >= strike.out_ms + SETTLE_MS
        assert steps[-1] < off
        assert (steps[-1] - steps[0]) * 1000 == pytest.approx(series.plan.dose_us, rel=0.01)
        assert off - on == pytest.approx(series.plan.strike_us / 1000, abs=JITTER_MS)


def test_strikes_follow_each_other_at_the_period(series: Shots):
    for on, following in pairwise(series.on_ms):
        assert following - on == pytest.approx(400, abs=JITTER_MS)


@pytest.mark.requirement("R8")
def test_after_the_last_shot_the_device_is_ready_and_arms_no_more(table: Table, series: Shots):
    assert series.reports
    status = table.operator.device.status()
    assert (status.state, status.shots_done, status.why) == ("READY", SHOTS, "all shots are done")
    assert status.delivered_nl == sum(report.dose_nl for report in series.reports)
    table.operator.touch(False)
    with pytest.raises(RefusedError, match="load it again"):
        table.operator.device.arm()


@pytest.fixture
def single(table: Table, series: Shots) -> Iterator[Operator]:
    """Armed in single mode and held to the skin."""
    assert series.reports  # the series wants the table as it came
    if table.operator.device.status().shots_total != SINGLE["shots"]:
        table.arm(SINGLE)
    table.operator.touch()
    table.operator.forget()
    yield table.operator
    table.rig.set(Sensor.TRIGGER, False)
    table.operator.wait(50)


@pytest.mark.requirement("R9")
def test_a_held_trigger_gives_one_shot_in_single_mode(single: Operator):
    single.press()
    single.wait(700)
    assert [report.outcome for report in single.shots] == ["done"]
    assert single.state() == "ARMED"


@pytest.mark.requirement("R9")
def test_each_pull_gives_one_shot_in_single_mode(single: Operator):
    for pulls in (1, 2):
        single.shoot(1)
        single.wait(200)
        assert len(single.shots) == pulls


@pytest.mark.requirement("R9")
def test_a_chattering_trigger_gives_one_shot(single: Operator):
    single.rig.set(Sensor.TRIGGER, True, CHATTER_MS)
    single.wait(400)
    single.rig.set(Sensor.TRIGGER, False, CHATTER_MS)
    single.wait(400)
    assert [report.outcome for report in single.shots] == ["done"]


@pytest.mark.requirement("R9")
def test_a_trigger_shorter_than_its_chatter_gives_none(single: Operator):
    single.rig.set(Sensor.TRIGGER, True, CHATTER_MS[:4])
    single.wait(8)
    single.rig.set(Sensor.TRIGGER, False, CHATTER_MS[:4])
    single.wait(300)
    assert single.shots == []


def test_a_garbage_collection_before_a_strike_makes_it_no_misfire(single: Operator):
    # The device tidies its memory when it must, which takes as long as the needle's way out.
    for _ in range(25):
        single.press()
        single.wait(130)
    single.wait(100)
    assert [report.outcome for report in single.shots] == 25 * ["done"]


@pytest.fixture(scope="module")
def ready(table: Table, series: Shots) -> Table:
    """Ready for dry strikes, and not armed."""
    assert series.reports
    table.operator.make_ready(DRY)
    table.edges.clear()
    return table


@pytest.mark.requirement("R1")
def test_nothing_moves_unless_it_was_armed(ready: Table):
    ready.operator.touch()
    ready.operator.press()
    ready.operator.wait(500)
    assert ready.edges.edges == []
    assert ready.operator.state() == "READY"


@pytest.fixture(scope="module")
def dry(ready: Table) -> Table:
    ready.operator.rest()
    ready.operator.device.arm()
    return ready


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("sensor", [Sensor.TRIGGER, Sensor.CONTACT])
def test_neither_trigger_nor_contact_alone_moves_anything(dry: Table, sensor: Sensor):
    dry.operator.rest()
    dry.rig.set(sensor, True)
    dry.operator.wait(500)
    assert dry.edges.edges == []
    assert dry.operator.state() == "ARMED"


def test_a_dry_profile_strikes_without_a_plunger_step(dry: Table):
    dry.operator.rest()
    pushed_ul = dry.rig.truth().pushed_ul
    dry.operator.touch()
    reports = dry.operator.shoot(10)
    assert len(dry.edges.rises(Output.STRIKE)) == 10
    assert dry.edges.rises(Output.PLUNGER_STEP) == []
    assert dry.rig.truth().pushed_ul == pushed_ul
    assert {(r.outcome, r.dose_nl, r.steps) for r in reports} == {("done", 0, 0)}
