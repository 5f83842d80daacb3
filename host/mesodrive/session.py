"""One treatment session: a device gives what a prescription says, and every shot is recorded.

A shot is safe on disk before it is shown. Whatever ends the session (the last shot, a person, a
fault, a lost cable, a full disk, an output that nobody reads), the device is stopped first and the
record then says what is certain and what is not.
"""

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mesodrive.device import Device, State, Status
from mesodrive.errors import MesodriveError
from mesodrive.guarded_view import GuardedView, UnreadError
from mesodrive.ledger.join import Joined
from mesodrive.ledger.keeper import LedgerKeeper
from mesodrive.link.client import DeviceSilentError, RefusedError
from mesodrive.link.port import PortLostError
from mesodrive.presets import Prescription, Preset
from mesodrive.presets.profile import thousandths
from mesodrive.records import (
    EventKind,
    Records,
    RecordsError,
    SessionFacts,
    SessionOutcome,
)
from mesodrive.session_view import Result, View, doubts
from mesodrive.shot_book import ShotBook, Truth
from mesodrive.telemetry import LiveStatus, Shots
from mesodrive.undisturbed import undisturbed

PRIME_BEYOND_DEAD_UL = 1.0  # until the first drop shows at the needle
_HOT: tuple[State, ...] = ("ARMED", "DELIVERING", "PAUSED")
_SILENCE_S = 0.6  # a device that hears nothing for 0.5 s stops (docs/protocol.md), once it notices
_PRIMINGS = 8  # after an occlusion; a site may allow less at once than the device asks for
_PUMP_S = 0.15  # with its ping, within the 0.2 s of the link
_UNFELT = (
    "With this product, flow and syringe the plunger pushes too weakly or too shortly to be felt: "
    "one that stands still would be noticed at the next homing alone. Watch the liquid; a wider "
    "syringe or a higher flow is felt sooner."
)


class SessionError(MesodriveError):
    """A session that cannot begin."""


class TreatmentSession:
    """`run` it once. `truth` is there on the emulated rig only.

    `find_again` opens the same device after its link was lost; it may take some seconds and
    raises MesodriveError when there is none. With `ledger` the device's own record is fetched
    before and after, and what it says is what counts.
    """

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
        find_again: Callable[[], Device] | None = None,
        ledger: LedgerKeeper | None = None,
    ):
        self._device = device
        self._records = records
        self._prescription = prescription
        self._profile = prescription.to_profile()
        self._facts = SessionFacts.of(preset, prescription, device.info.model_dump(), operator)
        self._view = GuardedView(view)
        self._primed = primed
        self._find_again = find_again
        self._ledger = ledger
        self._fetched = False  # the ledger, since the session ended
        self._unfetched = ""  # why not
        self._warnings: list[str] = []
        self._book = ShotBook(
            records,
            dose_nl=thousandths(prescription.dose_ul),
            depth_um=thousandths(prescription.depth_mm),
            show=self._view.shot,
            truth=truth,
        )
        self._id = ""
        self._profile_id = ""
        self._missed = 0  # lines that did not arrive whole, as far as they have been looked after
        self._state = device.info.state
        self._lives: deque[LiveStatus] = deque()  # those whose shots are not all recorded
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
        begun = self._ledger.before(self._device) if self._ledger else None
        plan = self._device.load(self._profile)
        self._profile_id = plan.profile
        self._id = self._records.start(self._facts, begun and begun.mark(self._profile_id))
        self._book.begin(self._id)
        for sentence in self._prescription.warnings:
            self._note(EventKind.NOTE, sentence)
        for sentence in begun.notes if begun else ():
            self._view.step(sentence)
            self._note(EventKind.NOTE, sentence)
        if self._prescription.dose_ul and not plan.push_felt:
            self._view.step(_UNFELT)
            self._note(EventKind.NOTE, _UNFELT)
        try:
            return self._treat()
        except (PortLostError, DeviceSilentError) as error:
            with undisturbed():
                return self._lost(str(error))
        except BaseException:  # the record cannot be kept, or a defect of ours
            self._make_safe()
            raise

    def _treat(self) -> Result:
        stopped_because = None
        try:
            with self._view.ending():
                self._prepare()
                self._watch()
        except KeyboardInterrupt:
            stopped_because = "A person stopped it at the host."
        except UnreadError as error:
            stopped_because = f"The host stopped it, for its output could not be written: {error}."
        except RefusedError as refusal:
            stopped_because = str(refusal)
        with undisturbed():
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
        if status.in_doubt:
            raise SessionError(doubts(status.in_doubt))
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
        self._arm()
        self._state = self._device.ping().state
        self._view.step("armed: hold the device to the skin and pull the trigger")

    def _arm(self) -> None:
        for left in range(_PRIMINGS, -1, -1):
            self._known_s = self._device.client.port.now_s()
            try:
                self._device.arm()
            except RefusedError as refused:
                prime_nl = refused.data.get("prime_nl")
                if self._primed or not left or not isinstance(prime_nl, int):
                    raise
                self._known_s = None  # nothing is given before it is armed
                self._view.step(
                    f"priming: {prime_nl / 1000:.1f} µL into the air show whether the line, which "
                    "was blocked, is free"
                )
                self._device.prime(prime_nl / 1000)
            else:
                return

    def _watch(self) -> None:
        client = self._device.client
        while self._state in _HOT:
            client.pump(_PUMP_S)
            asked_s, given = client.port.now_s(), len(self._book)
            # A notification can be lost, the last one too, or be old; so the state is asked for.
            pong = self._device.ping()
            self._state = pong.state
            self._book.record()
            if client.gaps + client.broken_lines > self._missed or not self._book.is_whole():
                self._fetch_missed()
            while self._lives and self._book.is_whole(self._lives[0].shots_done):
                since_s = (pong.uptime_ms - self._lives.popleft().uptime_ms) / 1000
                if since_s >= 0:  # otherwise the device has restarted in between
                    self._known_s = asked_s - since_s
            if self._state in _HOT and given >= self._prescription.shots:
                self._device.disarm()  # whatever the device thinks: all had been given by then

    def _heard(self, method: str, params: dict[str, Any]) -> None:
        if method == "shots":
            self._book.take(Shots.of(params).rows)
        elif method == "status":
            live = LiveStatus.of(params)
            self._lives.append(live)
            self._view.live(live, self._prescription.coverage(live.shots_done))
        elif method == "state":
            self._note(EventKind.STATE, f"{params['state']}: {params['why']}")
            self._view.state(params["state"], params["why"])
        elif method == "alarm":
            self._note(EventKind.ALARM, f"{params['code']}: {params['text']}")
            self._view.alarm(params["code"], params["text"])

    def _note(self, kind: EventKind, text: str) -> None:
        if self._id:
            self._records.add_event(self._id, kind, text)

    def _warn(self, text: str) -> None:
        self._warnings.append(text)
        self._note(EventKind.NOTE, text)

    def _fetch_missed(self) -> Status:
        """Record what was told and did not arrive; return how the device stands."""
        client = self._device.client
        missed = client.gaps + client.broken_lines
        if missed > self._missed:
            self._note(EventKind.GAP, "A line did not arrive whole; what it told is asked for.")
            self._missed = missed
        status = self._device.status()
        if status.profile == self._profile_id:
            self._note_lost(self._book.fetch(self._device, status.shots_done))
        return status

    def _note_lost(self, numbers: list[int]) -> None:
        if numbers:
            count = f"{len(numbers)} from {numbers[0]} to {numbers[-1]}"
            self._note(EventKind.GAP, f"The reports of shots are lost for good: {count}.")

    def _end(self, stopped_because: str | None) -> Result:
        """End with the device still there: what it has not told by now it can be asked for."""
        status = self._fetch_missed()
        if status.profile != self._profile_id:
            return self._lost("The device has restarted; look at it before the next session.")
        self._note_lost(self._book.give_up(status.shots_done))
        outcome = SessionOutcome.STOPPED
        reason = stopped_because or f"The device stopped: {status.why}."
        if status.state == "FAULT":
            outcome, reason = SessionOutcome.FAULT, status.why
        elif not stopped_because and status.shots_done >= self._prescription.shots:
            outcome, reason = SessionOutcome.COMPLETE, "All shots are done."
            if self._book.cut_short:
                reason = f"All shots are done, {self._book.cut_short} of them cut short."
        self._fetch_ledger(self._device)
        return self._finish(outcome, reason, status.shots_done - len(self._book))

    def _lost(self, reason: str) -> Result:
        """End without the device, which strikes on until it notices that the host is gone.

        Found again, it tells the rest. Otherwise: strikes begin a period apart. One may have been
        under way when all before it was known, and more may have begun until the device stopped.
        """
        last_sent_s = self._device.client.sent_s
        self._device.close()
        self._book.record()
        done = self._told_after_all()
        if done is None and self._joined():
            reason = f"{reason} The device was found again, and its ledger has told the rest."
            return self._finish(SessionOutcome.LINK_LOST, reason, 0)
        if done is not None:
            reason = f"{reason} The device was found again and has told the rest."
            return self._finish(SessionOutcome.LINK_LOST, reason, done - len(self._book))
        unreported = 0
        if self._known_s is not None:
            unknown_s = last_sent_s - self._known_s + _SILENCE_S
            unreported = 2 + math.floor(1e6 * unknown_s / self._prescription.period_us)
            unreported += len(self._book.lost)
        left = max(0, self._prescription.shots - len(self._book))
        return self._finish(SessionOutcome.LINK_LOST, reason, min(unreported, left))

    def _told_after_all(self) -> int | None:
        """How many shots were given, by the device itself; None when it is gone for good."""
        if self._known_s is None or self._find_again is None:
            return None
        self._view.step("the link is lost: looking for the device again")
        try:
            with self._find_again() as device:
                status = device.status()
                same = device.info.serial == self._facts.device.serial
                if not same or status.state in _HOT:
                    return None
                told = status.profile == self._profile_id
                if told:
                    self._note_lost(self._book.fetch(device, status.shots_done))
                    self._note_lost(self._book.give_up(status.shots_done))
                self._fetch_ledger(device)
                return status.shots_done if told else None
        except RecordsError:
            raise
        except MesodriveError:
            return None

    def _fetch_ledger(self, device: Device) -> None:
        """Bring the records up to the device's ledger. What it says is true without it, too."""
        if self._ledger is None:
            return
        try:
            for sentence in self._ledger.after(device):
                self._warn(sentence)
            self._fetched = True
        except RecordsError:
            raise
        except MesodriveError as error:
            self._unfetched = str(error)

    def _joined(self) -> Joined | None:
        """This session as the device's ledger has it; None when that is not known."""
        return self._records.joined(self._id) if self._fetched else None

    def _finish(self, outcome: SessionOutcome, reason: str, uncertain_shots: int) -> Result:
        uncertain_ul = uncertain_shots * self._prescription.dose_ul
        lost = len(self._book.lost)
        if joined := self._joined():
            uncertain_shots, lost = joined.uncertain_shots, joined.lost_shots
            uncertain_ul = joined.uncertain_nl / 1000
        if self._fetched:
            for sentence in self._records.differences(self._id):
                self._warn(sentence)
        elif self._ledger:
            text = "The device's ledger was not fetched; run mesodrive ledger fetch."
            self._warn(f"{text} {self._unfetched}".rstrip())
        self._records.finish(self._id, outcome, reason, uncertain_shots, uncertain_ul, lost)
        return Result(
            self._id,
            outcome,
            reason,
            len(self._book),
            self._book.dose_ul,
            self._book.cut_short,
            uncertain_shots,
            uncertain_ul,
            lost,
            tuple(self._warnings),
            self._view.unread,
        )

    def _make_safe(self) -> None:
        self._device.client.on_notification = _ignore
        try:
            self._device.disarm()
        except MesodriveError:
            self._device.close()  # the device stops when the port is closed


def _ignore(_method: str, _params: dict[str, Any]) -> None:
    pass
