"""What is lost on the way is fetched, or is uncertain: reports, and the link itself."""

from collections.abc import Callable

import pytest

from mesodrive.device import Device
from mesodrive.records import EventKind, Records, SessionOutcome
from mesodrive.telemetry import TelemetryError
from mesodrive_rig.scripted import (
    PLAN,
    STATUS,
    Becomes,
    Exchange,
    ScriptedPort,
    Vanish,
    info,
    live,
    result,
    shot,
    state,
    status,
    torn,
)
from mesodrive_rig.scripted_session import (
    Treatment,
    armed,
    ended,
    fetched,
    home,
    loaded,
    prime,
    shots,
    shots_told,
)


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
