"""One session of a person with a device, from power-on to the end, that stops at each phase.

At each phase `visit(phase)` is called, in the midst of whatever goes on: mostly out of an alarm of
the emulated clock. It may break something and return; then the session goes on with that.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from mesodrive_rig.campaigns.faults.moments import (
    BEGIN_STRIKE,
    MOVE_MS,
    RETURN_MS,
    RISE_MS,
    TURNS,
)
from mesodrive_rig.campaigns.faults.patience import ImpatientPort
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.seen import Seen
from mesodrive_rig.campaigns.faults.treatment import DOSE, NEARBY, PRIME_UL
from mesodrive_rig.emulated.edges import Edge
from mesodrive_rig.emulated.provision import age
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import Operator
from mesodrive_rig.plant import Output, PlantSpec, Sensor

_BOOT_MS = 60.0  # MicroPython starts, no program runs
_SELF_TEST_MS = 44.0  # after the dead-man was started
_BOOT_AT_MOST_MS = 2000.0
_ANSWER_MS = 800.0
_PULLS = 5  # for a strike that does not come; four trembles may end one pull each
_LET_GO_MS = 50.0
_PAUSE_MS = 300.0  # in which it comes after a hand has let go
_LEAD_MS = 2_000.0  # in which a person logs in


class OverError(Exception):
    """The session cannot go on: the device has left the state that the next thing needs."""


class EnoughError(Exception):
    """The session has gone as far as anybody wants to see."""


class Session(Seen):
    """Built on a rig that has just been powered on; an `aged` one has its flash nearly full.
    `play` it once."""

    def __init__(
        self, visit: Callable[[Phase], None], spec: PlantSpec = NEARBY, *, aged: bool = False
    ):
        super().__init__()
        self.rig = EmulatedRig(spec)
        if aged:
            age(self.rig.chip.mcu.flash, self.rig.board)
        self.rig.connect = lambda: ImpatientPort(self.rig.chip)
        self.sent: list[bytes] = []  # by the host
        self.obeyed: list[str] = []  # requests that no device may obey
        self._note_what_is_sent()
        self._note_the_skin()
        self.visit = visit
        self.on_alarm: Callable[[], None] | None = None
        self.ends_after: int | None = None  # strikes told; then the session is over …
        self.is_enough: Callable[[], bool] = lambda: True  # … or a strike later
        self._primed_ul = 0.0
        self._primes_from_ul: float | None = None  # what had been pushed when a priming began
        self._begins = {  # with the next step of this axis
            Output.DEPTH_STEP: Phase.DEPTH_FAST,
            Output.PLUNGER_STEP: Phase.PLUNGER_FAST,
        }
        self._turns: dict[tuple[Output, bool], int] = {}
        self._strikes = 0
        self.person: Operator
        for output in Output:
            self._listen(output)

    # the script

    def play(self) -> None:
        """The whole session. Raises OverError, or what the host tool raises, when it cannot."""
        self.boot()
        self.make_ready()
        self.treat()
        self.fault_and_way_back()

    def wrap(self, us: int, after_ms: float) -> None:
        """In SAFE: let time go by until `after_ms` before the µs timer passes a multiple of `us`,
        and log in again."""
        rig = self.rig
        wrap_ms = us / 1000
        rig.leap(wrap_ms - rig.now_ms() % wrap_ms - after_ms - _LEAD_MS)
        self.person.wait(_LET_GO_MS)
        self.person.reconnect()
        rig.leap(wrap_ms - rig.now_ms() % wrap_ms - after_ms)

    def boot(self) -> None:
        """Power on; the person connects."""
        rig = self.rig
        rig.run_for(_BOOT_MS)
        self.visit(Phase.BOOT)
        dead_man = rig.chip.mcu.pio[1].machines[2]
        if rig.run_until(lambda: dead_man.enabled, _BOOT_AT_MOST_MS, 0.5):
            rig.run_for(_SELF_TEST_MS)
            self.visit(Phase.SELF_TEST)
        rig.run_until(lambda: rig.chip.loops, _BOOT_AT_MOST_MS)
        rig.run_for(30)
        self.person = Operator(rig)
        self.person.on_note = self._noted
        self.person.wait(20)
        self.visit(Phase.SAFE)

    def make_ready(self) -> None:
        """Load, home, prime."""
        device = self.person.device
        self._soon(Phase.LOADING, 12.0)
        device.load(DOSE | {"fill_nl": int(1000 * self.rig.truth().left_ul)})
        self._turns.clear()
        device.home()
        self.person.wait(30)
        self.visit(Phase.READY)
        self._begins[Output.PLUNGER_STEP] = Phase.PRIMING
        self._primes_from_ul = self.rig.truth().pushed_ul
        try:
            device.prime(PRIME_UL)
        finally:
            self._primed_ul, self._primes_from_ul = self.primed_ul, None

    def treat(self) -> None:
        """Arm; two strikes with one pull, the third with another."""
        person = self.person
        person.device.arm()
        person.wait(30)
        self.visit(Phase.ARMED)
        self.rig.set(Sensor.CONTACT, True)
        self._soon(Phase.TOUCH, 5.0)
        person.wait(60)
        self.press()
        self._until_told(1)
        self._until_told(2)
        self.release()
        self._until_paused()
        self.visit(Phase.PAUSED)
        person.wait(40)
        self.press()
        self._until_told(3)
        self.release()
        person.wait(40)
        self.rig.set(Sensor.CONTACT, False)
        self.visit(Phase.DONE)

    def fault_and_way_back(self) -> None:
        """Open the guard while ready and armed again, acknowledge."""
        person = self.person
        device = person.device
        device.load(DOSE | {"fill_nl": int(1000 * self.rig.truth().left_ul)})
        device.home()
        device.arm()
        self._strike_for_the_branch()
        self.rig.set(Sensor.GUARD, False)
        person.wait(40)
        self.visit(Phase.FAULT)
        self.rig.set(Sensor.GUARD, True)
        person.wait(40)
        device.acknowledge()
        person.wait(20)
        self.visit(Phase.ACKNOWLEDGED)
        device.home()
        device.arm()
        self._strike_for_the_branch()

    def _strike_for_the_branch(self) -> None:
        if self.ends_after is not None:
            self.person.touch()
            self.press()
            self._until_told(self.ends_after)
            self._until_told(self.ends_after)

    def press(self) -> None:
        """The person pulls the trigger."""
        self.held.append([self.rig.now_ms(), math.inf])
        self.rig.set(Sensor.TRIGGER, True)
        self._soon(Phase.PULL, 8.0)

    def release(self) -> None:
        """The person lets the trigger go."""
        if self.held:
            self.held[-1][1] = min(self.held[-1][1], self.rig.now_ms())
        self.rig.set(Sensor.TRIGGER, False)

    # what is told

    def notes(self) -> list[tuple[str, dict[str, Any]]]:
        """What the device has told so far."""
        return self.person.notes if self.connected else []

    @property
    def primed_ul(self) -> float:
        """What priming has pushed, up to what was asked for."""
        if self._primes_from_ul is None:
            return self._primed_ul
        pushed_ul = self.rig.truth().pushed_ul - self._primes_from_ul
        return self._primed_ul + max(0.0, min(PRIME_UL, pushed_ul))

    @property
    def connected(self) -> bool:
        """Whether the person has connected yet."""
        return hasattr(self, "person")

    def _until_told(self, shots: int) -> None:
        """Wait for a strike. Whoever holds the trigger and sees the device stop pulls again."""
        person = self.person
        end_ms = self.rig.now_ms() + _ANSWER_MS
        alarms = len(person.told("alarm"))
        pulls = 1
        while len(person.shots) < shots:
            person.wait(2)
            if self._stopped_striking() and pulls < _PULLS:
                pulls += 1
                self.release()
                person.wait(_LET_GO_MS)
                self.press()
            if len(person.told("alarm")) > alarms:
                raise OverError(f"strike {shots} was not told")
            if self.rig.now_ms() > end_ms:
                raise OverError(f"strike {shots} was not told in time")
        if self.ends_after is not None and shots >= self.ends_after:
            if self.is_enough():
                raise EnoughError
            self.ends_after += 1

    def _until_paused(self) -> None:
        """Wait until the device tells that it is; not for ever, for it may be broken."""
        end_ms = self.rig.now_ms() + _PAUSE_MS
        while self.person.told("state")[-1]["state"] != "PAUSED" and self.rig.now_ms() < end_ms:
            self.person.wait(2)

    def _stopped_striking(self) -> bool:
        """Whether the device has left off although the trigger is held."""
        told = self.person.told("state")
        began_ms, until = self.held[-1] if self.held else (math.inf, 0.0)
        return (
            until == math.inf
            and self.rig.now_ms() > began_ms + _LET_GO_MS
            and bool(told)
            and told[-1]["state"] in ("PAUSED", "ARMED")
            and told[-1]["was"] == "DELIVERING"
        )

    def _note_what_is_sent(self) -> None:
        send = self.rig.chip.send

        def noting(data: bytes) -> None:
            self.sent.append(bytes(data))
            send(data)

        self.rig.chip.send = noting

    def _note_the_skin(self) -> None:
        move = self.rig.set

        def noting(sensor: Sensor, is_true: bool, bounce_ms: Sequence[float] = ()) -> None:
            if sensor is Sensor.CONTACT:
                self.touches(is_true, self.rig.now_ms())
            move(sensor, is_true, bounce_ms)

        self.rig.set = noting

    def _noted(self, method: str) -> None:
        if method == "alarm" and self.on_alarm:
            self.on_alarm()

    def _soon(self, phase: Phase, after_ms: float) -> None:
        """Visit `phase` in a moment, if it has not been visited yet."""
        due_ns = self.rig.chip.now_ns + after_ms * 1e6
        self.rig.chip.call_at(due_ns, lambda: self.visit(phase))

    def _listen(self, output: Output) -> None:
        gpio = self.rig.gpio(output)
        if output in self.steps:
            times = self.steps[output]

            def stepped(level: bool) -> None:
                if level:
                    times.append(self.rig.now_ms())
                    if output in self._begins:
                        self._soon(self._begins.pop(output), MOVE_MS)

            self.rig.chip.on_edge(gpio, stepped)
        else:
            self.rig.chip.on_edge(gpio, lambda level: self._edge(output, level))

    def _edge(self, output: Output, level: bool) -> None:
        self.edges.append(Edge(self.rig.now_ms(), output, level))
        count = self._turns[output, level] = self._turns.get((output, level), 0) + 1
        if (output, level, count) in TURNS:
            self._soon(TURNS[output, level, count], MOVE_MS)
        if output is Output.ENABLE and level:
            self._soon(Phase.POWER_UP, RISE_MS)
        if output is Output.STRIKE and level:
            self._strikes += 1
            if self._strikes == 1:
                for phase, after_ms in BEGIN_STRIKE:
                    self._soon(phase, after_ms)
        elif output is Output.STRIKE and self._strikes == 1:
            self._soon(Phase.RETURN, RETURN_MS)
