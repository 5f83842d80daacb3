"""Whatever takes the right to move away takes it at once, in mid-dose, and nothing gives it back
but a person.

Each cause is let happen once, while the needle is out and the plunger steps, and looked at from
several sides. Times are emulated ms.
"""

from dataclasses import dataclass, field

import pytest

from mesodrive.device import Status
from mesodrive.link.client import RefusedError
from mesodrive.telemetry import Shot
from mesodrive_rig.emulated.edges import Edge, EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, NL_PER_STEP, PRIME_UL, Operator, profile
from mesodrive_rig.plant import NeedleState, Output, Sensor, StrikeTruth

pytestmark = pytest.mark.hil

STOP_MS = 2.0
SILENCE_MS = 500.0  # the host may be silent for this long
SEEN_MS = 15.0  # and this long after that the device has noticed, whatever it was doing
RAIL_OFF_MS = 30.0  # 15 from look to look, and looks that tell strikes and status
IN_DOSE_STEPS = 300
LEFT_ALONE_MS = 1200.0
DIP_NS = 24.0, 104.0  # after the rise of a step: within its 128 ns
INTERRUPT_MS = 0.1

DOSE = profile(depth_um=250)  # the shallowest needle is home soonest
# a dose that outlasts a silence
SLOW = profile(depth_um=250, flow_nl_s=12_500, dwell_us=900_000, period_us=1_000_000)


@dataclass(frozen=True)
class Cause:
    name: str
    sensor: Sensor | None
    state: str
    alarm: str | None
    why: str
    rail_on: bool = False
    profile: dict[str, object] = field(default_factory=lambda: DOSE)
    allowed_ms: float = STOP_MS


CAUSES = [
    Cause(
        "silence",
        None,
        "SAFE",
        "host_lost",
        "host was silent",
        profile=SLOW,
        allowed_ms=SILENCE_MS + SEEN_MS,
    ),
    Cause("guard", Sensor.GUARD, "FAULT", "guard_open", "guard was opened"),
    Cause("stop", Sensor.STOP, "FAULT", "stop_pulled", "stop was pulled"),
    Cause("cartridge", Sensor.CARTRIDGE, "FAULT", "cartridge_out", "cartridge was removed"),
    Cause("contact", Sensor.CONTACT, "PAUSED", None, "skin contact was lost", rail_on=True),
    Cause("trigger", Sensor.TRIGGER, "PAUSED", None, "trigger was released", rail_on=True),
    Cause("port", None, "SAFE", "host_lost", "host closed the port"),
]


@dataclass
class Aftermath:
    """What was seen of one interrupted shot."""

    cause: Cause
    event_ms: float
    late: list[Edge]  # edges after the time that the stop may take
    resumed: list[Edge]  # edges after the cause was gone
    rail_on: bool
    released_ms: float  # when the strike's power was cut, in truth, after the event
    status: Status
    reports: list[Shot]  # of the interrupted shot
    pushed_nl: float  # by the interrupted shot, in truth
    refused: str | None  # what the device said to ack while the trigger was still held
    next_report: Shot  # of the shot after the way back
    next_strike: StrikeTruth
    total_nl: float  # pushed by both


class Story:
    """Interrupts a shot, puts the cause right, and finds the way back."""

    def __init__(self) -> None:
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self._loaded: dict[str, object] | None = None

    def make_ready(self, values: dict[str, object]) -> None:
        """Load `values` and home, unless that is how things stand."""
        self.operator.disarm()
        if self._loaded == values and self.operator.state() == "READY":
            return
        self.operator.make_ready(values)
        if not self._loaded:
            self.operator.device.prime(PRIME_UL)
        self._loaded = values

    def interrupt(self, cause: Cause) -> Aftermath:
        rig, operator = self.rig, self.operator
        self.make_ready(cause.profile)
        operator.device.arm()
        number = operator.device.status().shots_done + 1
        operator.touch()
        operator.forget()
        self.edges.clear()
        pushed_ul = rig.truth().pushed_ul
        operator.press()
        operator.wait_until(self.in_dose, 200)
        assert rig.truth().needle is NeedleState.OUT

        event_ms = self._happen(cause)
        rig.run_for(cause.allowed_ms + RAIL_OFF_MS)
        truth = rig.truth()
        released_ms = truth.strikes[-1].release_ms
        assert truth.needle is NeedleState.BACK
        assert released_ms
        assert self.edges.rises(Output.PLUNGER_STEP)[-1] > event_ms - 1  # it came in mid-dose
        if cause.name == "port":
            operator.reconnect()
        status = operator.device.status()
        rig.run_for(200)  # were anything still to come, it would come now
        late = self.edges.after(event_ms + cause.allowed_ms)

        restored_ms = rig.now_ms()
        if cause.sensor and cause.sensor is not Sensor.TRIGGER:
            rig.set(cause.sensor, True)
        operator.wait(LEFT_ALONE_MS)
        pushed_nl = 1000 * (rig.truth().pushed_ul - pushed_ul)
        reports = operator.device.shots(number, number)
        resumed = self.edges.after(restored_ms)

        refused = self._way_back(cause)
        (next_report,) = operator.shoot(1)
        return Aftermath(
            cause=cause,
            event_ms=event_ms,
            late=late,
            resumed=resumed,
            rail_on=truth.rail_on,
            released_ms=released_ms - event_ms,
            status=status,
            reports=reports,
            pushed_nl=pushed_nl,
            refused=refused,
            next_report=next_report,
            next_strike=rig.truth().strikes[-1],
            total_nl=1000 * (rig.truth().pushed_ul - pushed_ul),
        )

    def in_dose(self) -> bool:
        return len(self.edges.rises(Output.PLUNGER_STEP)) >= IN_DOSE_STEPS

    def _happen(self, cause: Cause) -> float:
        if cause.sensor:
            self.rig.set(cause.sensor, False)
            return self.rig.now_ms()
        if cause.name == "port":
            self.operator.device.close()
            return self.rig.now_ms()
        self.operator.device.client.call("ping")
        return self.rig.now_ms()  # from here on the host says nothing

    def _way_back(self, cause: Cause) -> str | None:
        operator, refused = self.operator, None
        if cause.state == "PAUSED":
            return None
        if cause.state == "FAULT":
            with pytest.raises(RefusedError) as refusal:
                operator.device.acknowledge()
            refused = str(refusal.value)
            operator.rig.set(Sensor.TRIGGER, False)
            operator.wait(50)
            operator.device.acknowledge()
        operator.rig.set(Sensor.TRIGGER, False)
        operator.touch(False)
        operator.device.home()
        operator.device.arm()
        operator.touch()
        return refused


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


@pytest.fixture(scope="module", params=CAUSES, ids=lambda cause: cause.name)
def after(request: pytest.FixtureRequest, story: Story) -> Aftermath:
    return story.interrupt(request.param)


@pytest.mark.requirement("R3", "R4", "R15", "R23")
def test_no_step_and_no_strike_edge_comes_after_the_time_allowed(after: Aftermath):
    assert after.late == []


@pytest.mark.requirement("R4", "R15", "R23")
def test_the_needle_is_let_go_within_the_time_allowed(after: Aftermath):
    assert 0 < after.released_ms <= after.cause.allowed_ms


@pytest.mark.requirement("R4", "R15")
def test_the_state_and_its_reason_are_right(after: Aftermath):
    assert after.status.state == after.cause.state
    assert after.cause.why in after.status.why.lower()
    alarm = after.status.alarm
    assert (alarm.code if alarm else None) == after.cause.alarm


@pytest.mark.requirement("R4", "R15")
def test_the_rail_is_off_where_the_state_table_says_so(after: Aftermath):
    assert after.rail_on == after.cause.rail_on


@pytest.mark.requirement("R24")
def test_the_partial_shot_is_reported_once_as_stopped(after: Aftermath):
    (report,) = after.reports
    assert report.outcome == "stopped"
    assert after.cause.why in report.why
    assert report.steps == pytest.approx(10_000 / NL_PER_STEP, abs=1)
    assert IN_DOSE_STEPS <= report.audit < report.steps


@pytest.mark.requirement("R24")
def test_the_reported_dose_is_what_was_truly_pushed(after: Aftermath):
    (report,) = after.reports
    assert report.dose_nl == pytest.approx(after.pushed_nl, abs=NL_PER_STEP)


@pytest.mark.requirement("R15", "R23")
def test_nothing_resumes_by_itself_when_the_cause_is_gone(after: Aftermath):
    assert after.resumed == []


@pytest.mark.requirement("R9")
def test_a_fault_is_not_acknowledged_with_the_trigger_held(after: Aftermath):
    if after.cause.state == "FAULT":
        assert after.refused
        assert "trigger is pressed" in after.refused


@pytest.mark.requirement("R7", "R24")
def test_the_next_shot_is_a_full_one_and_makes_nothing_up(after: Aftermath):
    (report,) = after.reports
    assert after.next_report.shot == report.shot + 1
    assert after.next_report.outcome == "done"
    assert after.next_report.audit == after.next_report.steps
    assert after.next_report.dose_nl == pytest.approx(10_000, rel=0.02)
    assert 1000 * after.next_strike.skin_ul == pytest.approx(10_000, rel=0.02)
    assert after.total_nl == pytest.approx(after.pushed_nl + 10_000, rel=0.02)


@pytest.mark.requirement("R4", "R18")
def test_an_interlock_that_is_still_open_keeps_the_fault_latched(story: Story):
    operator = story.operator
    story.make_ready(DOSE)
    operator.device.arm()
    operator.rig.set(Sensor.GUARD, False)
    operator.wait(50)
    assert operator.state() == "FAULT"
    with pytest.raises(RefusedError, match="guard is open"):
        operator.device.acknowledge()
    with pytest.raises(RefusedError, match="acknowledge it with ack"):
        operator.device.home()
    assert operator.state() == "FAULT"


# While the plunger's pin is high its program does not look; an interrupt comes later than this.
@pytest.mark.requirement("R3", "R4")
def test_a_dip_of_the_line_that_only_the_strike_sees_ends_the_dose_and_is_told(story: Story):
    rig, operator, chip = story.rig, story.operator, story.rig.chip
    line = rig.gpio(Sensor.INTERLOCK)
    fell: list[float] = []

    def dip(high: bool) -> None:
        if high and not fell and story.in_dose():
            fell.append(rig.now_ms())
            chip.call_at(chip.now_ns + DIP_NS[0], lambda: chip.drive(line, False))
            chip.call_at(chip.now_ns + DIP_NS[1], lambda: chip.drive(line, True))

    story.make_ready(DOSE)
    operator.device.arm()
    number = operator.device.status().shots_done + 1
    operator.touch()
    story.edges.clear()
    chip.on_edge(rig.gpio(Output.PLUNGER_STEP), dip)
    operator.press()
    operator.wait_until(lambda: bool(fell), 200)
    fell_ms = fell[0]
    rig.run_for(STOP_MS + RAIL_OFF_MS)
    truth = rig.truth()
    assert story.edges.after(fell_ms + INTERRUPT_MS) == []
    assert (truth.needle, truth.rail_on) == (NeedleState.BACK, False)
    status = operator.device.status()
    assert status.state == "FAULT"
    assert status.alarm
    assert status.alarm.code == "interlock"
    (report,) = operator.device.shots(number, number)
    assert (report.outcome, report.audit < report.steps) == ("stopped", True)
    rig.set(Sensor.TRIGGER, False)
    operator.touch(False)
    operator.wait(50)
    operator.device.acknowledge()


def test_a_trigger_pulled_again_within_the_period_goes_on(story: Story):
    operator = story.operator
    operator.make_ready(DOSE | {"period_us": 1_000_000})
    operator.device.arm()
    operator.touch()
    operator.forget()
    operator.press()
    operator.wait(100)  # in mid-dose
    operator.rig.set(Sensor.TRIGGER, False)
    operator.wait(100)
    operator.rig.set(Sensor.TRIGGER, True)
    operator.wait(1500)
    assert [shot.outcome for shot in operator.shots][:2] == ["stopped", "done"]
