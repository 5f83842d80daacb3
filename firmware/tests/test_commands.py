"""What the commands work out: forces and speeds of homing and priming, and what arming allows."""

import drives
import pytest
from situations import MODES, in_state, refused, striking, to_the_end
from stand_ins import PLUNGER, PROFILE, Machine

from mesodrive_wire import BAD_PARAMS, BUSY, FAULTED, INTERLOCK, LIMIT, WRONG_STATE


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


def test_priming_comes_to_the_plunger_with_no_more_than_the_force_of_rest():
    machine = in_state("READY")
    forces = machine.job.plan.forces
    machine.job.retreat = 1_000
    machine.request("prime", {"volume_nl": 10_000})
    limits = forces_of(machine, "HOMING")
    um_s = forces.prime_um_s(machine.drives[0].speed_um_s // 4)
    count = machine.sensors.force.count
    assert limits == [count(forces.rest_mn), count(forces.prime_mn(um_s))]
    assert machine.answers[-1] == ({"steps": 1_844, "volume_nl": 9_997}, None)
    assert machine.job.retreat == 0


@pytest.mark.requirement("R6")
def test_priming_in_small_parts_comes_to_the_plunger_with_no_more_than_the_force_of_rest():
    machine = in_state("READY")
    forces, count = machine.job.plan.forces, machine.sensors.force.count
    machine.job.retreat = 1_000
    machine.request("prime", {"volume_nl": 1_000})
    assert forces_of(machine, "HOMING") == [count(forces.rest_mn)]
    assert machine.answers[-1] == ({"steps": 184, "volume_nl": 998}, None)
    assert machine.job.retreat == 1_000 - 184
    machine.request("prime", {"volume_nl": 10_000})
    um_s = forces.prime_um_s(machine.drives[0].speed_um_s // 4)
    assert forces_of(machine, "HOMING") == [count(forces.rest_mn), count(forces.prime_mn(um_s))]


@pytest.mark.requirement("R12")
def test_the_pushers_way_to_the_plunger_takes_no_liquid():
    machine = in_state("READY", fill_nl=100_000)
    machine.job.retreat = 1_000
    way_nl = machine.job.meter.nl(1_000)
    assert refused(machine, "prime", {"volume_nl": 100_001 + way_nl}).code == LIMIT
    assert machine.request("prime", {"volume_nl": 100_000 + way_nl})[1] is None


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
    machine.port.set("contact", 0)
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


@pytest.mark.requirement("R8")
def test_a_new_cartridge_lets_a_new_session_be_loaded():
    machine = to_the_end(striking())
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.run(20)
    given_nl = machine.journal.session_nl
    machine.journal.max_session_nl = given_nl + 2_999
    load = {"profile": PROFILE}
    refusal = refused(machine, "profile.load", load)
    assert refusal.data["value"] == given_nl + 3_000
    machine.port.set("cartridge", 0)
    machine.run(1_100)
    machine.port.set("cartridge", 1)
    machine.run(20)
    assert machine.request("profile.load", load)[1] is None


def test_a_nl_may_be_primed_and_none_may_not():
    machine = in_state("READY")
    assert refused(machine, "prime", {"volume_nl": 0}).code == LIMIT
    assert refused(machine, "prime", {"volume_nl": 1, "more": 1}).code == BAD_PARAMS
    assert machine.request("prime", {"volume_nl": 1})[1] is None
    machine.run_while("HOMING")
    assert machine.state == "READY"


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("why", ["pressed", "pressure"])
def test_what_presses_on_the_plunger_does_not_matter_to_a_dry_profile(why: str):
    for dry in (True, False):
        machine = in_state("READY", **(MODES["dry"] if dry else {}))
        if why == "pressed":
            machine.controller.pressed = True
        else:
            machine.port.force_mn = machine.job.plan.forces.rest_mn + 300
            machine.run(60)
        refusal = machine.request("arm")[1]
        assert (refusal is None) == dry
        assert dry or refusal.code == INTERLOCK


def test_before_anything_is_loaded_the_status_has_nothing_to_tell():
    machine = Machine().boot()
    status = machine.request("status")[0]
    for name in ("shots_done", "shots_total", "delivered_nl", "left_nl", "session_nl", "hour_nl"):
        assert (name, status[name]) == (name, 0)
    for name in ("profile", "depth_um", "alarm"):
        assert (name, status[name]) == (name, None)
    assert status["homed"] is False
    assert status["in_doubt"] == []
    assert (status["state"], status["why"]) == ("SAFE", "self-test passed")


@pytest.mark.parametrize("axis", [0, 1])
def test_one_axis_that_has_lost_its_place_leaves_nothing_homed(axis: int):
    machine = in_state("READY")
    status = machine.request("status")[0]
    assert status["homed"] is True
    assert status["depth_um"] == PROFILE["depth_um"]
    assert machine.job.retreat == 0
    machine.drives[axis].axis.homed = False
    status = machine.request("status")[0]
    assert status["homed"] is False
    assert status["depth_um"] is None


@pytest.mark.requirement("R24")
@pytest.mark.parametrize(("hand", "value"), [("contact", 1), ("cartridge", 0)])
def test_priming_that_is_interrupted_has_stopped_before_it_is_counted(hand: str, value: int):
    machine = in_state("READY")
    port = machine.port
    stopped: list[bool] = []
    counted = port.counted
    port.counted = lambda axis: stopped.append(port.stopped) or counted(axis)
    machine.request("prime", {"volume_nl": 100_000})
    machine.run(200)
    port.set(hand, value)
    machine.run(20)
    assert machine.state == "SAFE"
    assert stopped == [True]


@pytest.mark.requirement("R16")
def test_an_acknowledged_fault_tells_of_a_dose_in_doubt():
    machine = in_state("FAULT")
    told: list[bool] = []
    machine.controller.warn_of_doubt = lambda: told.append(True)
    machine.port.set("trigger", 0)
    machine.run(20)
    assert machine.request("ack")[0] == {"state": "SAFE"}
    assert machine.controller.alarm is None
    assert told == [True]


@pytest.mark.requirement("R3")
def test_the_disarm_after_a_stop_byte_leaves_an_armed_device_in_ready_and_any_other_in_safe():
    machine = in_state("HOMING")
    machine.port.host_stop()
    machine.look()
    assert (machine.state, machine.controller.why) == ("SAFE", "stopped by the host")
    assert machine.request("disarm") == ({"state": "SAFE"}, None)
    machine = in_state("ARMED")
    machine.port.host_stop()
    machine.look()
    assert machine.request("disarm") == ({"state": "READY"}, None)
    assert machine.request("disarm") == ({"state": "SAFE"}, None)


@pytest.mark.requirement("R24")
def test_a_plunger_that_has_no_way_to_go_from_home_is_homed_with_its_backlash_taken_up():
    full = {"syringe_nl_per_mm": 1_000, "fill_nl": drives.PLUNGER_EMPTY_UM}
    machine = in_state("READY", **full, dose_nl=100, flow_nl_s=8_000, dwell_us=40_000)
    assert machine.plunger.position == 0
    # Home is where the driven part is; the motor has gone so much further without moving it.
    assert machine.port.at[PLUNGER] == machine.plunger.backlash_steps
