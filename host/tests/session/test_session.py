"""A session prepares, arms, and records until it is over; however it ends, the record is true."""

import errno
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from mesodrive.device import Device
from mesodrive.link.client import RefusedError
from mesodrive.presets import Coverage, load_preset, prescribe
from mesodrive.records import (
    EventKind,
    Records,
    RecordsError,
    SessionOutcome,
    SessionRecord,
    ShotReport,
)
from mesodrive.session import SessionError, TreatmentSession
from mesodrive.session_view import Result
from mesodrive.shot_book import Truth
from mesodrive.telemetry import LiveStatus, TelemetryError
from mesodrive_rig.scripted import (
    PLAN,
    PROFILE_ID,
    STATUS,
    Becomes,
    Exchange,
    Item,
    ScriptedPort,
    Vanish,
    info,
    live,
    note,
    refusal,
    result,
    row,
    shot,
    state,
    status,
    torn,
)
from mesodrive_rig.scripted import shots as batch
from mesodrive_wire import FAULTED, INTERLOCK, LIMIT

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


def test_a_session_that_gives_all_its_shots_is_complete(records: Records) -> None:
    here = Treatment(records, *armed(*ALL_DONE), ended(3))
    given = here.run()
    assert (given.outcome, given.reason) == (SessionOutcome.COMPLETE, "All shots are done.")
    assert given.as_planned
    assert (given.shots, given.uncertain_shots, given.cut_short) == (3, 0, 0)
    assert given.dose_ul == pytest.approx(29.991)
    assert here.asked == ["info", "status", "profile.load", "home", "prime", "arm", "status"]
    record = here.record
    assert record.id == given.session_id
    assert (record.outcome, record.uncertain_shots) == (SessionOutcome.COMPLETE, 0)
    assert (record.facts.operator, record.facts.device.serial) == (
        "A. Example",
        "E66118604B1F2A2C",
    )
    assert here.recorded == here.view.all("shot") == [1, 2, 3]
    assert record.shots[0].commanded_depth_mm == 3.0
    states = [one.text.split(":")[0] for one in record.events]
    assert states == ["HOMING", "READY", "HOMING", "READY", "ARMED", "READY"]


@pytest.mark.requirement("R27")
def test_a_shot_is_in_the_record_before_it_is_shown(records: Records) -> None:
    here = Treatment(records, *armed(*ALL_DONE), ended(3))
    found: list[int] = []
    here.view.at_shot = lambda shown: found.append(here.recorded[-1] - shown.number)
    here.run()
    assert found == [0, 0, 0]


def test_what_the_virtual_injector_measured_is_recorded_with_the_shot(records: Records) -> None:
    known: dict[int, tuple[float, float, float]] = {1: (9.9, 3.01, 0.1), 3: (9.8, 2.99, 0.2)}
    truth: Truth = known.get
    here = Treatment(records, *armed(*ALL_DONE), ended(3), truth=truth)
    here.run()
    assert [one.true_skin_ul for one in here.record.shots] == [9.9, None, 9.8]
    assert here.record.shots[0].true_lost_ul == 0.1


@pytest.mark.parametrize("options", [{"primed": True}, {"prescription": {"dose_ul": 0.0}}])
def test_a_full_cartridge_and_a_dry_session_are_not_primed(
    records: Records, options: dict[str, Any]
) -> None:
    arm = Exchange("arm", *state(4, "ARMED"), result({}), 0.4, shot(5, 1), *state(6, "READY"))
    here = Treatment(records, *loaded(), home(), arm, ended(1), shots=1, **options)
    assert here.session.prime_ul == 0
    assert here.run().as_planned


BLOCKED = refusal(INTERLOCK, "The line was blocked; prime into the air first.", prime_nl=28_000)
MORE = Exchange(
    "prime", *state(6, "HOMING"), 2.0, *state(7, "READY"), READY, params={"volume_nl": 28_000}
)


@pytest.mark.requirement("R6")
def test_a_line_that_was_blocked_is_primed_as_much_as_the_device_asks_for(
    records: Records,
) -> None:
    arm = Exchange("arm", *state(8, "ARMED"), result({}), 0.4, shot(9, 1), *state(10, "READY"))
    blocked = Exchange("arm", BLOCKED)
    here = Treatment(
        records, *loaded(), home(), prime(), blocked, MORE, blocked, MORE, arm, ended(1), shots=1
    )
    assert here.run().as_planned
    more = [text for text in here.view.all("step") if "was blocked" in text]
    assert (
        more
        == ["priming: 28.0 µL into the air show whether the line, which was blocked, is free"] * 2
    )


@pytest.mark.requirement("R6")
def test_a_device_that_is_never_content_with_the_priming_is_not_primed_for_ever(
    records: Records,
) -> None:
    rounds = [one for _ in range(8) for one in (Exchange("arm", BLOCKED), MORE)]
    disarm = Exchange("disarm", result({}))
    here = Treatment(
        records, *loaded(), home(), prime(), *rounds, Exchange("arm", BLOCKED), disarm, ended(0)
    )
    assert "The line was blocked" in here.run().reason


@pytest.mark.requirement("R6", "R16")
def test_a_cable_pulled_while_a_blocked_line_is_primed_leaves_nothing_uncertain(
    records: Records,
) -> None:
    cut = Exchange("prime", Vanish())
    here = Treatment(records, *loaded(), home(), prime(), Exchange("arm", BLOCKED), cut)
    lost = here.run()
    assert (lost.outcome, lost.uncertain_shots) == (SessionOutcome.LINK_LOST, 0)


@pytest.mark.requirement("R6")
def test_what_was_not_to_be_primed_is_not_for_a_blocked_line_either(records: Records) -> None:
    blocked = Exchange("arm", BLOCKED)
    disarm = Exchange("disarm", result({}))
    here = Treatment(records, *loaded(), home(), blocked, disarm, ended(0), primed=True)
    assert "The line was blocked" in here.run().reason


# what keeps a session from beginning


def refused(here: Treatment, kind: type[Exception]) -> str:
    with pytest.raises(kind) as error:
        here.run()
    here.port.script.finish()
    assert here.records.sessions() == []
    assert not {"home", "prime", "arm"} & set(here.asked)
    return str(error.value)


def test_a_device_in_fault_is_refused_with_its_reason(records: Records) -> None:
    why = "The guard was opened; close the guard, then acknowledge."
    here = Treatment(records, status(state="FAULT", why=why))
    assert refused(here, SessionError) == (
        "The device is in FAULT (The guard was opened; close the guard, then acknowledge); "
        "put that right, then run mesodrive ack."
    )


def test_a_profile_that_the_device_refuses_leaves_no_record(records: Records) -> None:
    load = Exchange("profile.load", refusal(LIMIT, "depth_um is past the limit; take less."))
    here = Treatment(records, status(), load)
    assert refused(here, RefusedError) == "depth_um is past the limit; take less."


def test_too_little_liquid_for_priming_and_shots_is_refused(records: Records) -> None:
    here = Treatment(records, prescription={"fill_ul": 70.9})
    assert refused(here, SessionError) == (
        "The shots and the priming take 71.0 µL and the syringe holds 70.9; "
        "fill more or plan fewer shots."
    )


def test_a_mode_that_the_device_lacks_is_refused(records: Records) -> None:
    here = Treatment(records)
    here.device.info = here.device.info.model_copy(update={"modes": ["single"]})
    assert "does not know the mode series" in refused(here, SessionError)


@pytest.mark.requirement("R27")
def test_records_that_take_no_session_keep_everything_still(records: Records) -> None:
    here = Treatment(records, *loaded())
    with failing(lambda _: True), pytest.raises(RecordsError):
        here.run()
    assert here.asked == ["info", "status", "profile.load"]


# what ends it early


@pytest.mark.parametrize("step", ["home", "prime", "arm"])
def test_a_refusal_on_the_way_is_recorded_as_the_reason(records: Records, step: str) -> None:
    way = {
        "home": (),
        "prime": (home(),),
        "arm": (home(), prime()),
    }[step]
    no = Exchange(step, refusal(INTERLOCK, "The guard is open; put that right first."))
    off = Exchange("disarm", result({"state": "SAFE"}))
    here = Treatment(records, *loaded(), *way, no, off, ended(0, "SAFE"))
    given = here.run()
    assert (given.outcome, given.reason) == (
        SessionOutcome.STOPPED,
        "The guard is open; put that right first.",
    )
    assert not given.as_planned
    assert (here.record.outcome, here.recorded) == (SessionOutcome.STOPPED, [])


def test_a_fault_ends_it_with_the_devices_sentence(records: Records) -> None:
    stopped = shot(8, 2, outcome="stopped", why="the stop was pulled", dose_nl=3313, back_us=None)
    alarm = note("alarm", 10, code="stop_pulled", priority="high", text="Release the stop.")
    fault = (*shots(1), 0.2, stopped, *state(9, "FAULT", "The stop was pulled."), alarm)
    here = Treatment(records, *armed(*fault), ended(2, "FAULT", "The stop was pulled."))
    given = here.run()
    assert (given.outcome, given.reason) == (SessionOutcome.FAULT, "The stop was pulled.")
    assert (given.shots, given.cut_short, given.uncertain_shots) == (2, 1, 0)
    assert [one.outcome for one in here.record.shots] == ["done", "stopped"]
    assert here.view.all("alarm") == ["stop_pulled: Release the stop."]
    assert EventKind.ALARM in {one.kind for one in here.record.events}


def test_a_device_that_stopped_by_itself_says_why(records: Records) -> None:
    silent = "the host was silent for 500 ms"
    here = Treatment(
        records, *armed(*shots(1), *state(8, "SAFE", silent)), ended(1, "SAFE", silent)
    )
    given = here.run()
    assert given.outcome is SessionOutcome.STOPPED
    assert given.reason == "The device stopped: the host was silent for 500 ms."


def test_shots_that_were_cut_short_are_told_and_it_was_not_as_planned(records: Records) -> None:
    cut = shot(7, 1, outcome="stopped", why="the trigger was released", dose_nl=4000)
    rest = (*shots(2, 3), *state(10, "READY"))
    here = Treatment(records, *armed(0.4, cut, *rest), ended(3))
    given = here.run()
    assert given.reason == "All shots are done, 1 of them cut short."
    assert given.outcome is SessionOutcome.COMPLETE
    assert not given.as_planned


def test_a_device_whose_answer_is_older_than_its_last_shots_is_not_disarmed(
    records: Records,
) -> None:
    early = Exchange("ping", result({"state": "ARMED", "uptime_ms": 9_000}))
    old = result({"state": "ARMED", "uptime_ms": 9_300})
    late = Exchange("ping", *shots(1, 2, 3), old, *state(10, "READY", "all shots are done"))
    here = Treatment(records, *armed(), early, late, ended(3))
    assert here.run().outcome is SessionOutcome.COMPLETE
    assert here.recorded == [1, 2, 3]


def test_when_all_is_given_the_host_disarms_a_device_that_would_go_on(records: Records) -> None:
    cut = shot(9, 3, outcome="stopped", why="the trigger was released", dose_nl=4000)
    paused = (*shots(1, 2), 0.4, cut, *state(10, "PAUSED", "the trigger was released"))
    off = Exchange("disarm", *state(11, "READY"), result({"state": "READY"}))
    here = Treatment(records, *armed(*paused), off, ended(3))
    assert here.run().shots == 3


def interrupt_at(what: object) -> Callable[[Any], None]:
    """A person who presses Ctrl-C when this shot or state is shown, once."""
    pressed: list[object] = []

    def look(shown: ShotReport | str) -> None:
        if what == (shown if isinstance(shown, str) else shown.number) and not pressed:
            pressed.append(what)
            raise KeyboardInterrupt

    return look


def nobody_reads(_: object) -> None:
    raise BrokenPipeError(errno.EPIPE, "Broken pipe")


OFF = Exchange("disarm", *state(10, "READY"), result({"state": "READY"}))
NOBODY = "The host stopped it, for its output could not be written: Broken pipe."


@pytest.mark.requirement("R27")
def test_a_session_that_nobody_reads_any_more_is_stopped_and_closed(records: Records) -> None:
    here = Treatment(records, *armed(*shots(1, 2)), OFF, ended(3), missed(3), shots=20)
    here.view.at_shot = lambda one: nobody_reads(one) if one.number == 2 else None
    given = here.run()
    assert (given.outcome, given.reason, given.unread) == (
        SessionOutcome.STOPPED,
        NOBODY,
        "Broken pipe",
    )
    assert here.recorded == [1, 2, 3]
    assert (here.record.reason, here.record.uncertain_shots) == (NOBODY, 0)
    assert here.view.all("shot") == [1, 2]


def test_nothing_moves_when_nobody_reads_from_the_beginning(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Treatment(records, *loaded(), OFF, ended(0))
    monkeypatch.setattr(here.view, "step", nobody_reads)
    assert here.run().reason == NOBODY
    assert here.asked == ["info", "status", "profile.load", "disarm", "status"]


def test_an_output_that_fails_when_all_is_over_does_not_keep_the_record_open(
    records: Records,
) -> None:
    done = state(9, "READY", "all shots are done")
    here = Treatment(records, *armed(*shots(1, 2), *done), ended(3), missed(3))
    here.view.at_shot = lambda one: nobody_reads(one) if one.number == 3 else None
    given = here.run()
    assert (given.outcome, given.unread) == (SessionOutcome.COMPLETE, "Broken pipe")
    assert (here.recorded, here.record.outcome) == ([1, 2, 3], SessionOutcome.COMPLETE)


def test_a_person_stops_it_and_every_shot_stays(records: Records) -> None:
    cut = shot(9, 3, outcome="stopped", why="disarmed by the host", dose_nl=1000)
    off = Exchange("disarm", cut, *state(10, "READY"), result({"state": "READY"}))
    here = Treatment(records, *armed(*shots(1, 2)), off, ended(3), shots=20)
    here.view.at_shot = interrupt_at(2)
    given = here.run()
    assert (given.outcome, given.reason) == (
        SessionOutcome.STOPPED,
        "A person stopped it at the host.",
    )
    assert (given.shots, given.uncertain_shots, given.as_planned) == (3, 0, False)
    assert here.recorded == [1, 2, 3]


def test_a_person_who_stops_it_in_the_last_shot_has_stopped_it(records: Records) -> None:
    cut = shot(9, 3, outcome="stopped", why="disarmed by the host", dose_nl=1000)
    off = Exchange("disarm", cut, result({"state": "READY"}))
    here = Treatment(records, *armed(*shots(1, 2)), off, ended(3))
    here.view.at_shot = interrupt_at(2)
    assert here.run().outcome is SessionOutcome.STOPPED


def test_a_person_stops_it_while_homing(records: Records) -> None:
    moving = Exchange("home", *state(2, "HOMING"))
    off = Exchange("disarm", *state(3, "SAFE"), result({"state": "SAFE"}))
    here = Treatment(records, *loaded(), moving, off, ended(0, "SAFE"))
    here.view.at_state = interrupt_at("HOMING")
    assert here.run().outcome is SessionOutcome.STOPPED
    assert (here.record.outcome, here.recorded) == (SessionOutcome.STOPPED, [])


def test_a_person_stops_a_device_that_has_just_faulted(records: Records) -> None:
    off = Exchange("disarm", refusal(FAULTED, "A fault is latched; acknowledge it with ack."))
    fault = ended(1, "FAULT", "The stop was pulled.")
    here = Treatment(records, *armed(*shots(1), *state(8, "FAULT")), off, fault)
    here.view.at_shot = interrupt_at(1)
    given = here.run()
    assert (given.outcome, given.reason) == (SessionOutcome.FAULT, "The stop was pulled.")


def test_a_cable_pulled_while_a_person_stops_it_is_a_lost_link(records: Records) -> None:
    here = Treatment(records, *armed(*shots(1)), Exchange("disarm", Vanish()))
    here.view.at_shot = interrupt_at(1)
    assert here.run().outcome is SessionOutcome.LINK_LOST
    assert here.recorded == [1]


# notifications that do not arrive


def fetched(first: int, *numbers: int) -> Exchange:
    page = {"lost": 0, "rows": [row(n) for n in numbers]}
    return Exchange("shots", result(page), params={"first": first})


@pytest.mark.requirement("R27")
def test_a_torn_report_is_fetched_and_nothing_is_uncertain(records: Records) -> None:
    items = (*shots(1), 0.4, torn(shot(8, 2)), *shots(3), *state(10, "READY"))
    asked = (ended(2, "DELIVERING"), fetched(2, 2), ended(3), ended(3))
    here = Treatment(records, *armed(*items), *asked)
    given = here.run()
    assert given.as_planned
    assert here.recorded == [1, 2, 3]
    assert here.view.all("shot") == [1, 2, 3]
    gaps = [one for one in here.record.events if one.kind is EventKind.GAP]
    assert len(gaps) == 2  # the torn line, then the number that it leaves out


def test_a_report_that_was_dropped_whole_is_fetched(records: Records) -> None:
    items = (*shots(1), 0.4, *shots(3), *state(10, "READY"))
    here = Treatment(records, *armed(*items), ended(3), fetched(2, 2, 3), ended(3))
    given = here.run()
    assert given.as_planned
    assert given.dose_ul == pytest.approx(29.991)
    assert here.recorded == [1, 2, 3]
    assert here.view.all("shot") == [1, 3, 2]


def test_the_last_report_and_the_end_may_both_be_lost(records: Records) -> None:
    items = (*shots(1, 2), 0.4, Becomes("READY"))
    here = Treatment(records, *armed(*items), ended(3), fetched(3, 3))
    assert here.run().as_planned
    assert here.recorded == [1, 2, 3]


@pytest.mark.requirement("R27")
def test_reports_that_the_device_has_forgotten_are_lost_and_uncertain(records: Records) -> None:
    items = (*shots(1), 0.4, *state(60, "READY"))
    here = Treatment(records, *armed(*items), ended(40), fetched(2, 39, 40), ended(40), shots=40)
    given = here.run()
    assert (given.outcome, given.shots, given.uncertain_shots) == (SessionOutcome.COMPLETE, 3, 37)
    assert (given.uncertain_ul, given.lost_shots) == (370.0, 37)
    assert not given.as_planned
    assert (here.record.uncertain_ul, here.record.lost_shots) == (370.0, 37)
    texts = [one.text for one in here.record.events if one.kind is EventKind.GAP]
    assert texts[-1] == "The reports of shots are lost for good: 37 from 2 to 38."


def test_what_the_device_does_not_have_at_the_end_is_lost(records: Records) -> None:
    items = (*shots(1), 0.4, *state(60, "READY"))
    here = Treatment(records, *armed(*items), ended(3), fetched(2), ended(3), fetched(2))
    given = here.run()
    assert (given.shots, given.uncertain_shots, given.lost_shots) == (1, 2, 2)
    texts = [one.text for one in here.record.events if one.kind is EventKind.GAP]
    assert texts[-1] == "The reports of shots are lost for good: 2 from 2 to 3."


def test_what_the_device_has_not_listed_yet_is_not_lost(records: Records) -> None:
    items = (*shots(1), 0.4, torn(shot(8, 2)))
    hot = ended(2, "DELIVERING", "the trigger is held")
    nothing = result({"lost": 0, "rows": []})
    first = Exchange("shots", nothing, *shots(3), *state(10, "READY"), params={"first": 2})
    here = Treatment(records, *armed(*items), hot, first, ended(3), fetched(2, 2), ended(3))
    given = here.run()
    assert (given.shots, given.lost_shots, given.uncertain_shots) == (3, 0, 0)


def test_a_hole_in_the_numbers_is_asked_for_though_no_line_is_missing(records: Records) -> None:
    items = (0.4, shots_told(7, 1, 2, 5, 6), *state(8, "READY"))
    here = Treatment(records, *armed(*items), ended(6), fetched(3, 3, 4, 5, 6), ended(6), shots=6)
    assert here.run().as_planned
    assert here.recorded == [1, 2, 3, 4, 5, 6]


def test_strikes_of_an_earlier_session_are_not_taken_for_this_ones(records: Records) -> None:
    before = Exchange("status", shots_told(1, 1, 2, 3), result({**STATUS}))
    load = Exchange("profile.load", shots_told(2, 4), result(PLAN))
    armed_now = Exchange(
        "arm", *state(3, "ARMED"), result({}), 0.4, shot(4, 1, dose_nl=10_003), *state(5, "READY")
    )
    here = Treatment(records, before, load, home(), prime(), armed_now, ended(1), shots=1)
    assert here.run().as_planned
    assert [one.dose_ul for one in here.record.shots] == [10.003]


def test_a_report_of_another_shape_disarms_and_is_one_sentence(records: Records) -> None:
    here = Treatment(records, *armed(0.4, shot(7, 1, steps=-1)), Exchange("disarm", result({})))
    with pytest.raises(TelemetryError, match=r"is not as docs/protocol\.md says \('rows\.0\.4'"):
        here.session.run()
    here.port.script.finish()
    assert here.asked[-1] == "disarm"


# batches, live status, zone


def test_a_batch_is_shown_in_order_once_it_is_recorded(records: Records) -> None:
    items = (0.4, shots_told(7, *range(1, 17)), shots_told(8, *range(17, 21)))
    here = Treatment(records, *armed(*items, *state(9, "READY")), ended(20), shots=20)
    found: list[int] = []
    here.view.at_shot = lambda _: found.append(len(here.recorded))
    assert here.run().as_planned
    assert here.view.all("shot") == list(range(1, 21))
    assert found == [20] * 20


def test_a_batch_interrupted_while_it_is_shown_counts_whole(records: Records) -> None:
    off = Exchange("disarm", *state(9, "READY"), result({"state": "READY"}))
    here = Treatment(records, *armed(0.4, shots_told(7, 1, 2, 3, 4)), off, ended(4), shots=20)
    here.view.at_shot = interrupt_at(2)
    given = here.run()
    assert (given.shots, given.uncertain_shots) == (4, 0)
    assert given.dose_ul == pytest.approx(4 * 9.997)
    assert here.recorded == [1, 2, 3, 4]


def test_the_live_status_is_shown_with_the_coverage_so_far(records: Records) -> None:
    items = (live(7, shots_done=0), 0.1, live(8, shots_done=2), *shots(3))
    ready = (*state(10, "READY"),)
    here = Treatment(
        records,
        *armed(*items, *ready),
        *(ended(3), fetched(1, 1, 2, 3), ended(3)),
        zone_area_cm2=10,
    )
    here.run()
    (none, so_far) = here.view.all("live")
    assert none[0] == none[1].passes == 0
    assert so_far[0] == 2
    assert so_far[1].passes == pytest.approx(2 * 3.0**2 / 1000)
    assert here.record.facts.planned_passes == pytest.approx(3 * 3.0**2 / 1000)


def test_a_warning_of_too_many_passes_is_noted(records: Records) -> None:
    here = Treatment(records, *armed(*ALL_DONE), ended(3), zone_area_cm2=0.1)
    here.run()
    notes = [one.text for one in here.record.events if one.kind is EventKind.NOTE]
    assert len(notes) == 0  # 3 shots at 3 mm are 2.7 passes
    more = Treatment(
        records, *armed(*shots(1), *state(8, "READY")), ended(1), shots=5, zone_area_cm2=0.1
    )
    more.run()
    (note_,) = [one.text for one in more.record.events if one.kind is EventKind.NOTE]
    assert note_.startswith("All strikes come to 4.5 passes over 0.1 cm² and at most 4")


@pytest.mark.parametrize(
    ("push", "dose_ul", "told"),
    [
        ({"push_felt": True}, 2.0, False),
        ({"push_felt": False}, 2.0, True),
        ({}, 2.0, True),  # firmware from before it could feel
        ({"push_felt": False}, 0.0, False),
    ],
)
def test_a_push_too_weak_to_be_felt_is_told_before_anything_moves_and_noted(
    records: Records, push: dict[str, bool], dose_ul: float, told: bool
) -> None:
    plan = {name: value for name, value in PLAN.items() if name != "push_felt"}
    load = Exchange("profile.load", *state(1, "SAFE", "loaded"), result({**plan, **push}))
    arm = Exchange("arm", *state(4, "ARMED"), result({}), 0.4, shot(5, 1), *state(6, "READY"))
    here = Treatment(
        records,
        *(status(), load, home(), arm, ended(1)),
        shots=1,
        primed=True,
        prescription={"dose_ul": dose_ul},
    )
    here.run()
    notes = [one.text for one in here.record.events if one.kind is EventKind.NOTE]
    first = here.view.all("step")[0]
    assert ([first] == notes) is told
    assert ("too weakly or too shortly to be felt" in first) is told


# the link again


def back(*exchanges: Exchange, **changes: object) -> tuple[ScriptedPort, Callable[[], Device]]:
    port = ScriptedPort(info(**changes), *exchanges)
    return port, lambda: Device(port)


def test_a_device_that_is_found_again_tells_the_rest(records: Records) -> None:
    port, find_again = back(ended(3, "SAFE", "the port was closed"), fetched(2, 2, 3))
    here = Treatment(records, *armed(*shots(1), Vanish()), shots=20, find_again=find_again)
    given = here.run()
    port.script.finish()
    assert port.closed
    assert (given.outcome, given.uncertain_shots) == (SessionOutcome.LINK_LOST, 0)
    assert given.reason.endswith("The device was found again and has told the rest.")
    assert here.recorded == here.view.all("shot") == [1, 2, 3]
    assert not given.as_planned


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    ("exchanges", "changes"),
    [
        ((status(profile=None, shots_done=3), fetched(2, 2, 3)), {}),
        ((ended(3), fetched(2, 2, 3)), {"serial": "another"}),
        ((ended(3, "ARMED"), fetched(2, 2, 3)), {}),
        ((Exchange("status", Vanish()),), {}),
        ((ended(3), Exchange("shots", Vanish())), {}),
    ],
    ids=["restarted", "another", "still-hot", "gone-again", "gone-while-telling"],
)
def test_what_cannot_be_asked_for_stays_uncertain(
    records: Records, exchanges: tuple[Exchange, ...], changes: dict[str, object]
) -> None:
    _, find_again = back(*exchanges, **changes)
    here = Treatment(records, *armed(*shots(1), Vanish()), shots=20, find_again=find_again)
    given = here.run()
    assert given.outcome is SessionOutcome.LINK_LOST
    assert given.uncertain_shots >= 2
    assert here.recorded == [1]


@pytest.mark.requirement("R27")
def test_shots_are_uncertain_though_the_device_restarted_before_the_link_was_lost(
    records: Records,
) -> None:
    before = live(8, shots_done=1, uptime_ms=900_000)
    here = Treatment(records, *armed(*shots(1), before, 0.5, Vanish()), shots=20)
    assert here.run().uncertain_shots >= 2


def test_a_device_that_is_gone_for_good_is_not_waited_for_before_it_was_armed(
    records: Records,
) -> None:
    def never() -> Device:
        raise AssertionError

    here = Treatment(records, *loaded(), Exchange("home", Vanish()), find_again=never)
    given = here.run()
    assert (given.outcome, given.uncertain_shots) == (SessionOutcome.LINK_LOST, 0)


@pytest.mark.requirement("R27")
def test_a_device_that_restarts_in_the_middle_is_not_taken_for_one_that_has_ended(
    records: Records,
) -> None:
    items = (*shots(1), 0.1, *state(1, "SAFE", "self-test passed"))
    reborn = status(state="SAFE", why="self-test passed")
    here = Treatment(records, *armed(*items), reborn, shots=20)
    given = here.run()
    assert given.outcome is SessionOutcome.LINK_LOST
    assert given.uncertain_shots >= 1
    assert here.recorded == [1]


# when the record cannot be kept


@contextmanager
def failing(when: Callable[[str], bool]) -> Generator[None]:
    """A disk that is full from the first INSERT on for which `when` holds."""

    def look(_connection: Any, cursor: sqlite3.Cursor, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT") and when(statement):
            (pages,) = cursor.execute("PRAGMA page_count").fetchone()
            cursor.execute(f"PRAGMA max_page_count = {pages}")
            cursor.execute("CREATE TABLE more AS SELECT zeroblob(1000000)")

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", look)


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("which", range(1, 10))
def test_a_full_disk_disarms_and_is_one_sentence(records: Records, which: int) -> None:
    off = Exchange("disarm", result({"state": "READY"}))
    here = Treatment(records, *armed(*ALL_DONE), shots=20)
    here.port.script.exchanges.append(off)
    numbers = count()
    with (
        failing(lambda _: next(numbers) == which),
        pytest.raises(RecordsError, match="is full and nothing was written; free some space"),
    ):
        here.session.run()
    assert here.asked[-1] == "disarm"
    assert here.recorded == here.view.all("shot")
    assert here.record.ended_at is None


def test_a_full_disk_with_a_device_that_is_gone_closes_the_port(records: Records) -> None:
    here = Treatment(records, *armed(*shots(1)), Exchange("disarm"))
    with failing(lambda text: "INTO shot" in text), pytest.raises(RecordsError):
        here.session.run()
    assert here.port.closed


@pytest.mark.requirement("R27")
def test_a_defect_of_the_view_disarms_too(records: Records) -> None:
    here = Treatment(records, *armed(*shots(1)), Exchange("disarm", result({})))

    def defect(_: ShotReport) -> None:
        raise ZeroDivisionError

    here.view.at_shot = defect
    with pytest.raises(ZeroDivisionError):
        here.session.run()
    here.port.script.finish()
    assert here.asked[-1] == "disarm"
    assert here.recorded == [1]
