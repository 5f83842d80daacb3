"""One case: what came of a fault in a phase, and whether that is as it must be."""

import math
import time
from collections.abc import Sequence
from contextlib import suppress

from mesodrive.device import Status
from mesodrive.errors import MesodriveError
from mesodrive.link.client import DeviceSilentError
from mesodrive_rig.campaigns.faults.case import Case
from mesodrive_rig.campaigns.faults.evidence import ANEW, Note, name_in, not_heeded, started_anew
from mesodrive_rig.campaigns.faults.excess import excess_ul
from mesodrive_rig.campaigns.faults.fault import Fault
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import OverError, Session
from mesodrive_rig.campaigns.faults.treatment import DOSE_UL
from mesodrive_rig.plant import StrikeTruth

EXCESS_UL = 2.0
_TAIL_MS = 80.0
_BOOT_MS = 620.0
_DOSE_OFF = 0.02  # part of a dose by which it may be off and still be right
_DEPTH_MM, _DEPTH_OFF_MM = 0.25, 0.1
_ONE_STRIKE_MS = 70.0
_SAME_MS = 2.0  # a strike as it was told and as it was
_UNSUPERVISED = (Phase.BOOT, Phase.SELF_TEST)  # nothing is live, and nothing waits for the loop
_RESTARTED = "restarted"


class Trial:
    """Made in the branch, at the fault; `finish` when the session has ended, one way or other."""

    def __init__(self, session: Session, fault: Fault, phase: Phase):
        self._session = session
        self._fault = fault
        self._phase = phase
        self._at_ms = session.rig.now_ms()
        self._began_s = time.monotonic()
        self._strikes = len(session.rig.truth().strikes)
        self._notes = len(session.notes())
        self._resets: list[float] = []
        session.rig.chip.on_reset(lambda: self._resets.append(session.rig.now_ms()))
        self._heard_ms: float | None = None
        session.on_alarm = self._heard
        session.is_enough = self._is_enough
        self._went_on = False
        self._state = ""  # as the device told when it was asked
        self._standing = ""  # the alarm that it had then
        self._sentences: set[str] = set()  # of its alarms

    def _heard(self) -> None:
        if self._heard_ms is None:
            self._heard_ms = self._session.rig.now_ms()

    def _is_enough(self) -> bool:
        """One strike may go wrong before it shows: then the next must tell."""
        strikes = self._session.rig.truth().strikes
        if self._went_on or not self._wrong_among(strikes):
            return True
        self._went_on = True
        return False

    def finish(self, ending: BaseException | None) -> Case:
        """Wait a little, ask the device, and judge."""
        session = self._session
        if ending is not None and self._heard_ms is None and not isinstance(ending, OverError):
            self._heard_ms = session.rig.now_ms()  # else it is only the person's patience
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
            self._at_ms = session.rig.now_ms()  # now it matters
            refused: MesodriveError | None = None
            try:
                self._fault.reveal(session)
            except MesodriveError as error:
                refused = error
            self._wait(_TAIL_MS)
            evidence += self._evidence(refused)
            named = self._named(evidence)
            if named:
                named += ", when it mattered"
        return self._judge(evidence, named, well=ending is None)

    def broken(self, why: str) -> Case:
        """The case when the trial itself went wrong."""
        name, phase, seconds = self._fault.name, self._phase, time.monotonic() - self._began_s
        what = f"the trial broke off: {why.strip().splitlines()[-1]}"
        return Case(name, phase, what, "", (why,), None, None, 0.0, 0, 0, what, round(seconds, 2))

    def _wait(self, ms: float) -> None:
        until_ms = self._session.rig.now_ms() + ms
        if self._session.connected:
            with suppress(MesodriveError):
                self._session.person.wait(ms)
        self._session.rig.run_for(max(0.0, until_ms - self._session.rig.now_ms()))

    def _evidence(self, ending: BaseException | None) -> tuple[str, ...]:
        session = self._session
        status = self._status()
        alarms = [told for method, told in self._told() if method == "alarm"]
        found = [told["code"] for told in alarms]
        self._sentences |= {told["text"] for told in alarms}
        if ending is not None:
            found.append(str(ending))
        found += self._stopped_while_held()
        self._state = self._standing = ""
        if status:
            found.append(status.why)
            if status.alarm:
                found.append(status.alarm.code)
                self._standing = status.alarm.code
                self._sentences.add(status.alarm.text)
            since_ms = session.rig.now_ms() - max(self._resets, default=math.inf)
            if started_anew(status.uptime_ms, since_ms):
                found.append(ANEW)
            self._state = status.state
            found.append(status.state)
        return tuple(dict.fromkeys(found))

    def _told(self) -> list[Note]:
        """What the device has told since the fault."""
        return self._session.notes()[self._notes :]

    def _stopped_while_held(self) -> list[str]:
        """What the device said of strikes that it ended although the person held on."""
        session = self._session
        if not session.connected:
            return []
        return [
            f"a strike that was held on: {shot.why}"
            for shot in session.person.shots
            if shot.outcome == "stopped"
            and shot.t_us / 1000 > self._at_ms - _ONE_STRIKE_MS
            and session.was_held(shot.t_us / 1000, shot.t_us / 1000 + _SAME_MS)
            and not session.was_let_go(shot.t_us / 1000, shot.t_us / 1000 + _ONE_STRIKE_MS)
        ]

    def _status(self) -> Status | None:
        if not self._session.connected:
            return None
        person = self._session.person
        for _ in range(2):
            with suppress(MesodriveError):
                return person.device.status()
            try:
                person.reconnect()
            except DeviceSilentError:
                return None
            except MesodriveError:
                continue
        return None

    def _named(self, evidence: tuple[str, ...]) -> str:
        return name_in(evidence, self._fault, self._sentences)

    def _judge(self, evidence: tuple[str, ...], named: str, *, well: bool) -> Case:
        session = self._session
        truth = session.rig.truth()
        strikes = truth.strikes
        unasked = sum(
            1 for strike in strikes[self._strikes :] if not session.was_asked_for(strike.start_ms)
        )
        wrong = self._wrong_among(strikes)
        asked_for = [one for one in strikes if session.was_asked_for(one.start_ms)]
        excess = excess_ul(truth, asked_for, session.primed_ul)
        latency, safe = self._latency(), self._time_to_safe()
        wrongs: list[str] = []
        if named:
            outcome = "named"
        elif well and not wrong and self._fault.may_be_harmless(self._phase, self._state):
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
            wrongs.append(f"told {latency:.0f} ms after it showed")
        if outcome != "harmless" and safe is not None and safe > self._fault.bound_ms:
            wrongs.append(f"stopped {safe:.0f} ms after it showed")
        wrongs += self._after_a_reset(evidence)
        if session.obeyed:
            wrongs.append(f"it obeyed {', '.join(session.obeyed)}")
        states = [told["state"] for method, told in self._told() if method == "state"]
        last = self._state or next(reversed(states), "")
        ignored = not_heeded(self._told(), self._standing, last)
        if ignored:
            wrongs.append(f"it is in {last} after the alarm {ignored}")
        if truth.rail_on and last in ("SAFE", "FAULT") and not self._fault.keeps_rail:
            wrongs.append("the rail is still on")
        if session.still_moves(session.rig.now_ms()):
            wrongs.append("it still moves")
        return Case(
            self._fault.name,
            self._phase,
            outcome,
            named,
            evidence,
            latency,
            safe,
            excess,
            wrong,
            unasked,
            "; ".join(wrongs),
            round(time.monotonic() - self._began_s, 2),
        )

    def _after_a_reset(self, evidence: tuple[str, ...]) -> list[str]:
        """A restart that the program is to blame for is told, and nothing goes on by itself."""
        wrongs: list[str] = []
        if self._fault.restarts and self._phase not in _UNSUPERVISED:
            if not self._resets:
                wrongs.append("it was not restarted")
            elif _RESTARTED not in evidence:
                wrongs.append("the restart was not told")
        moved = self._session.moved_after(self._resets[0]) if self._resets else 0
        if moved and self._phase not in _UNSUPERVISED:
            wrongs.append(f"{moved} steps and strikes after the reset")
        return wrongs

    def _wrong_among(self, strikes: Sequence[StrikeTruth]) -> int:
        closed = [strike for strike in strikes if strike.back_ms is not None]
        return sum(1 for strike in closed[max(0, self._strikes - 1) :] if self._is_wrong(strike))

    def _is_wrong(self, strike: StrikeTruth) -> bool:
        """The dose is not as planned, and was not told as what it was, or it went too deep."""
        assert strike.back_ms is not None
        off_ul = strike.skin_ul - DOSE_UL
        too_deep_mm = strike.depth_mm - _DEPTH_MM
        held = self._session.was_held(strike.start_ms, strike.back_ms)
        if held and not self._was_told(strike):  # else it was ended early: by the person, who may
            off_ul, too_deep_mm = abs(off_ul), abs(too_deep_mm)
        return off_ul > _DOSE_OFF * DOSE_UL or too_deep_mm > _DEPTH_OFF_MM

    def _was_told(self, strike: StrikeTruth) -> bool:
        """Whether the device said itself that it ended this one, or that it misfired."""
        shots = self._session.person.shots if self._session.connected else []
        return any(
            abs(shot.t_us / 1000 - strike.start_ms) < _SAME_MS and shot.outcome != "done"
            for shot in shots
        )

    def _time_to_safe(self) -> float | None:
        """From the fault, or the beginning of the motion that showed it, to the last edge."""
        last_ms = self._session.time_of_last_edge(self._at_ms)
        if last_ms is None or (self._heard_ms is None and not self._fault.course):
            return None
        began_ms = self._at_ms if self._fault.course else self._began_ms(self._heard_ms or 0.0)
        return max(0.0, last_ms - began_ms)

    def _latency(self) -> float | None:
        """From the fault, or the beginning of the motion that showed it, to the alarm."""
        if self._heard_ms is None:
            return None
        return self._heard_ms - self._began_ms(self._heard_ms)

    def _began_ms(self, heard_ms: float) -> float:
        return max([self._at_ms, *(t for t in self._session.beginnings() if t < heard_ms)])
