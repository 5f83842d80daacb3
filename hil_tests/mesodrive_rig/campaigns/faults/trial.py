"""One case: what came of a fault in a phase, and whether that is as it must be."""

import re
from contextlib import suppress
from dataclasses import dataclass

from mesodrive.device import Status
from mesodrive.errors import MesodriveError
from mesodrive_rig.campaigns.faults.catalogue import Fault
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import DOSE_UL, Session
from mesodrive_rig.plant import StrikeTruth

EXCESS_UL = 2.0
_TAIL_MS = 120.0
_BOOT_MS = 700.0
_DOSE_OFF = 0.02  # part of a dose by which it may be off and still be right
_DEPTH_MM, _DEPTH_OFF_MM = 0.25, 0.1
_ORDINARY = (
    "the trigger was pulled",
    "the trigger was released",
    "all shots are done",
    "self-test passed",
    "in position",
)  # reasons that name no fault
_SLACK_UL = 0.05  # of all volumes together: backlash, seating


@dataclass(frozen=True)
class Case:
    """`verdict` is "" when all is well, else what is wrong."""

    fault: str
    phase: str
    outcome: str  # named, harmless, or what is wrong
    named: str
    evidence: tuple[str, ...]
    latency_ms: float | None  # from the cause, or the motion that shows it, to the alarm
    excess_ul: float
    wrong_shots: int
    unasked_shots: int
    verdict: str


class Trial:
    """Made in the branch, at the fault; `finish` when the session has ended, one way or other."""

    def __init__(self, session: Session, fault: Fault, phase: Phase):
        self._session = session
        self._fault = fault
        self._phase = phase
        self._at_ms = session.rig.now_ms()
        self._strikes = len(session.rig.truth().strikes)
        self._notes = len(session.notes())
        self._resets: list[float] = []
        session.rig.chip.on_reset(lambda: self._resets.append(session.rig.now_ms()))
        self._heard_ms: float | None = None
        session.on_alarm = self._heard

    def _heard(self) -> None:
        if self._heard_ms is None:
            self._heard_ms = self._session.rig.now_ms()

    def finish(self, ending: BaseException | None) -> Case:
        """Wait a little, ask the device, and judge."""
        session = self._session
        if ending is not None and self._heard_ms is None:
            self._heard_ms = session.rig.now_ms()
        if ending is None and session.connected:
            session.release()
        self._wait(_TAIL_MS)
        if self._resets:
            self._heard_ms = min(self._resets[0], self._heard_ms or self._resets[0])
            session.rig.run_for(_BOOT_MS)
        evidence = self._evidence(ending)
        named = self._named(evidence)
        if not named and ending is None and self._fault.reveal:
            self._heard_ms = None
            with suppress(MesodriveError):
                self._fault.reveal(session)
            self._wait(_TAIL_MS)
            evidence += self._evidence(None)
            named = self._named(evidence)
            if named:
                named += ", when it mattered"
        return self._judge(evidence, named, well=ending is None)

    def _wait(self, ms: float) -> None:
        until_ms = self._session.rig.now_ms() + ms
        with suppress(MesodriveError):
            self._session.person.wait(ms)
        self._session.rig.run_for(max(0.0, until_ms - self._session.rig.now_ms()))

    def _evidence(self, ending: BaseException | None) -> tuple[str, ...]:
        session = self._session
        found = [
            told["code"] for method, told in session.notes()[self._notes :] if method == "alarm"
        ]
        if ending is not None:
            found.append(str(ending))
        if self._resets:
            found.append("reset")
        status = self._status()
        if status:
            found += [status.why] + ([status.alarm.code] if status.alarm else [])
            found.append(status.state)
        return tuple(dict.fromkeys(found))

    def _status(self) -> Status | None:
        person = self._session.person
        for _ in range(2):
            with suppress(MesodriveError):
                return person.device.status()
            with suppress(MesodriveError):
                person.reconnect()
        return None

    def _named(self, evidence: tuple[str, ...]) -> str:
        for text in evidence:
            if text in self._fault.codes:
                return text
        for text in evidence:
            for word in self._fault.words:
                if re.search(word, text) and not re.search(
                    "^all shots|trigger was released", text
                ):
                    return text
        return ""

    def _judge(self, evidence: tuple[str, ...], named: str, *, well: bool) -> Case:
        session = self._session
        truth = session.rig.truth()
        strikes = truth.strikes
        unasked = sum(
            1 for strike in strikes[self._strikes :] if not session.was_asked_for(strike.start_ms)
        )
        closed = [strike for strike in strikes if strike.back_ms is not None]
        wrong = sum(1 for strike in closed[max(0, self._strikes - 1) :] if self._is_wrong(strike))
        allowed = session.primed_ul + DOSE_UL * sum(
            1 for strike in strikes if session.was_asked_for(strike.start_ms)
        )
        excess = max(0.0, truth.pushed_ul - allowed - _SLACK_UL)
        latency = self._latency()
        wrongs: list[str] = []
        if named:
            outcome = "named"
        elif well and self._fault.harmless and not wrong:
            outcome = "harmless"
        elif well and not wrong:
            outcome = "not noticed"
            wrongs.append(outcome)
        else:
            outcome = "not named rightly" if not well else "wrong doses, not noticed"
            wrongs.append(outcome)
        if excess > EXCESS_UL:
            wrongs.append(f"{excess:.1f} uL too much")
        if unasked:
            wrongs.append(f"{unasked} strikes that nobody asked for")
        if wrong > 1:
            wrongs.append(f"{wrong} shots went wrong")
        if named and latency is not None and latency > self._fault.bound_ms:
            wrongs.append(f"stopped {latency:.0f} ms after it showed")
        if session.still_moves():
            wrongs.append("it still moves")
        return Case(
            self._fault.name,
            self._phase,
            outcome,
            named,
            evidence,
            latency,
            excess,
            wrong,
            unasked,
            "; ".join(wrongs),
        )

    def _is_wrong(self, strike: StrikeTruth) -> bool:
        assert strike.back_ms is not None
        off_ul = abs(strike.skin_ul - DOSE_UL)
        if not self._session.was_held(strike.start_ms, strike.back_ms):
            off_ul = max(0.0, strike.skin_ul - DOSE_UL)  # ended by the person, who may
        too_deep_mm = strike.depth_mm - _DEPTH_MM
        return off_ul > _DOSE_OFF * DOSE_UL or abs(too_deep_mm) > _DEPTH_OFF_MM

    def _latency(self) -> float | None:
        """From the fault, or the beginning of the motion that showed it, to the alarm."""
        if self._heard_ms is None:
            return None
        began = max([self._at_ms, *(t for t in self._session.beginnings() if t < self._heard_ms)])
        return self._heard_ms - began
