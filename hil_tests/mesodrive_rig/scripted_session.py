"""A treatment session on a scripted device, and the exchanges that most of them share."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mesodrive.device import Device
from mesodrive.presets import Coverage, load_preset, prescribe
from mesodrive.records import Records, SessionRecord, ShotReport
from mesodrive.session import TreatmentSession
from mesodrive.session_view import Result
from mesodrive.telemetry import LiveStatus
from mesodrive_rig.scripted import (
    PLAN,
    PROFILE_ID,
    Exchange,
    Item,
    ScriptedPort,
    info,
    result,
    row,
    shot,
    state,
    status,
)
from mesodrive_rig.scripted import shots as batch

PRESET = load_preset("nappage")
PRIME = {"volume_nl": 41_000}
READY = result({"state": "READY", "left_nl": 1})


class Watched:
    """A view that keeps what it is shown; a test may add to what happens at a shot or a state."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, Any]] = []
        self.at_shot: Callable[[ShotReport], None] = lambda _: None
        self.at_state: Callable[[str], None] = lambda _: None

    def step(self, text: str) -> None:
        self.shown.append(("step", text))

    def state(self, state: str, why: str) -> None:
        self.shown.append(("state", f"{state}: {why}"))
        self.at_state(state)

    def shot(self, report: ShotReport) -> None:
        self.shown.append(("shot", report.number))
        self.at_shot(report)

    def live(self, status: LiveStatus, coverage: Coverage | None) -> None:
        self.shown.append(("live", (status.shots_done, coverage)))

    def alarm(self, code: str, text: str) -> None:
        self.shown.append(("alarm", f"{code}: {text}"))

    def all(self, kind: str) -> list[Any]:
        return [what for shown, what in self.shown if shown == kind]


class Treatment:
    """A session of `shots` on a scripted device, ready to run."""

    def __init__(self, records: Records, *exchanges: Exchange, shots: int = 3, **options: Any):
        self.records = records
        self.view = Watched()
        self.port = ScriptedPort(info(), *exchanges)
        self.device = Device(self.port)
        prescription = replace(
            prescribe(PRESET, shots=shots, zone_area_cm2=options.pop("zone_area_cm2", None)),
            **options.pop("prescription", {}),
        )
        self.session = TreatmentSession(
            self.device, records, PRESET, prescription, self.view, operator="A. Example", **options
        )

    def run(self) -> Result:
        ended = self.session.run()
        self.port.script.finish()
        return ended

    @property
    def record(self) -> SessionRecord:
        return self.records.session("last")

    @property
    def recorded(self) -> list[int]:
        return [one.number for one in self.record.shots]

    @property
    def asked(self) -> list[str]:
        return self.port.script.methods()


def loaded() -> tuple[Exchange, ...]:
    return (status(), Exchange("profile.load", *state(1, "SAFE", "loaded"), result(PLAN)))


def home() -> Exchange:
    return Exchange("home", *state(2, "HOMING"), 5.0, *state(3, "READY"), READY)


def prime() -> Exchange:
    return Exchange("prime", *state(4, "HOMING"), 2.0, *state(5, "READY"), READY, params=PRIME)


def armed(*items: Item) -> tuple[Exchange, ...]:
    """From the start to the armed device, which then does `items`."""
    arm = Exchange("arm", *state(6, "ARMED"), result({"state": "ARMED"}), 1.0, *items)
    return (*loaded(), home(), prime(), arm)


def shots(*numbers: int) -> list[Item]:
    """Shots of these numbers, one every 400 ms."""
    return [item for n in numbers for item in (0.4, shot(6 + n, n))]


def shots_told(seq: int, *numbers: int) -> bytes:
    """One notification of these strikes."""
    return batch(seq, *(row(number) for number in numbers))


def ended(
    done: int, name: str = "READY", why: str = "all shots are done", **more: Any
) -> Exchange:
    return status(state=name, why=why, profile=PROFILE_ID, shots_done=done, **more)


def missed(*numbers: int) -> Exchange:
    """These strikes are asked for."""
    return Exchange("shots", result({"lost": 0, "rows": [row(number) for number in numbers]}))


ALL_DONE = (*shots(1, 2, 3), *state(10, "READY", "all shots are done"))


def interrupt_at(what: object) -> Callable[[Any], None]:
    """A person who presses Ctrl-C when this shot or state is shown, once."""
    pressed: list[object] = []

    def look(shown: ShotReport | str) -> None:
        if what == (shown if isinstance(shown, str) else shown.number) and not pressed:
            pressed.append(what)
            raise KeyboardInterrupt

    return look


def fetched(first: int, *numbers: int) -> Exchange:
    page = {"lost": 0, "rows": [row(n) for n in numbers]}
    return Exchange("shots", result(page), params={"first": first})
