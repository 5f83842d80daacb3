"""What follows from what is sensed in each state, and what of it is let pass."""

import pytest
from situations import alarms, in_state, striking
from stand_ins import PLUNGER, Machine

from injector.limits import NEEDLE_AWAY_MS

NOT_SAFE = [("rail_stays", True, "rail_on"), ("needle_is_back", False, "needle_stuck")]


def looked_at(machine: Machine, part: str, value: object) -> list[object]:
    """The alarms after one look at what must be safe in a fault."""
    machine.port.set(part, value)
    machine.controller.step()
    machine.controller.look_at_fault()
    return alarms(machine)


# what must have become safe in a fault


@pytest.mark.requirement("R18", "R25")
@pytest.mark.parametrize(("part", "value", "told"), NOT_SAFE)
def test_what_is_not_safe_in_a_fault_is_told_once_it_is_so_at_two_looks_in_a_row(
    part: str, value: bool, told: str
):
    machine = in_state("FAULT")
    for now in (value, not value, value):
        assert looked_at(machine, part, now) == ["guard_open"]
    for _ in range(3):
        assert looked_at(machine, part, value) == ["guard_open", told]
    assert machine.controller.alarm["code"] == told


@pytest.mark.requirement("R18", "R25")
@pytest.mark.parametrize(("part", "value", "told"), NOT_SAFE)
def test_a_look_at_the_fault_before_says_nothing_of_the_next(part: str, value: bool, told: str):
    machine = in_state("FAULT")
    looked_at(machine, part, value)
    machine.port.set(part, not value)
    machine.controller.step()
    assert machine.request("ack")[1] is None
    machine.port.stray(PLUNGER, 1)
    assert looked_at(machine, part, value) == ["guard_open", "free_running"]
    assert looked_at(machine, part, value) == ["guard_open", "free_running", told]


@pytest.mark.requirement("R25")
def test_a_needle_that_is_long_in_the_skin_is_no_needle_that_stays_out_in_a_fault():
    machine = striking(mode="drip", dwell_us=2_000_000, period_us=3_000_000)
    machine.run(20)
    for _ in range(2):
        machine.controller.look_at_fault()
    machine.run(1_200)
    assert not machine.port.needle.is_back
    assert (machine.state, alarms(machine)) == ("DELIVERING", [])


# the needle while none strikes


@pytest.mark.requirement("R2")
def test_a_needle_away_with_the_rail_off_is_found_by_the_self_test_and_no_stuck_strike():
    machine = in_state("SAFE")
    machine.port.set("needle_is_back", False)
    machine.run(NEEDLE_AWAY_MS + 60)
    assert (machine.state, alarms(machine)) == ("SAFE", [])
    machine.run(1_200)
    assert (machine.state, alarms(machine)) == ("FAULT", ["selftest"])


@pytest.mark.requirement("R6", "R18")
def test_a_line_that_blocks_while_the_needle_is_away_is_told_and_remembered_as_blocked():
    machine = in_state("READY")
    assert machine.request("prime", {"volume_nl": 100_000})[1] is None
    machine.port.set("needle_is_back", False)
    machine.run(NEEDLE_AWAY_MS)
    machine.port.pressed_too_hard = True
    machine.port.halt()
    machine.port.advance(10)  # by now the needle is away for too long as well
    machine.look()
    assert (machine.state, alarms(machine)) == ("FAULT", ["occlusion"])
    assert machine.controller.pressed


# the host


@pytest.mark.requirement("R15")
@pytest.mark.parametrize("state", ["SAFE", "FAULT"])
def test_a_host_that_closed_the_port_while_nothing_was_live_ends_nothing_later(state: str):
    machine = in_state(state)
    machine.port.set("open", False)
    machine.look()
    machine.port.set("open", True)
    before = alarms(machine)
    if state == "FAULT":
        assert machine.request("ack")[1] is None
    assert machine.request("home")[1] is None
    machine.run(50)
    assert (machine.state, alarms(machine)) == ("HOMING", before)


# steps that nobody asked for


@pytest.mark.requirement("R12", "R24")
@pytest.mark.parametrize(
    ("requests", "state", "counts"),
    [
        ([], "READY", True),
        (["home"], "HOMING", True),  # the depth axis comes first, the plunger is where it was
        (["disarm"], "SAFE", False),
        (["disarm", "home"], "HOMING", False),
    ],
)
def test_what_is_pushed_unasked_counts_where_the_plunger_is_known_to_be(
    requests: list[str], state: str, counts: bool
):
    machine = in_state("READY")
    for method in requests:
        assert machine.request(method)[1] is None
        machine.run(20)
    assert machine.state == state
    left_nl = machine.job.left_nl
    machine.port.stray(PLUNGER, 400)
    machine.run(20)
    assert (machine.state, alarms(machine)) == ("FAULT", ["free_running"])
    pushed_nl = machine.job.meter.nl(400) if counts else 0
    assert left_nl - machine.job.left_nl == pytest.approx(pushed_nl, abs=1)


@pytest.mark.requirement("R12", "R24")
@pytest.mark.parametrize("left_nl", [0, -1])  # the last dose may be short by a step
def test_steps_unasked_take_nothing_from_an_empty_syringe_and_give_it_nothing(left_nl: int):
    fill_nl = 100_000
    machine = in_state(
        "READY",
        syringe_nl_per_mm=3_200,  # a step is 1 nl
        flow_nl_s=30_000,
        dwell_us=100_000,
        period_us=200_000,
        fill_nl=fill_nl,
    )
    machine.job.prime_done(fill_nl - left_nl)
    assert machine.job.left_nl == left_nl
    machine.port.stray(PLUNGER, 400)
    machine.run(20)
    assert "free_running" in alarms(machine)
    assert machine.job.left_nl == left_nl
