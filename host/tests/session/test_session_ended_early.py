"""What ends a session early is told, and every shot until then is in the record."""

import errno

import pytest

from mesodrive.records import EventKind, Records, SessionOutcome
from mesodrive_rig.scripted import Exchange, Vanish, note, refusal, result, shot, state
from mesodrive_rig.scripted_session import (
    Treatment,
    armed,
    ended,
    home,
    interrupt_at,
    loaded,
    missed,
    prime,
    shots,
)
from mesodrive_wire import FAULTED, INTERLOCK


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
