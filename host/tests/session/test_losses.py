"""Whatever is lost and whenever: what may have been given is never more than the record says."""

import signal
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mesodrive.device import Device
from mesodrive.link.port import PortLostError
from mesodrive.presets import load_preset, prescribe
from mesodrive.records import Records, SessionOutcome, SessionRecord
from mesodrive.session import TreatmentSession
from mesodrive_rig.scripted import INFO, LIVE, PLAN, PROFILE_ID, STATUS, row
from mesodrive_wire import LineReader, decode, encode, notification, result

PRESET = load_preset("nappage")
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # hundreds of sessions: spare the disk
SILENCE_S = 0.515  # a device that hears nothing has stopped by then


@dataclass
class ModelDevice:
    """A port with a model of the device: its trigger is held, so that once it is armed a shot
    begins every `period_s`, lasts `shot_s`, and is reported within `batch_s` of its end, in a
    batch that arrives `late_s` later. It keeps the last `kept` of them.

    At `gone_s` after arming the port vanishes, and the device `notices` that or only the silence;
    from `deaf_s` on nothing of what the device says
    arrives, though it still hears us. `torn` are the lines after arming that arrive spoilt.
    `interrupts` are the reads at which the person presses Ctrl-C.
    """

    period_s: float = 0.4
    shot_s: float = 0.3
    late_s: float = 0.02
    batch_s: float = 0.03
    gone_s: float = 1e9
    notices: bool = True
    deaf_s: float = 1e9
    torn: frozenset[int] = frozenset()
    interrupts: frozenset[int] = frozenset()
    planned: int = 20
    kept: int = 1500
    name: str = "model"
    state: str = "SAFE"
    closed_s: float = 1e9
    _now_s: float = 0.0
    _armed_s: float = 1e9
    _heard_s: float = 0.0
    _stopped_s: float = 1e9
    _reads: int = 0
    _lines_said: int = 0
    _seq: int = 0
    _reader: LineReader = field(default_factory=LineReader)
    _out: list[tuple[float, bytes]] = field(default_factory=list[Any])
    begun_s: list[float] = field(default_factory=list[float])
    _reported: int = 0
    _status_s: float = 0.0
    _noted_s: float = 0.0

    def now_s(self) -> float:
        return self._now_s

    def read(self, timeout_s: float) -> bytes:
        self._reads += 1
        if self._reads in self.interrupts:
            signal.raise_signal(signal.SIGINT)
        end_s = self._now_s + max(timeout_s, 0.0005)
        while self._now_s < end_s:
            self._now_s = min(end_s, self._now_s + 0.005)
            self._live()
            data = b"".join(line for at_s, line in self._out if at_s <= self._now_s)
            if data:
                self._out = [(at_s, line) for at_s, line in self._out if at_s > self._now_s]
                return data
            self._check()
        return b""

    def write(self, data: bytes) -> None:
        self._live()
        self._check()
        for line in self._reader.feed(data):
            self._heard_s = self._now_s
            message: Any = decode(line or b"")
            self._say(result(message["id"], self._answer(message["method"], message)))

    def close(self) -> None:
        self._live()
        self.closed_s = min(self.closed_s, self._now_s)
        if self.notices:
            self._stop(self._now_s)

    def over(self) -> None:
        """Let time pass until nothing can begin any more."""
        self._now_s += 5.0
        self._live()

    def found_again(self) -> "ModelDevice":
        """The device on its port again, some seconds after the loss; it has stopped long ago."""
        self.over()
        again = copy(self)
        again.gone_s = again.deaf_s = again.closed_s = again._armed_s = 1e9
        again.state, again._out, again._reader = "SAFE", [], LineReader()
        return again

    def _check(self) -> None:
        if self._now_s >= min(self._armed_s + self.gone_s, self.closed_s):
            raise PortLostError("The port model is gone; check the cable and connect again.")

    def _live(self) -> None:
        """What happens by itself until now."""
        if self._armed_s > 1e8:
            return
        self._stop(self._heard_s + SILENCE_S)
        if self.notices:
            self._stop(self._armed_s + self.gone_s)
        until_s = min(self._now_s, self._stopped_s)
        while len(self.begun_s) < self.planned:
            next_s = self._armed_s + 0.1 + len(self.begun_s) * self.period_s
            if next_s > until_s:
                break
            self.begun_s.append(next_s)
        self._tell()
        if self.state == "ARMED" and self._reported == self.planned:
            self.state = "READY"
            self._notify("state", self._now_s, {"state": "READY", "why": "all shots are done"})

    def _end_s(self, index: int) -> float:
        return min(self.begun_s[index] + self.shot_s, self._stopped_s)

    def _done(self) -> int:
        done = self._reported
        while done < len(self.begun_s) and self._end_s(done) <= self._now_s:
            done += 1
        return done

    def _tell(self) -> None:
        done = self._done()
        while self._reported < done:
            due_s = self._end_s(self._reported) + self.batch_s
            full = done - self._reported >= 16
            if not (full or due_s <= self._now_s or self._now_s >= self._stopped_s):
                break
            if not full and done == self.planned:
                due_s = self._now_s
            batch = range(self._reported + 1, min(done, self._reported + 16) + 1)
            self._reported = batch[-1]
            rows = [row(number) for number in batch]
            self._notify("shots", min(due_s, self._now_s), {"lost": 0, "rows": rows})
        if self._now_s >= self._status_s + 0.1:
            self._status_s = self._now_s
            uptime_ms = int(self._now_s * 1000)
            live: dict[str, object] = {
                **LIVE,
                "state": self.state,
                "uptime_ms": uptime_ms,
                "shots_done": done,
            }
            self._notify("status", self._now_s, live)

    def _stop(self, at_s: float) -> None:
        if at_s <= self._now_s and self._armed_s < 1e8:
            self._stopped_s = min(self._stopped_s, at_s)

    def _answer(self, method: str, message: dict[str, Any]) -> object:
        if method == "info":
            return INFO
        if method == "profile.load":
            return PLAN
        if method == "arm":
            self.state, self._armed_s = "ARMED", self._now_s
        if method == "disarm":
            self._stop(self._now_s)
            self._live()
            self.state = "SAFE"
        if method == "status":
            done = {"shots_done": self._done(), "profile": PROFILE_ID}
            return {**STATUS, **done, "state": self.state}
        if method == "shots":
            last = self._done()
            kept = range(max(message["params"]["first"], last - self.kept + 1), last + 1)
            return {"lost": max(0, last - self.kept), "rows": [row(n) for n in kept][:16]}
        return {"state": self.state, "uptime_ms": int(self._now_s * 1000), "left_nl": 1}

    def _notify(self, method: str, at_s: float, params: dict[str, object]) -> None:
        self._seq += 1
        self._say(notification(method, self._seq, params), at_s + self.late_s)

    def _say(self, message: dict[str, object], at_s: float | None = None) -> None:
        line = encode(message)
        if self._armed_s < 1e8:
            self._lines_said += 1
            if self._lines_said in self.torn:
                line = b"#" + line[1:]
            if self._now_s >= self._armed_s + self.deaf_s:
                return
        # Notifications come in order; an answer may overtake those that wait for room on the line.
        if at_s is None:
            at_s = self._now_s + 0.003
        else:
            at_s = self._noted_s = max(self._noted_s, at_s)
        self._out.append((at_s, line))
        self._out.sort(key=lambda due: due[0])


class Unwatched:
    """A view without eyes."""

    def step(self, text: str) -> None: ...
    def state(self, state: str, why: str) -> None: ...
    def shot(self, report: object) -> None: ...
    def live(self, status: object, coverage: object) -> None: ...
    def alarm(self, code: str, text: str) -> None: ...


def treat(device: ModelDevice, *, comes_back: bool = False) -> SessionRecord:
    """The record of a session on that device, after which no shot can begin any more."""
    prescription = replace(
        prescribe(PRESET, overrides={"dose": 0.1}, shots=device.planned),
        period_us=round(device.period_s * 1e6),
    )
    with (
        TemporaryDirectory(dir=MEMORY) as folder,
        Records.open(Path(folder) / "records.db") as records,
    ):
        session = TreatmentSession(
            Device(device),
            records,
            PRESET,
            prescription,
            Unwatched(),
            primed=True,
            find_again=(lambda: Device(device.found_again())) if comes_back else None,
        )
        with suppress(KeyboardInterrupt):
            session.run()
        device.over()
        return records.session("last")


@st.composite
def devices(draw: st.DrawFn) -> dict[str, Any]:
    """Periods and shots as presets have them, up to 250 a second, and a loss at some moment."""
    period_ms = draw(st.integers(4, 1500))
    loss = draw(st.sampled_from(["gone_s", "deaf_s"]))
    return {
        "period_s": period_ms / 1000,
        "shot_s": draw(st.integers(period_ms // 4, period_ms - 1)) / 1000,
        "late_s": draw(st.integers(0, 200)) / 1000,
        "batch_s": draw(st.integers(0, 300)) / 1000,
        "notices": draw(st.booleans()),
        "torn": frozenset(draw(st.sets(st.integers(1, 120), max_size=6))),
        "planned": draw(st.integers(1, 60) | st.integers(61, 2000)),
        loss: draw(st.integers(0, 8000)) / 1000,
    }


def check(record: SessionRecord, device: ModelDevice) -> None:
    begun, recorded = len(device.begun_s), len(record.shots)
    assert record.uncertain_shots is not None
    assert begun - recorded <= record.uncertain_shots <= device.planned - recorded
    assert record.uncertain_ul == record.uncertain_shots * 0.1
    assert len(device.begun_s) <= device.planned


HASTY = {"period_s": 0.004, "shot_s": 0.003, "planned": 2000, "notices": False}


@pytest.mark.requirement("R27")
@settings(max_examples=100, deadline=None)
@given(devices())
@example({**HASTY, "gone_s": 2.49, "late_s": 0.2})
@example({**HASTY, "gone_s": 2.53, "late_s": 0.2})
@example({**HASTY, "gone_s": 2.61, "batch_s": 0.0, "late_s": 0.0})
@example({**HASTY, "gone_s": 2.5, "period_s": 0.02, "shot_s": 0.01, "batch_s": 0.3})
@example({**HASTY, "gone_s": 2.58, "period_s": 0.02, "shot_s": 0.01, "batch_s": 0.3})
@example({**HASTY, "gone_s": 2.66, "period_s": 0.02, "shot_s": 0.01, "batch_s": 0.3})
def test_a_lost_link_leaves_no_shot_that_is_neither_recorded_nor_uncertain(
    values: dict[str, Any],
) -> None:
    device = ModelDevice(**values)
    record = treat(device)
    check(record, device)
    if record.outcome is SessionOutcome.COMPLETE:
        assert len(record.shots) == device.planned
        assert record.uncertain_shots == 0
    else:
        assert record.outcome is SessionOutcome.LINK_LOST
        assert "gone" in record.reason or "does not answer" in record.reason


def test_the_bound_on_a_pulled_cable_is_a_few_shots_and_not_the_whole_plan() -> None:
    device = ModelDevice(gone_s=3.0, planned=100)
    record = treat(device)
    check(record, device)
    assert len(record.shots) >= 6
    assert record.uncertain_shots is not None
    assert record.uncertain_shots <= 4


@pytest.mark.requirement("R27")
@settings(max_examples=60, deadline=None)
@given(devices(), st.integers(16, 1500))
def test_a_device_that_comes_back_tells_what_was_given_and_what_is_gone_for_good(
    values: dict[str, Any], kept: int
) -> None:
    device = ModelDevice(**values, kept=kept)
    record = treat(device, comes_back=True)
    begun = len(device.begun_s)
    numbers = [shot.number for shot in record.shots]
    assert record.uncertain_shots == record.lost_shots == begun - len(numbers)
    assert numbers[-kept:] == list(range(max(1, begun - kept + 1), begun + 1))[-len(numbers) :]
    gaps = [event.text for event in record.events if "lost for good" in event.text]
    assert bool(gaps) == bool(record.lost_shots)


def test_250_strikes_a_second_are_recorded_while_they_are_given() -> None:
    device = ModelDevice(period_s=0.004, shot_s=0.003, planned=2000)
    record = treat(device)
    assert record.outcome is SessionOutcome.COMPLETE
    assert [shot.number for shot in record.shots] == list(range(1, 2001))
    first, last = record.shots[0].received_at, record.shots[-1].received_at
    assert (last - first).total_seconds() < 8  # by the wall clock, less than they took


@pytest.mark.requirement("R27")
def test_lines_lost_at_the_top_rate_are_asked_for_and_nothing_is_missing() -> None:
    torn = frozenset(range(20, 120, 7))
    device = ModelDevice(period_s=0.004, shot_s=0.003, planned=1000, torn=torn)
    record = treat(device)
    assert record.outcome is SessionOutcome.COMPLETE
    assert [shot.number for shot in record.shots] == list(range(1, 1001))
    assert (record.uncertain_shots, record.lost_shots) == (0, 0)


def test_a_device_that_cannot_be_heard_is_left_and_stops() -> None:
    device = ModelDevice(deaf_s=3.0, planned=100)
    record = treat(device)
    check(record, device)
    assert record.outcome is SessionOutcome.LINK_LOST
    assert device.closed_s < 3.0 + 3.0
    assert len(device.begun_s) < 20


@pytest.mark.requirement("R27")
@settings(max_examples=40, deadline=None)
@given(st.integers(4, 90), st.sets(st.integers(1, 60), max_size=4))
def test_a_person_who_stops_it_at_any_moment_loses_no_shot(read: int, torn: set[int]) -> None:
    impatient = frozenset(range(read, 1000))
    device = ModelDevice(interrupts=impatient, torn=frozenset(torn), planned=8)
    record = treat(device)
    check(record, device)
    assert record.uncertain_shots == 0
    assert len(record.shots) == len(device.begun_s)
    assert record.outcome in (SessionOutcome.STOPPED, SessionOutcome.COMPLETE)
    assert device.state != "ARMED"
