"""What the commands work out: forces and speeds of homing and priming, and what arming allows."""

import drives
import pytest
from situations import in_state, refused, striking, to_the_end
from stand_ins import PROFILE, Machine

from mesodrive_wire import BUSY, FAULTED, LIMIT, WRONG_STATE


def forces_of(machine: Machine, state: str) -> list[int]:
    """The force limits that were set until `state` was left, each once."""
    limits: list[int] = []
    limit_force = machine.port.limit_force

    def witness(counts: int) -> None:
        if not limits or limits[-1] != counts:
            limits.append(counts)
        limit_force(counts)

    machine.port.limit_force = witness
    machine.run_while(state)
    return limits


@pytest.mark.requirement("R6")
@pytest.mark.parametrize(("felt_mn", "most_mn"), [(2_000, 3_000), (-400, 1_000)])
def test_homing_presses_with_a_newton_more_than_at_its_start_and_then_with_the_rest_force(
    felt_mn: int, most_mn: int
):
    machine = in_state("SAFE")
    machine.port.force_mn = felt_mn
    machine.run(100)
    felt_mn = machine.sensors.force_mn
    machine.request("home")
    limits = forces_of(machine, "HOMING")
    assert machine.state == "READY"
    count = machine.sensors.force.count
    rest = count(machine.job.plan.forces.rest_mn)
    assert limits == [0, count(max(0, felt_mn) + 1_000), 0, rest]  # depth, plunger, and again
    assert limits[1] == pytest.approx(count(most_mn), abs=2)


@pytest.mark.requirement("R6")
def test_after_an_occlusion_the_pusher_stays_a_millimetre_behind():
    machine = in_state("SAFE")
    machine.controller.pressed = True
    machine.request("home")
    machine.run_while("HOMING")
    assert machine.job.retreat == drives.PLUNGER.steps_per_mm
    seat_um = machine.job.plan.seat_um(machine.job.left_nl)
    assert machine.plunger.position == machine.plunger.steps_at(seat_um) - machine.job.retreat


@pytest.mark.requirement("R5")
def test_priming_asks_for_a_quarter_of_the_speed_and_stops_at_its_own_force():
    machine = in_state("READY")
    forces = machine.job.plan.forces
    asked: list[int] = []
    prime_um_s = forces.prime_um_s
    forces.prime_um_s = lambda most: asked.append(most) or prime_um_s(most)
    machine.request("prime", {"volume_nl": 10_000})
    limits = forces_of(machine, "HOMING")
    speed = machine.drives[0].speed_um_s // 4
    assert asked == [speed]
    assert limits == [machine.sensors.force.count(forces.prime_mn(prime_um_s(speed)))]
    assert machine.answers[-1] == ({"steps": 1_844, "volume_nl": 9_997}, None)


@pytest.mark.requirement("R12")
def test_priming_may_take_all_that_is_left_and_no_nl_more():
    machine = in_state("READY", fill_nl=100_000)
    refusal = refused(machine, "prime", {"volume_nl": 100_001})
    assert (refusal.code, refusal.data) == (
        LIMIT,
        {"name": "volume_nl", "value": 100_001, "limit": 100_000},
    )
    assert machine.request("prime", {"volume_nl": 100_000})[1] is None
    machine.run_while("HOMING")
    refusal = refused(machine, "arm")
    assert (refusal.code, refusal.data["name"]) == (LIMIT, "fill_nl")
    assert refusal.data["value"] == 3 * PROFILE["dose_nl"]
    assert refusal.data["limit"] == machine.job.left_nl


@pytest.mark.requirement("R12")
def test_arming_allows_for_one_step_that_rounding_took_and_for_no_more():
    machine = in_state("READY", fill_nl=3_000)
    job = machine.job
    step_nl = job.meter.nl(1)
    job.prime_done(1)
    assert job.left_nl == 3_000 - step_nl
    assert machine.request("arm")[1] is None
    assert machine.request("disarm")[1] is None
    job.prime_done(1)
    assert refused(machine, "arm").code == LIMIT


def test_a_fault_a_finished_profile_and_an_axis_on_its_way_are_told_as_such():
    assert refused(in_state("FAULT"), "disarm").code == FAULTED
    machine = to_the_end(striking())
    machine.port.set("trigger", 0)
    machine.run(20)
    assert refused(machine, "arm").code == WRONG_STATE
    machine = in_state("HOMING")
    assert refused(machine, "home").code == WRONG_STATE
    machine = in_state("READY")
    machine.controller._activity = iter(())
    assert refused(machine, "prime", {"volume_nl": 10}).code == BUSY


@pytest.mark.requirement("R17")
def test_a_full_ledger_lets_nothing_be_primed_or_armed(monkeypatch: pytest.MonkeyPatch):
    machine = in_state("READY")
    monkeypatch.setattr(type(machine.journal), "is_full", True)
    assert refused(machine, "arm").code == BUSY
    assert refused(machine, "prime", {"volume_nl": 10}).code == BUSY
