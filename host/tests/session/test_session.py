"""A session prepares, arms, and records each shot until it is over."""

from typing import Any

import pytest

from mesodrive.records import EventKind, Records, SessionOutcome
from mesodrive.shot_book import Truth
from mesodrive_rig.scripted import PLAN, Exchange, live, result, shot, state, status
from mesodrive_rig.scripted_session import (
    ALL_DONE,
    Treatment,
    armed,
    ended,
    fetched,
    home,
    interrupt_at,
    loaded,
    shots,
    shots_told,
)


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
