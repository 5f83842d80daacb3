"""After a stop, what led to it can be read, with the times at which it truly happened."""

from dataclasses import dataclass

import pytest

from mesodrive.telemetry import TraceEvent
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, PRIME_UL, Operator, profile
from mesodrive_rig.plant import Output, Sensor, StrikeTruth

pytestmark = pytest.mark.hil

DOSED = profile(
    depth_um=250,
    dose_nl=2_000,
    settle_us=5_000,
    dwell_us=40_000,
    rest_us=1_000,
    period_us=60_000,
)
STRIKES = 3
IN_DOSE_STEPS = 100
SEEN_MS = 0.05  # from an edge to the interrupt that notes it
LOOK_MS = 25  # and to the loop, which states what the hardware has done
STATES = ("SELF_TEST", "SAFE", "HOMING", "READY", "ARMED", "DELIVERING", "PAUSED", "FAULT")


@dataclass
class Stop:
    """A stop in mid-dose of the last of some strikes, as it was and as it was told. Times in ms
    of the rig."""

    cause: Sensor
    state: str
    at_ms: float
    starts_ms: list[float]
    strikes: list[StrikeTruth]
    gpio: int
    trace: list[TraceEvent]

    def ms(self, event: str) -> list[float]:
        """When it was noted. The device's clock and the rig's are laid over each other at the
        start of the first of the strikes."""
        first_us = [row.t_us for row in self.trace if row.event == "strike"][-STRIKES]
        return [
            (row.t_us - first_us) / 1000 + self.starts_ms[0]
            for row in self.trace
            if row.event == event
        ]

    def place(self, event: str) -> int:
        """Where it stands in the trace for the first time after the last strike began."""
        last = max(n for n, row in enumerate(self.trace) if row.event == "strike")
        return next(n for n, row in enumerate(self.trace) if n >= last and row.event == event)


@pytest.fixture(scope="module")
def operator() -> Operator:
    operator = Operator(EmulatedRig(NEAR_HOME))
    operator.make_ready(DOSED)
    operator.device.prime(PRIME_UL)
    return operator


@pytest.fixture(scope="module")
def edges(operator: Operator) -> EdgeLog:
    assert isinstance(operator.rig, EmulatedRig)
    return EdgeLog(operator.rig)


# The second has to be acknowledged, and homed after.
@pytest.fixture(scope="module", params=[(Sensor.CONTACT, "PAUSED"), (Sensor.GUARD, "FAULT")])
def stop(request: pytest.FixtureRequest, operator: Operator, edges: EdgeLog) -> Stop:
    cause, state = request.param
    rig = operator.rig
    assert isinstance(rig, EmulatedRig)
    operator.disarm()
    operator.device.arm()
    operator.touch()
    known = len(rig.truth().strikes)
    edges.clear()
    operator.press()
    operator.wait_until(lambda: len(edges.rises(Output.STRIKE)) == STRIKES, 500)
    steps = len(edges.rises(Output.PLUNGER_STEP)) + IN_DOSE_STEPS
    assert rig.run_until(lambda: len(edges.rises(Output.PLUNGER_STEP)) >= steps, 50, 0.1)
    at_ms = rig.now_ms()
    rig.set(cause, False)
    operator.wait(100)
    rig.set(Sensor.TRIGGER, False)  # what comes after a stop is not in its trace
    operator.wait(100)
    return Stop(
        cause=cause,
        state=state,
        at_ms=at_ms,
        starts_ms=edges.rises(Output.STRIKE),
        strikes=list(rig.truth().strikes[known:]),
        gpio=rig.gpio(cause),
        trace=operator.device.trace(),
    )


def test_cause_and_effect_stand_in_their_order(stop: Stop):
    events = ("strike", "needle_out", "input_fell", "halt", "state")
    places = [stop.place(event) for event in events]
    assert places == sorted(places)
    times = [row.t_us for row in stop.trace]
    assert times == sorted(times)


def test_every_strike_is_there_with_its_true_times(stop: Stop):
    assert len(stop.strikes) == STRIKES
    assert stop.ms("strike")[-STRIKES:] == pytest.approx(stop.starts_ms, abs=SEEN_MS)
    outs_ms = [strike.out_ms for strike in stop.strikes]
    assert stop.ms("needle_out")[-STRIKES:] == pytest.approx(outs_ms, abs=SEEN_MS)
    backs_ms = [strike.back_ms for strike in stop.strikes[:-1]]  # the last did not end by itself
    assert stop.ms("needle_back")[1 - STRIKES :] == pytest.approx(backs_ms, abs=SEEN_MS)


def test_what_fell_and_the_halt_that_followed_are_told_with_their_time(stop: Stop):
    fell = stop.trace[stop.place("input_fell")]
    assert not fell.value >> stop.gpio & 1
    at_ms = next(ms for ms in stop.ms("input_fell") if ms > stop.starts_ms[-1])
    # The strike by which the clocks are laid over each other may have been noted as late.
    assert -SEEN_MS < at_ms - stop.at_ms < SEEN_MS
    halt_ms = next(ms for ms in stop.ms("halt") if ms > stop.starts_ms[-1])
    assert 0 <= halt_ms - at_ms < SEEN_MS


def test_the_last_state_is_that_of_the_stop(stop: Stop):
    states = [STATES[row.value] for row in stop.trace if row.event == "state"]
    assert states[-3:] == ["ARMED", "DELIVERING", stop.state]
    assert 0 < stop.ms("state")[-1] - stop.at_ms < LOOK_MS
