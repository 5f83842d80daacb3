"""Two stops, neither of which needs the other: each is tried in mid-dose with the other broken.

The wiring and the pulse programs stop while the core stands still; the program stops while
contacts are welded, the rail's transistor is shorted, or the interlock line is shorted to 3V3.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mesodrive_rig.branch import in_branch
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.emulated.chip_faults import ChipFaults, find_elf
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.plant import Contact, NeedleState, Output, Sensor, WireFault

pytestmark = pytest.mark.hil

HARDWARE_STOP_MS = 1.0
FIRMWARE_STOP_MS = 2.0
RAIL_OFF_MS = 1.0  # by the contacts in the supply
DEAD_MAN_MS = 200.0
WATCHED_MS = 100.0
MOTION = (Output.STRIKE, Output.STRIKE_PEAK)


@dataclass(frozen=True)
class Outcome:
    """What came of one case; times in ms from the cause."""

    last_motion_ms: float  # last step, last edge of the strike outputs
    rail_off_ms: float | None
    needle: NeedleState
    alarm: str | None
    state: str
    why_no_ack: str


Cause = Callable[[Session], None]


def opened(sensor: Sensor) -> Cause:
    return lambda session: session.rig.set(sensor, False)


def nothing(session: Session) -> None:
    pass


def halted(session: Session) -> None:
    ChipFaults(session.rig.chip, find_elf(ROOT)).lock_up()


def welded(*contacts: Contact) -> Cause:
    def weld(session: Session) -> None:
        for contact in contacts:
            session.rig.injector.weld(contact)

    return weld


def q1_shorted(session: Session) -> None:
    session.rig.injector.short_rail_switch()


def line_shorted(session: Session) -> None:
    session.rig.break_wire(Sensor.INTERLOCK, WireFault.HIGH)


def both(first: Cause, second: Cause) -> Cause:
    def do(session: Session) -> None:
        first(session)
        second(session)

    return do


GUARD_RAIL_STAYS = both(welded(Contact.GUARD_RAIL), q1_shorted)
STOP_RAIL_STAYS = both(welded(Contact.STOP_RAIL), q1_shorted)

# name → what is broken, the cause of the stop
HARDWARE = {
    "guard": (halted, opened(Sensor.GUARD)),
    "stop": (halted, opened(Sensor.STOP)),
    "guard, line welded": (both(halted, welded(Contact.GUARD_LINE)), opened(Sensor.GUARD)),
    "stop, rail welded": (both(halted, welded(Contact.STOP_RAIL)), opened(Sensor.STOP)),
    "dead-man": (halted, nothing),
}
# and which alarm names it
FIRMWARE = {
    "guard, line shorted": (line_shorted, opened(Sensor.GUARD), "guard_open"),
    "stop, line shorted": (line_shorted, opened(Sensor.STOP), "stop_pulled"),
    "guard, line and rail pairs welded, Q1 shorted": (
        both(welded(Contact.GUARD_LINE), GUARD_RAIL_STAYS),
        opened(Sensor.GUARD),
        "guard_open",
    ),
    "guard, own pair welded, rail stays": (
        both(welded(Contact.GUARD_SENSE), GUARD_RAIL_STAYS),
        opened(Sensor.GUARD),
        "interlock",
    ),
    "stop, line shorted, rail stays": (
        both(line_shorted, STOP_RAIL_STAYS),
        opened(Sensor.STOP),
        "stop_pulled",
    ),
    "cartridge, Q1 shorted": (q1_shorted, opened(Sensor.CARTRIDGE), "cartridge_out"),
    "contact, Q1 shorted": (q1_shorted, opened(Sensor.CONTACT), None),
    "trigger, Q1 shorted": (q1_shorted, opened(Sensor.TRIGGER), None),
}


class _ReachedError(Exception):
    """The phase has been reached and looked at."""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """All cases, each from the same mid-dose."""
    found: dict[str, Outcome] = {}

    def visit(phase: Phase) -> None:
        if phase is not Phase.DOSE_MID:
            return
        for name, (broken, cause) in HARDWARE.items():
            found[name] = in_branch(lambda b=broken, c=cause: _tried(session, b, c, asks=False))
        for name, (broken, cause, _) in FIRMWARE.items():
            found[name] = in_branch(lambda b=broken, c=cause: _tried(session, b, c, asks=True))
        raise _ReachedError

    session = Session(visit)
    with pytest.raises(_ReachedError):
        session.play()
    return found


def _tried(session: Session, broken: Cause, cause: Cause, *, asks: bool) -> Outcome:
    rig = session.rig
    broken(session)
    cause_ms = rig.now_ms()
    cause(session)
    rig.run_until(lambda: not rig.truth().rail_on, DEAD_MAN_MS + 10, 0.1)
    rail_off_ms = None if rig.truth().rail_on else rig.now_ms() - cause_ms
    rig.run_for(WATCHED_MS)
    moved = [step for steps in session.steps.values() for step in steps[-1:]]
    moved += [edge.time_ms for edge in session.edges if edge.output in MOTION]
    alarm, state, why = None, "", ""
    if asks:
        status = session.person.device.status()
        alarm, state = status.alarm.code if status.alarm else None, status.state
        rig.set(Sensor.TRIGGER, False)
        for sensor in (Sensor.GUARD, Sensor.STOP, Sensor.CARTRIDGE):
            rig.set(sensor, True)
        session.person.wait(50)
        if state == "FAULT":
            why = _refusal(session)
    return Outcome(max(moved) - cause_ms, rail_off_ms, rig.truth().needle, alarm, state, why)


def _refusal(session: Session) -> str:
    try:
        session.person.device.acknowledge()
    except Exception as error:
        return str(error)
    return ""


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("name", [name for name in HARDWARE if name != "dead-man"])
def test_with_the_core_halted_the_wiring_stops_the_pulses_and_cuts_the_rail(
    outcomes: dict[str, Outcome], name: str
):
    outcome = outcomes[name]
    # A welded line leaves the pulses to the rail: steps that are made move nothing then.
    if "welded" not in name:
        assert outcome.last_motion_ms <= HARDWARE_STOP_MS
    if name != "stop, rail welded":
        assert outcome.rail_off_ms is not None
        assert outcome.rail_off_ms <= RAIL_OFF_MS
    assert outcome.needle is NeedleState.BACK


@pytest.mark.requirement("R3", "R14")
def test_with_the_core_halted_and_nobody_at_stop_or_guard_the_dead_man_cuts_the_rail(
    outcomes: dict[str, Outcome],
):
    outcome = outcomes["dead-man"]
    assert outcome.rail_off_ms is not None
    assert outcome.rail_off_ms <= DEAD_MAN_MS
    assert outcome.needle is NeedleState.BACK


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("name", FIRMWARE)
def test_with_the_wiring_broken_the_program_stops_by_itself(
    outcomes: dict[str, Outcome], name: str
):
    outcome = outcomes[name]
    assert outcome.last_motion_ms <= FIRMWARE_STOP_MS
    assert outcome.needle is NeedleState.BACK
    alarm = FIRMWARE[name][2]
    assert outcome.alarm == alarm
    assert outcome.state == ("FAULT" if alarm else "PAUSED")


@pytest.mark.requirement("R3", "R7")
@pytest.mark.parametrize("name", [name for name, case in FIRMWARE.items() if case[2]])
def test_a_rail_that_stays_on_keeps_the_fault(outcomes: dict[str, Outcome], name: str):
    outcome = outcomes[name]
    if outcome.rail_off_ms is None:
        assert "rail is on although it was not asked for" in outcome.why_no_ack
    else:
        assert outcome.why_no_ack == ""
