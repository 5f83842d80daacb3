"""Each phase of the faults campaign comes when the device does what the phase is called after."""

from collections.abc import Callable, Set
from dataclasses import dataclass

import pytest

from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.campaigns.faults.treatment import DOSE_UL, PRIME_UL
from mesodrive_rig.plant import NeedleState, Output, Sensor

pytestmark = pytest.mark.hil

_JUST_MS = 2.5  # the slowest steps come closer together
_SIGNALS = (Output.ALARM_RED, Output.ALARM_YELLOW, Output.BUZZER)


@dataclass(frozen=True)
class Moment:
    """What was to be seen from outside as the phase was visited."""

    dead_man: bool
    loops: bool
    state: str  # that was told last
    high: Set[Output]  # but for lamps and buzzer
    stepped: Set[Output]  # axes that made a step just now
    rail_on: bool
    at_home: Set[Sensor]
    touches: bool
    pulled: bool
    needle: NeedleState
    strikes: int
    primed_ul: float
    given_ul: float

    @property
    def strikes_once(self) -> bool:
        return self.strikes == 1 and Output.STRIKE in self.high

    def homes(self, axis: Output, switch: Sensor, *, away: bool, at_home: bool) -> bool:
        """Whether `axis` alone moves, in this direction, and its switch says this."""
        direction = Output(axis.replace("step", "dir"))
        return (
            self.state == "HOMING"
            and self.rail_on
            and self.stepped == {axis}
            and (direction in self.high) == away
            and (switch in self.at_home) == at_home
        )


def _moment(session: Session) -> Moment:
    rig = session.rig
    truth = rig.truth()
    levels = {e.output: e.level for e in session.edges if e.output not in _SIGNALS}
    told = session.person.told("state") if session.connected else []
    switches = rig.injector.levels()
    since_ms = rig.now_ms() - _JUST_MS
    return Moment(
        dead_man=rig.chip.mcu.pio[1].machines[2].enabled,
        loops=rig.chip.loops,
        state=told[-1]["state"] if told else "",
        high=frozenset(output for output, level in levels.items() if level),
        stepped=frozenset(
            axis for axis, times in session.steps.items() if times[-1:] > [since_ms]
        ),
        rail_on=truth.rail_on,
        at_home=frozenset(s for s in (Sensor.DEPTH_HOME, Sensor.PLUNGER_HOME) if not switches[s]),
        touches=bool(switches[Sensor.CONTACT]),
        pulled=bool(switches[Sensor.TRIGGER]),
        needle=truth.needle,
        strikes=len(truth.strikes),
        primed_ul=session.primed_ul,
        given_ul=truth.skin_ul,
    )


@pytest.fixture(scope="module")
def moments() -> dict[Phase, Moment]:
    """Of one session, up to its last strike."""
    found: dict[Phase, Moment] = {}

    def visit(phase: Phase) -> None:
        if phase not in found:
            found[phase] = _moment(session)

    session = Session(visit)
    session.boot()
    session.make_ready()
    session.treat()
    return found


DEPTH = (Output.DEPTH_STEP, Sensor.DEPTH_HOME)
PLUNGER = (Output.PLUNGER_STEP, Sensor.PLUNGER_HOME)
OUT, BACK, MOVING = NeedleState.OUT, NeedleState.BACK, NeedleState.MOVING
WHAT_IS_SEEN: dict[Phase, Callable[[Moment], bool]] = {
    Phase.BOOT: lambda at: not at.dead_man and not at.loops,
    Phase.SELF_TEST: lambda at: at.dead_man and not at.loops,
    Phase.SAFE: lambda at: at.loops and not at.high and not at.rail_on,
    Phase.LOADING: lambda at: at.loops and not at.high and not at.rail_on,
    Phase.POWER_UP: lambda at: at.high == {Output.ENABLE} and not at.stepped,
    Phase.DEPTH_FAST: lambda at: at.homes(*DEPTH, away=False, at_home=False),
    Phase.DEPTH_OFF: lambda at: at.homes(*DEPTH, away=True, at_home=True),
    Phase.DEPTH_SLOW: lambda at: at.homes(*DEPTH, away=False, at_home=False),
    Phase.PLUNGER_FAST: lambda at: at.homes(*PLUNGER, away=False, at_home=False),
    Phase.PLUNGER_SLOW: lambda at: at.homes(*PLUNGER, away=False, at_home=False),
    Phase.DEPTH_SET: lambda at: at.homes(*DEPTH, away=True, at_home=True),
    Phase.SEATING: lambda at: at.homes(*PLUNGER, away=True, at_home=True),
    Phase.READY: lambda at: at.state == "READY" and at.rail_on and not at.stepped,
    Phase.PRIMING: lambda at: (
        Output.PLUNGER_STEP in at.stepped and 0 < at.primed_ul < PRIME_UL / 2
    ),
    Phase.ARMED: lambda at: at.state == "ARMED" and not at.touches and not at.pulled,
    Phase.TOUCH: lambda at: at.state == "ARMED" and at.touches and not at.pulled,
    Phase.PULL: lambda at: at.touches and at.pulled and at.strikes == 0,
    Phase.TRAVEL: lambda at: at.strikes_once and at.needle is MOVING,
    Phase.SETTLE: lambda at: at.strikes_once and at.needle is OUT and not at.stepped,
    Phase.DOSE_BEGIN: lambda at: at.strikes_once and 0 < at.given_ul < 0.05 * DOSE_UL,
    Phase.DOSE_MID: lambda at: at.strikes_once and 0.3 < at.given_ul / DOSE_UL < 0.7,
    Phase.DOSE_END: lambda at: (
        at.strikes_once
        and Output.PLUNGER_STEP in at.stepped
        and 0.9 < at.given_ul / DOSE_UL < 0.99
    ),
    Phase.DWELL: lambda at: (
        at.strikes_once
        and at.needle is OUT
        and not at.stepped
        and at.given_ul == pytest.approx(DOSE_UL, rel=0.01)
    ),
    Phase.RETURN: lambda at: Output.STRIKE not in at.high and at.needle is MOVING,
    Phase.REST: lambda at: at.strikes == 1 and at.needle is BACK and not at.stepped,
    Phase.BETWEEN: lambda at: at.strikes == 1 and at.needle is BACK and at.pulled,
    Phase.PAUSED: lambda at: at.state == "PAUSED" and at.strikes == 2 and not at.pulled,
    Phase.DONE: lambda at: at.state == "READY" and at.strikes == 3,
}


@pytest.mark.requirement("R7")
@pytest.mark.parametrize("phase", WHAT_IS_SEEN)
def test_a_phase_is_what_it_is_called(moments: dict[Phase, Moment], phase: Phase):
    assert WHAT_IS_SEEN[phase](moments[phase]), moments[phase]


def test_every_phase_is_looked_at_but_those_after_a_latched_fault():
    assert set(Phase) - WHAT_IS_SEEN.keys() == {Phase.FAULT, Phase.ACKNOWLEDGED}
