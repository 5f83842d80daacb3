"""What one pull of the trigger gives in each mode, and that letting go ends it at once in all.

Edges are those at the device's pins, in emulated ms.
"""

from dataclasses import dataclass, field
from itertools import chain, islice, pairwise, repeat

import pytest

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, PRIME_UL, Operator, profile
from mesodrive_rig.plant import NeedleState, Output, Sensor

pytestmark = pytest.mark.hil

STOP_MS = 2.0
COUNT_US = 0.016  # the strike program counts in these
PERIOD_US = 60_000
DRIP_US = 400_000
HELD_MS = 350  # long enough for more strikes than a pull may give

# 2 µL in some 25 ms; the shallowest needle is home soonest
QUICK = profile(
    depth_um=250,
    dose_nl=2_000,
    settle_us=5_000,
    dwell_us=40_000,
    rest_us=1_000,
    period_us=PERIOD_US,
)


@dataclass(frozen=True)
class Mode:
    """`pull`: strikes of a pull that is held, None when they go on; `first_us`: the intervals that
    it begins with; `cut`: the state after a pull that was cut short."""

    name: str
    pull: int | None
    cut: str
    changes: dict[str, object] = field(default_factory=dict[str, object])
    first_us: tuple[int, ...] = ()

    @property
    def profile(self) -> dict[str, object]:
        return QUICK | {"mode": self.name} | self.changes

    @property
    def dosed(self) -> bool:
        return self.name != "dry"

    def intervals_us(self, count: int) -> list[object]:
        """From start to start, `count` of them."""
        return list(islice(chain(self.first_us, repeat(self.profile["period_us"])), count))


STAMP = Mode("stamp", 1, "ARMED")
MODES = [
    Mode("single", 1, "ARMED"),
    Mode("burst", 3, "PAUSED", {"burst": 3}),
    Mode("series", None, "PAUSED"),
    Mode(
        "drip",
        1,
        "ARMED",
        {
            "flow_nl_s": 6_000,
            "pressure_pa": 5_000,
            "dwell_us": DRIP_US - 20_000,
            "period_us": DRIP_US,
        },
    ),
    Mode(
        "dry",
        None,
        "PAUSED",
        {"dose_nl": 0, "dwell_us": 1_000, "soft_strikes": 3, "period_us": 10_001, "shots": 999},
        (17_501, 15_001, 12_501),  # 17501.75, 15001.5 and 12501.25, rounded down
    ),
    STAMP,
]


class Table:
    """One device for all modes."""

    def __init__(self) -> None:
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self.mode: Mode | None = None

    def take_up(self, mode: Mode) -> None:
        """Have `mode` armed."""
        if self.mode is mode:
            return
        self.operator.make_ready(mode.profile)
        if not self.mode:
            self.operator.device.prime(PRIME_UL)
        self.operator.device.arm()
        self.mode = mode

    def hold(self) -> None:
        """Lifted before, held to the skin, the trigger pulled."""
        self.rig.set(Sensor.TRIGGER, False)
        self.operator.touch(False)
        self.operator.touch()
        self.operator.forget()
        self.edges.clear()
        self.rig.set(Sensor.TRIGGER, True)

    def strikes(self) -> list[float]:
        """When each began, in ms."""
        return self.edges.rises(Output.STRIKE)

    def let_go(self) -> None:
        """Release, and wait until all has been told and the next pull may begin."""
        self.rig.set(Sensor.TRIGGER, False)
        self.operator.wait(100)


@pytest.fixture(scope="module")
def table() -> Table:
    return Table()


@pytest.fixture(scope="module", params=MODES, ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest, table: Table) -> Mode:
    table.take_up(request.param)
    return request.param


@pytest.mark.requirement("R9")
def test_a_hand_that_loses_touch_for_a_moment_makes_no_pull_of_its_own(table: Table, mode: Mode):
    table.hold()
    table.operator.wait(HELD_MS + (DRIP_US / 1000 if mode.name == "drip" else 0))
    given = 0
    for hand in (Sensor.CONTACT, Sensor.TRIGGER):
        for gap_ms in (2, 7, 13):
            table.rig.set(hand, False)
            table.operator.wait(gap_ms)
            given = given or len(table.strikes())
            table.rig.set(hand, True)
            table.operator.wait(217)
    strikes, state = len(table.strikes()), table.operator.state()
    table.let_go()
    assert given > 0
    assert strikes == given
    assert state == ("ARMED" if mode.pull else "PAUSED")


@pytest.mark.requirement("R9")
def test_a_pull_that_is_held_gives_what_the_mode_says(table: Table, mode: Mode):
    operator = table.operator
    table.hold()
    operator.wait(HELD_MS + (DRIP_US / 1000 if mode.name == "drip" else 0))
    state, strikes = operator.state(), table.strikes()
    table.let_go()
    if mode.pull:
        assert (state, len(strikes)) == ("ARMED", mode.pull)
    else:
        assert state == "DELIVERING"
        assert len(strikes) > len(mode.first_us) + 2
    intervals_us = [1000 * (after - before) for before, after in pairwise(strikes)]
    assert intervals_us == pytest.approx(mode.intervals_us(len(intervals_us)), abs=COUNT_US)
    ended = operator.shots if mode.pull else operator.shots[:-1]  # the last was cut short
    assert {report.outcome for report in ended} == {"done"}
    assert all(report.audit == report.steps for report in ended)
    assert all(bool(report.steps) == mode.dosed for report in ended)


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("hand", [Sensor.TRIGGER, Sensor.CONTACT])
def test_letting_go_within_a_strike_ends_it_at_once(table: Table, mode: Mode, hand: Sensor):
    operator, rig = table.operator, table.rig
    table.hold()
    if mode.dosed:
        rig.run_until(lambda: len(table.edges.rises(Output.PLUNGER_STEP)) >= 100, 200)
    else:
        rig.run_until(lambda: len(table.strikes()) >= 2, 200)
        rig.run_until(lambda: rig.truth().needle is NeedleState.OUT, 10, 0.1)
    assert rig.truth().needle is NeedleState.OUT
    let_go_ms = rig.now_ms()
    rig.set(hand, False)
    operator.wait(150)
    (*_, last) = table.edges.edges
    assert 0 < last.time_ms - let_go_ms <= STOP_MS
    assert rig.truth().needle is NeedleState.BACK
    assert operator.state() == mode.cut
    report = operator.shots[-1]
    assert report.outcome == "stopped"
    assert report.why == (
        "the trigger was released" if hand is Sensor.TRIGGER else "skin contact was lost"
    )
    if mode.dosed:
        assert 100 <= report.audit < report.steps
    if hand is Sensor.CONTACT:  # the trigger is held all the while
        operator.touch()
        operator.wait(100)
        assert table.edges.after(last.time_ms) == []
    table.let_go()


@pytest.mark.requirement("R23")
def test_the_next_pull_begins_afresh_with_the_next_shot(table: Table, mode: Mode):
    operator = table.operator
    done = operator.device.status().shots_done
    table.hold()
    wanted = mode.pull or len(mode.first_us) + 2
    operator.wait_until(lambda: len(operator.shots) >= wanted, 1000)
    table.let_go()
    numbers = [report.shot for report in operator.shots]
    assert numbers == list(range(done + 1, done + 1 + len(numbers)))
    assert {report.outcome for report in operator.shots[:wanted]} == {"done"}
    starts = table.strikes()
    intervals_us = [1000 * (after - before) for before, after in pairwise(starts)]
    assert intervals_us == pytest.approx(mode.intervals_us(len(intervals_us)), abs=COUNT_US)


@pytest.mark.requirement("R9")
def test_a_stamp_needs_the_device_lifted_between_two_strikes(table: Table):
    operator = table.operator
    table.take_up(STAMP)
    table.hold()
    operator.wait(200)
    assert len(table.strikes()) == 1
    operator.press()  # anew, and still on the same spot
    operator.wait(200)
    assert len(table.strikes()) == 1
    for stamps in (2, 3):  # lift, set down, lift; the trigger held
        operator.touch(False)
        operator.touch()
        operator.wait(150)
        assert len(table.strikes()) == stamps
    table.let_go()
    assert [report.outcome for report in operator.shots] == 3 * ["done"]
