"""After any reset, in any state: no step, no strike and no rail until a person arms anew.

One session is played. In each state it is forked for each kind of reset, and each state's copy for
one of them goes on until the device has started again, with hands that hold on and a host that
repeats what it said before.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from mesodrive.link.client import RefusedError
from mesodrive_rig.branch import Branches, in_branch
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.campaigns.faults.treatment import DOSE
from mesodrive_rig.emulated.chip_faults import ChipFaults, find_elf
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.operator import Operator
from mesodrive_rig.plant import Analog, NeedleState, Output, Sensor
from mesodrive_rig.plant.analog import shorted_to
from mesodrive_wire import LineReader, decode

pytestmark = [pytest.mark.hil, pytest.mark.timeout(900)]

PHASES = {
    Phase.SELF_TEST: "SELF_TEST",
    Phase.SAFE: "SAFE",
    Phase.SEATING: "HOMING",
    Phase.READY: "READY",
    Phase.PRIMING: "priming",
    Phase.ARMED: "ARMED",
    Phase.DOSE_MID: "DELIVERING",
    Phase.PAUSED: "PAUSED",
}
STATES = [*PHASES.values(), "FAULT", "locked"]
KINDS = ["watchdog", "RUN pin", "supply"]  # a brown-out resets as the RUN pin does
# Each state's copy that starts again: by turns, as what differs from kind to kind is little.
STARTED = [(state, KINDS[n % len(KINDS)]) for n, state in enumerate(STATES)]
WAY_BACK = ("DELIVERING", "watchdog")  # one of them is used again
assert WAY_BACK in STARTED
MOVING = (Output.STRIKE, Output.STRIKE_PEAK, Output.ENABLE)
MOVES = ("home", "prime", "arm", "profile.load")
AT_ONCE_MS, START_MS, SEEN_MS, SENSED_MS = 8.0, 700.0, 60.0, 400.0


@dataclass(frozen=True)
class After:
    """What there was from a reset on, until a person asked to home."""

    rail_on: bool
    rises: int  # of ENABLE, STRIKE, STRIKE_PEAK
    steps: int
    strikes: int
    needle: NeedleState


@dataclass
class Start:
    """How the device has started: its state at first, and when the trigger was let go and what is
    latched acknowledged; old lines that it obeyed, whether it armed when asked."""

    at_first: str = ""
    then: str = ""
    obeyed: list[str] = field(default_factory=list[str])
    armed: bool = False


@dataclass(frozen=True)
class Again:
    """A device that was reset, homed and primed: whether it arms while the trigger is held;
    strikes once armed, and when the trigger is pressed anew."""

    arms_while_held: bool
    strikes: int
    strikes_pressed: int


@dataclass
class Story:
    after: dict[tuple[str, str], After] = field(default_factory=dict[tuple[str, str], After])
    starts: dict[str, Start] = field(default_factory=dict[str, Start])
    again: Again | None = None


Told = tuple[After, Start | None, Again | None]


class _ReachedError(Exception):
    """The last state has been reached and tried."""


class Teller:
    """Plays the session; `story` has what came of each reset."""

    def __init__(self) -> None:
        self.story = Story()
        self._branches = Branches(1)
        self._tried: set[str] = set()
        self.session = Session(self._visit)

    def tell(self) -> Story:
        with pytest.raises(_ReachedError):
            self.session.play()
        self._branches.finish()
        return self.story

    def _visit(self, phase: Phase) -> None:
        state = PHASES.get(phase)
        if state and state not in self._tried:
            self._tried.add(state)
            self._try(state)
        if phase is Phase.SAFE:
            self._in("locked", self._lock)
        if phase is Phase.ARMED:
            self._in("FAULT", self._open_guard)
        if phase is Phase.PAUSED:
            raise _ReachedError

    def _try(self, state: str) -> None:
        for kind in KINDS:
            self._branches.start(
                lambda kind=kind: self._reset(state, kind),
                lambda told, kind=kind: self._told(state, kind, told),
            )

    def _in(self, state: str, lead: Callable[[], None]) -> None:
        """Try a state that the session does not come to, in a copy that is led there."""

        def led() -> dict[str, Told]:
            lead()
            return {kind: in_branch(lambda k=kind: self._reset(state, k)) for kind in KINDS}

        def told(by_kind: dict[str, Told]) -> None:
            for kind, one in by_kind.items():
                self._told(state, kind, one)

        self._branches.start(led, told)

    def _told(self, state: str, kind: str, told: Told) -> None:
        after, start, again = told
        self.story.after[state, kind] = after
        if start:
            self.story.starts[state] = start
        self.story.again = again or self.story.again

    def _open_guard(self) -> None:
        self.session.rig.set(Sensor.GUARD, False)
        self.session.person.wait(SEEN_MS)
        assert self.session.person.state() == "FAULT"

    def _lock(self) -> None:
        person = self.session.person
        for _ in range(3):
            faults = self.session.rig.injector.faults
            faults[Analog.COIL_TEMP] = shorted_to(0)
            person.wait_until(lambda: person.state() == "FAULT", SENSED_MS)
            del faults[Analog.COIL_TEMP]
            person.wait(SENSED_MS / 2)
            with suppress(RefusedError):
                person.device.acknowledge()
        person.device.refresh()
        assert person.device.info.locked

    # a reset

    def _reset(self, state: str, kind: str) -> Told:
        rig = self.session.rig
        strikes = len(rig.truth().strikes)
        rig.set(Sensor.CONTACT, True)
        rig.set(Sensor.TRIGGER, True)
        if kind == "watchdog":
            ChipFaults(rig.chip, find_elf(ROOT)).bite()
        else:
            rig.chip.reset(power=kind == "supply")
        if kind == "supply":
            ram: Any = rig.chip.mcu.sram
            ram[:] = Random(1).randbytes(len(ram))
        rises, steps = self._rises(), self._steps()
        rig.run_for(AT_ONCE_MS)
        rail_on = rig.truth().rail_on
        start = again = None
        if (state, kind) in STARTED:
            start = self._start()
        after = After(
            rail_on or rig.truth().rail_on,
            self._rises() - rises,
            self._steps() - steps,
            len(rig.truth().strikes) - strikes,
            rig.truth().needle,
        )
        if (state, kind) == WAY_BACK:
            again = self._use_again()
        return after, start, again

    def _start(self) -> Start:
        rig = self.session.rig
        # An old proof is refused too, but then the next one has to wait.
        said = [line for line in self.session.sent if b'"auth.' not in line]
        old = said[-3:] + [line for line in said if b'"arm"' in line][-1:]
        rig.run_for(START_MS)
        start = Start()
        port = rig.connect()
        for line in old:
            port.write(line)
        heard = b""
        for _ in range(4):
            heard += port.read(0.02)
        start.obeyed += _obeyed(old, heard)
        port.close()
        self.session.person = person = Operator(rig)
        start.at_first = person.state()
        for line in old:  # now that somebody has logged in
            rig.chip.send(line)
        rig.set(Sensor.TRIGGER, False)
        person.wait(SEEN_MS)
        with suppress(RefusedError):
            person.device.acknowledge()
        start.then = person.state()
        rig.set(Sensor.TRIGGER, True)
        person.wait(SEEN_MS)
        with suppress(RefusedError):
            person.device.arm()
            start.armed = True
        return start

    def _use_again(self) -> Again:
        rig, person = self.session.rig, self.session.person
        person.rest()
        device = person.device
        for doubt in device.status().in_doubt:
            device.resolve(doubt.number, doubt.strikes, doubt.total_nl)
        person.rest()
        strikes = len(rig.truth().strikes)
        device.load(DOSE | {"fill_nl": int(1000 * rig.truth().left_ul)})
        device.home()
        device.prime(1.0)
        rig.set(Sensor.CONTACT, True)
        rig.set(Sensor.TRIGGER, True)
        person.wait(SEEN_MS)
        arms = True
        try:
            device.arm()
        except RefusedError:
            arms = False
            person.rest()
            device.arm()
            person.touch()
        person.wait(SEEN_MS)
        before = len(rig.truth().strikes) - strikes
        person.press()
        person.wait(SEEN_MS)
        return Again(arms, before, len(rig.truth().strikes) - strikes)

    def _rises(self) -> int:
        return sum(1 for edge in self.session.edges if edge.level and edge.output in MOVING)

    def _steps(self) -> int:
        return sum(len(times) for times in self.session.steps.values())


def _obeyed(old: list[bytes], heard: bytes) -> list[str]:
    """The methods of the old lines that would move something and were not refused."""
    requests = [decode(line.strip()) for line in old]
    answers = [decode(line) for line in LineReader().feed(heard) if line]
    ran = [answer["id"] for answer in answers if "result" in answer]
    return [one["method"] for one in requests if one["id"] in ran and one["method"] in MOVES]


@pytest.fixture(scope="module")
def story() -> Story:
    return Teller().tell()


@pytest.mark.requirement("R1", "R14")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES)
def test_after_any_reset_in_any_state_nothing_moves_until_a_person_asks(
    story: Story, state: str, kind: str
):
    assert story.after[state, kind] == After(
        rail_on=False, rises=0, steps=0, strikes=0, needle=NeedleState.BACK
    )


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("state", STATES)
def test_no_old_line_no_hand_and_no_arm_begins_anything_after_a_reset(story: Story, state: str):
    then = "FAULT" if state in ("locked", "FAULT") else "SAFE"  # in FAULT the guard stays open
    assert story.starts[state] == Start("FAULT", then)  # the trigger is held: the self-test fails


@pytest.mark.requirement("R1")
def test_a_device_that_was_reset_strikes_again_when_homed_primed_armed_and_pressed_anew(
    story: Story,
):
    assert story.again == Again(arms_while_held=False, strikes=0, strikes_pressed=1)
