"""A line that was blocked is primed until the device takes it for free."""

import pytest

from mesodrive.records import Records, SessionOutcome
from mesodrive_rig.scripted import Exchange, Vanish, refusal, result, shot, state
from mesodrive_rig.scripted_session import READY, Treatment, ended, home, loaded, prime
from mesodrive_wire import INTERLOCK

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
