"""One treatment session: a device gives what a prescription says, and every shot is recorded.

A shot is safe on disk before it is shown. Whatever ends the session (the last shot, a person, a
fault, a lost cable, a full disk), the device is stopped first and the record then says what is
certain and what is not.
"""

import math
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from mesodrive.device import Device, State, Status
from mesodrive.errors import MesodriveError
from mesodrive.link.client import DeviceSilentError, RefusedError
from mesodrive.link.port import PortLostError
from mesodrive.presets import Prescription, Preset
from mesodrive.records import (
    EventKind,
    Records,
    SessionFacts,
    SessionOutcome,
    ShotOutcome,
    ShotReport,
)

PRIME_BEYOND_DEAD_UL = 1.0  # until the first drop shows at the needle
_HOT: tuple[State, ...] = ("ARMED", "DELIVERING", "PAUSED")
_SILENCE_S = 0.6  # a device that hears nothing for 0.5 s stops (docs/protocol.md), once it notices
_PUMP_S = 0.15  # with its ping, within the 0.2 s of the link


class SessionError(MesodriveError):
    """A session that cannot begin."""


class View(Protocol):
    """Where a session is watched."""

    def step(self, text: str) -> None:
        """A step of the preparation begins."""
        ...

    def state(self, state: str, why: str) -> None:
        """The device has changed its state."""
        ...

    def shot(self, report: ShotReport) -> None:
        """A shot has been recorded."""
        ...

    def alarm(self, code: str, text: str) -> None:
        """The device raises an alarm."""
        ...


@dataclass(frozen=True)
class Result:
    """How the session ended."""

    session_id: str
    outcome: SessionOutcome
    reason: str
    shots: int
    dose_ul: float
    cut_short: int
    uncertain_shots: int
    uncertain_ul: float

    @property
    def as_planned(self) -> bool:
        """Whether every shot was given in full, and that is certain."""
        complete = self.outcome is SessionOutcome.COMPLETE
        return complete and not self.cut_short and not self.uncertain_shots


Truth = Callable[[int], tuple[float, float, float] | None]
"""What a virtual injector measured of shot n: skin_ul, depth_mm, lost_ul; None if it cannot."""


class TreatmentSession:
    """`run` it once. `truth` is there on the emulated rig only."""

    def __init__(
        self,
        device: Device,
        records: Records,
        preset: Preset,
        prescription: Prescription,
        view: View,
        *,
        operator: str | None = None,
        primed: bool = False,
        truth: Truth | None = None,
    ):
        self._device = device
        self._records = records
        self._prescription = prescription
        self._profile = prescription.to_profile()
        self._facts = SessionFacts.of(preset, prescription, device.info.model_dump(), operator)
        self._view = view
        self._primed = primed
        self._truth = truth
        self._id = ""
        self._profile_id = ""
        self._numbers: set[int] = set()
        self._dose_ul = 0.0
        self._cut_short = 0
        self._missed = 0  # lines that did not arrive whole, as far as they have been looked after
        self._state = device.info.state
        self._known_s: float | None = None  # shots that ended before this are recorded
        device.client.on_notification = self._heard

    @property
    def prime_ul(self) -> float:
        """What fills the cartridge before the first shot; none for a dry session, or when the
        cartridge is `primed` already."""
        if self._primed or not self._prescription.dose_ul:
            return 0.0
        return self._prescription.cartridge.dead_volume.value + PRIME_BEYOND_DEAD_UL

    def run(self) -> Result:
        """Prepare, arm, and record until it is over.

        Raises SessionError or RefusedError when it cannot begin (nothing has moved or been
        recorded then), RecordsError when the record cannot be kept (the device is disarmed).
        """
        self._check()
        self._profile_id = self._device.load(self._profile).profile
        self._id = self._records.start(self._facts)
        try:
            return self._treat()
        except (PortLostError, DeviceSilentError) as error:
            return self._lost(str(error))
        except BaseException:  # the record cannot be kept, or a defect of ours
            self._make_safe()
            raise

    def _treat(self) -> Result:
        stopped_because = None
        try:
            self._prepare()
            self._watch()
        except KeyboardInterrupt:
            stopped_because = "A person stopped it at the host."
        except RefusedError as refusal:
            stopped_because = str(refusal)
        with _undisturbed():
            if stopped_because:
                with suppress(RefusedError):  # in a fault it has stopped already
                    self._device.disarm()
            return self._end(stopped_because)

    def _check(self) -> None:
        if self._profile["mode"] not in self._device.info.modes:
            raise SessionError(
                f"The device does not know the mode {self._profile['mode']}; flash newer firmware."
            )
        needed = self._prescription.shots * self._prescription.dose_ul + self.prime_ul
        if needed > self._prescription.fill_ul:
            raise SessionError(
                f"The shots and the priming take {needed:.1f} µL and the syringe holds "
                f"{self._prescription.fill_ul:.1f}; fill more or plan fewer shots."
            )
        status = self._device.status()
        if status.state == "FAULT":
            raise SessionError(
                f"The device is in FAULT ({status.why.rstrip('.')}); put that right, then run "
                "mesodrive ack."
            )

    def _prepare(self) -> None:
        self._view.step("homing: the axes find their switches and take position")
        self._device.home()
        if self.prime_ul:
            self._view.step(f"priming: {self.prime_ul:.1f} µL fill the cartridge")
            self._device.prime(self.prime_ul)
        self._known_s = self._device.client.port.now_s()
        self._device.arm()
        self._state = self._device.ping()
        self._view.step("armed: hold the device to the skin and pull the trigger")

    def _watch(self) -> None:
        client = self._device.client
        while self._state in _HOT:
            client.pump(_PUMP_S)
            asked_s = client.port.now_s()
            # A notification can be lost, the last one too; so the state is also asked for.
            self._state = self._device.ping()
            if client.gaps + client.broken_lines > self._missed:
                self._fetch_missed()
            self._known_s = asked_s
            if self._state in _HOT and len(self._numbers) >= self._prescription.shots:
                self._device.disarm()  # whatever the device thinks: all that was planned is given

    def _heard(self, method: str, params: dict[str, Any]) -> None:
        if method == "shot":
            self._record(params)
        elif method == "state":
            self._state = params["state"]
            self._note(EventKind.STATE, f"{params['state']}: {params['why']}")
            self._view.state(params["state"], params["why"])
        elif method == "alarm":
            self._note(EventKind.ALARM, f"{params['code']}: {params['text']}")
            self._view.alarm(params["code"], params["text"])

    def _note(self, kind: EventKind, text: str) -> None:
        if self._id:
            self._records.add_event(self._id, kind, text)

    def _record(self, params: dict[str, Any]) -> None:
        depth_um = self._profile["depth_um"]
        assert isinstance(depth_um, int)
        report = ShotReport.from_wire(params, depth_um)
        if report.number in self._numbers:
            return
        measured = self._truth(report.number) if self._truth else None
        if measured:
            report = report.with_truth(*measured)
        self._records.add_shot(self._id, report)
        self._numbers.add(report.number)
        self._dose_ul += report.dose_ul
        self._cut_short += report.outcome is not ShotOutcome.DONE
        self._view.shot(report)

    def _fetch_missed(self) -> Status:
        """Record what was told and did not arrive; return how the device stands."""
        client = self._device.client
        missed = client.gaps + client.broken_lines
        if missed > self._missed:
            self._note(EventKind.GAP, "A line did not arrive whole; what it told is asked for.")
            self._missed = missed
        status = self._device.status()
        missing = set(range(1, status.shots_done + 1)) - self._numbers
        if missing:
            for params in self._device.shots(min(missing)):
                self._record(params)
        return status

    def _end(self, stopped_because: str | None) -> Result:
        """End with the device still there: what it has not told by now it can be asked for."""
        status = self._fetch_missed()
        if status.profile != self._profile_id:
            return self._lost("The device has restarted; look at it before the next session.")
        outcome = SessionOutcome.STOPPED
        reason = stopped_because or f"The device stopped: {status.why}."
        if status.state == "FAULT":
            outcome, reason = SessionOutcome.FAULT, status.why
        elif not stopped_because and status.shots_done >= self._prescription.shots:
            outcome, reason = SessionOutcome.COMPLETE, "All shots are done."
            if self._cut_short:
                reason = f"All shots are done, {self._cut_short} of them cut short."
        return self._finish(outcome, reason, status.shots_done - len(self._numbers))

    def _lost(self, reason: str) -> Result:
        """End without the device, which strikes on until it notices that the host is gone.

        Shots begin a period apart. One may have been under way when all before it was known, and
        more may have begun until the device stopped.
        """
        self._device.close()
        unreported = 0
        if self._known_s is not None:
            unknown_s = self._device.client.sent_s - self._known_s + _SILENCE_S
            unreported = 2 + math.floor(1000 * unknown_s / self._prescription.period_ms)
        left = max(0, self._prescription.shots - len(self._numbers))
        return self._finish(SessionOutcome.LINK_LOST, reason, min(unreported, left))

    def _finish(self, outcome: SessionOutcome, reason: str, uncertain_shots: int) -> Result:
        uncertain_ul = uncertain_shots * self._prescription.dose_ul
        self._records.finish(self._id, outcome, reason, uncertain_shots, uncertain_ul)
        return Result(
            self._id,
            outcome,
            reason,
            len(self._numbers),
            self._dose_ul,
            self._cut_short,
            uncertain_shots,
            uncertain_ul,
        )

    def _make_safe(self) -> None:
        self._device.client.on_notification = _ignore
        try:
            self._device.disarm()
        except MesodriveError:
            self._device.close()  # the device stops when the port is closed


@contextmanager
def _undisturbed() -> Generator[None]:
    """Ctrl-C pressed again does not keep the record from being closed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of it anyway
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ignore(_method: str, _params: dict[str, Any]) -> None:
    pass
