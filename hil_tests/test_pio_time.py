"""The emulated rig's leaping PIO clock against one that goes tick by tick: the same edges."""

import pytest

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, Operator, profile
from mesodrive_rig.plant import Output, PlantSpec, Sensor, SyringeSpec

pytestmark = pytest.mark.hil

# 5 nL a step, so that every dose has the same number of steps; as short as a dose can be.
SPEC = PlantSpec(
    plunger=NEAR_HOME.plunger,
    depth=NEAR_HOME.depth,
    syringe=SyringeSpec.from_ul_per_mm(16.0, fill_ul=900.0),
)
PROFILE = profile(
    dose_nl=1000,
    syringe_nl_per_mm=16_000,
    mode="single",
    settle_ms=5,
    dwell_ms=30,
    rest_ms=5,
    period_ms=60,
)
EDGES = 2 * 200 + 4  # 200 steps, strike and its peak
CUT_NS = 18_345_678.0  # after the strike's first edge: in mid-dose, between two ticks


class Bench:
    def __init__(self) -> None:
        self.rig = EmulatedRig(SPEC)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self.operator.make_ready(PROFILE)
        self.rig.chip.on_edge(self.rig.gpio(Output.STRIKE), self._strike)
        self._cut: Sensor | None = None

    def shoot(self, *, leap: bool, cut: Sensor | None = None) -> list[tuple[float, Output, bool]]:
        """All edges of one shot, timed in ns from its first; `cut` opens in the middle of it."""
        self._arm()
        # The emulator lets a machine that waits for words take the first of them before it is
        # started, a tick early. After a plain shot both machines do so, and all pasts are alike.
        self._pull()
        self._cut = cut
        self.rig.chip.pio_time.leap = leap
        self._pull()
        self.rig.chip.pio_time.leap = True
        start_ms = self.edges.edges[0].time_ms
        return [
            (round(1e6 * (edge.time_ms - start_ms), 3), edge.output, edge.level)
            for edge in self.edges.edges
        ]

    def _arm(self) -> None:
        operator = self.operator
        if operator.state() == "FAULT":
            operator.rest()
            operator.device.home()
        operator.disarm()
        operator.device.arm()
        operator.touch()

    def _pull(self) -> None:
        self.edges.clear()
        self.operator.press()
        self.operator.wait(110)

    def _strike(self, level: bool) -> None:
        if level and self._cut:
            sensor, self._cut = self._cut, None
            chip = self.rig.chip
            chip.call_at(chip.now_ns + CUT_NS, lambda: self.rig.set(sensor, False))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def test_a_shot_has_the_same_edges_leapt_or_not(bench: Bench):
    leapt = bench.shoot(leap=True)
    assert len(leapt) == EDGES
    assert leapt == bench.shoot(leap=False)


@pytest.mark.parametrize("cut", [Sensor.CONTACT, Sensor.GUARD])
def test_a_shot_that_is_cut_has_the_same_edges_leapt_or_not(bench: Bench, cut: Sensor):
    leapt = bench.shoot(leap=True, cut=cut)
    assert 20 < len(leapt) < EDGES - 100
    assert leapt == bench.shoot(leap=False, cut=cut)
