"""Whatever way the program hangs: the rail is off in time, no strike follows, and the reset that
comes then leads to a device that does nothing by itself.
"""

from dataclasses import dataclass

import pytest

from mesodrive_rig.branch import in_branch
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.emulated.chip_faults import ChipFaults, find_elf
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.operator import Operator
from mesodrive_rig.plant import NeedleState, Output

pytestmark = pytest.mark.hil

RAIL_OFF_MS = 250.0
RESET_MS = 260.0  # the watchdog, a little late
START_MS = 4_000.0  # in which the program must come to its loop
INTO_THE_TEST_MS = 50.0  # from the first thing that the program does to the pins
EXCEPTION_MS = 1100.0  # the program tells it and waits a second before it restarts
KINDS = ["lock_up", "hang", "spin", "storm", "fill_memory"]
PHASES = [Phase.SEATING, Phase.ARMED, Phase.DOSE_MID]
# The storm and the circle keep the emulated core busy all the time: once is enough.
CASES = [
    (phase, kind)
    for phase in PHASES
    for kind in KINDS
    if phase is Phase.DOSE_MID or kind in ("lock_up", "hang")
]


@dataclass(frozen=True)
class Outcome:
    rail_off_ms: float | None
    reset_ms: float | None
    strikes: int  # begun after the hang
    steps_after_reset: int
    needle: NeedleState


class _ReachedError(Exception):
    """The last phase has been reached and looked at."""


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[Phase, str], Outcome]:
    found: dict[tuple[Phase, str], Outcome] = {}

    def visit(phase: Phase) -> None:
        for kind in KINDS:
            if (phase, kind) in CASES:
                found[phase, kind] = in_branch(lambda k=kind: _hung(session, k))
        if phase is PHASES[-1]:
            raise _ReachedError

    session = Session(visit)
    with pytest.raises(_ReachedError):
        session.play()
    return found


def _hung(session: Session, kind: str) -> Outcome:
    rig = session.rig
    resets: list[float] = []
    rig.chip.on_reset(lambda: resets.append(rig.now_ms()))
    hang_ms = rig.now_ms()
    getattr(ChipFaults(rig.chip, find_elf(ROOT)), kind)()
    rig.run_until(lambda: not rig.truth().rail_on, 300, 0.5)
    rail_off_ms = None if rig.truth().rail_on else rig.now_ms() - hang_ms
    rig.run_until(lambda: bool(resets), EXCEPTION_MS + 100, 0.5)
    steps = sum(len(times) for times in session.steps.values())
    rig.run_for(30)
    rises = [edge.time_ms for edge in session.edges if edge.output is Output.STRIKE and edge.level]
    return Outcome(
        rail_off_ms,
        resets[0] - hang_ms if resets else None,
        sum(1 for time_ms in rises if time_ms > hang_ms),
        sum(len(times) for times in session.steps.values()) - steps,
        rig.truth().needle,
    )


@pytest.mark.requirement("R3", "R14")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]} {case[0]}")
def test_a_hang_of_any_kind_drops_the_rail_in_time(
    outcomes: dict[tuple[Phase, str], Outcome], case: tuple[Phase, str]
):
    outcome = outcomes[case]
    assert outcome.rail_off_ms is not None
    assert outcome.rail_off_ms <= RAIL_OFF_MS
    assert outcome.needle is NeedleState.BACK


@pytest.mark.requirement("R1", "R14")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]} {case[0]}")
def test_a_hang_ends_in_a_reset_and_nothing_goes_on(
    outcomes: dict[tuple[Phase, str], Outcome], case: tuple[Phase, str]
):
    outcome = outcomes[case]
    assert outcome.reset_ms is not None
    assert outcome.reset_ms <= (EXCEPTION_MS if case[1] == "fill_memory" else RESET_MS)
    assert outcome.strikes == 0
    assert outcome.steps_after_reset == 0


@pytest.mark.requirement("R14")
def test_a_start_that_hangs_is_begun_anew_and_told():
    told: list[str] = []

    def visit(phase: Phase) -> None:
        if phase is Phase.SELF_TEST:
            told.append(in_branch(lambda: _hung_at_the_start(session)))
            raise _ReachedError

    session = Session(visit)
    with pytest.raises(_ReachedError):
        session.play()
    assert told == ["restarted: The program hung or crashed in SELF_TEST and was restarted; note "
                    "what the last shot gave, then acknowledge."]  # fmt: skip


def _hung_at_the_start(session: Session) -> str:
    rig = session.rig
    resets: list[float] = []
    rig.chip.on_reset(lambda: resets.append(rig.now_ms()))
    rig.run_for(INTO_THE_TEST_MS)
    ChipFaults(rig.chip, find_elf(ROOT)).lock_up()
    assert not rig.chip.loops
    assert rig.run_until(lambda: bool(resets), START_MS)
    assert rig.run_until(lambda: rig.chip.loops, 2000)
    alarm = Operator(rig).device.status().alarm
    assert alarm
    return f"{alarm.code}: {alarm.text}"
