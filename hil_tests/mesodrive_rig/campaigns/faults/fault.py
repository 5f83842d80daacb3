"""A fault: how it is done to a session, what may name it, how soon it must have stopped."""

from collections.abc import Callable
from dataclasses import dataclass

from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.plant import Output, Sensor, WireFault

Deed = Callable[[Session], None]

SOON_MS = 400.0  # from the strike or the look that shows it to the alarm: a strike and its return
_IDLE_TESTS_MS = 1_100.0  # two of them
SLOW_MS = 1_500.0  # a self-test while idle, or three looks at an analog sensor in a row
TRAVEL_MS = 7_000.0  # a home switch that never comes: the whole travel


@dataclass(frozen=True)
class Fault:
    """`codes` are alarms that name it, `words` what a refusal or a reason may say instead.

    `harmless`: the session may go on as if nothing were, with right doses; where `harmless_in` is
    given, only when the fault came in one of those phases, where `harmless_at` is, only when the
    device is in one of those states at the end. `reveal` is what a person does next if nothing
    has named it; then it must be named after all, unless it came in one of `hidden_in`. With a
    `course` the person's script ends at the fault, and `course` is what goes on. `restarts`: the
    chip must restart and name it. `bites_in`: phases in which it must be named; they are always
    tried. `unseen` says why no case at all need name it.
    """

    name: str
    group: str
    deed: Deed
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    bound_ms: float = SOON_MS
    harmless: bool = False
    harmless_in: tuple[Phase, ...] | None = None
    harmless_at: tuple[str, ...] = ()
    reveal: Deed | None = None
    hidden_in: tuple[Phase, ...] = ()
    course: Deed | None = None
    restarts: bool = False
    keeps_rail: bool = False  # nothing that the chip does takes the rail away
    aged: bool = False  # it is tried on a device whose flash is nearly full
    wraps_us: int = 0  # the µs timer passes this in the phase
    not_in: tuple[Phase, ...] = ()
    bites_in: tuple[Phase, ...] = ()
    unseen: str = ""

    def may_be_harmless(self, phase: Phase, state: str = "") -> bool:
        """Whether the session may go on as if nothing were; `state` is that at its end."""
        if phase in self.bites_in:
            return False
        if self.harmless_at and state not in self.harmless_at:
            return False
        if self.reveal and phase not in self.hidden_in:
            return False
        return self.harmless if self.harmless_in is None else phase in self.harmless_in


def wire(name: Output | Sensor, fault: WireFault) -> Deed:
    """Break a wire."""
    return lambda session: session.rig.break_wire(name, fault, seed=7)


def opened(sensor: Sensor) -> Deed:
    """A person opens or pulls a switch."""

    def do(session: Session) -> None:
        session.rig.set(sensor, False)
        _look_on(session)

    return do


def opened_and_acknowledged(session: Session) -> None:
    """A person opens the guard, closes it, and acknowledges; raises what the device refuses."""
    session.rig.set(Sensor.GUARD, False)
    session.person.wait(50)
    session.release()
    session.rig.set(Sensor.GUARD, True)
    if _look_on(session) == "FAULT":
        session.person.device.acknowledge()


def _look_on(session: Session) -> str:
    """Wait for what the device says, where it is idle for what its self-test says; the state."""
    session.person.wait(50)
    state = session.person.device.status().state
    if state in ("SAFE", "READY"):
        session.person.wait(_IDLE_TESTS_MS)
    return state
