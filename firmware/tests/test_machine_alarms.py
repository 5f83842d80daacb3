"""What the machine senses of itself: each fault stops it with its own alarm, noise does not."""

import pytest
from situations import alarms, in_state, refused, striking
from stand_ins import DEPTH, PLUNGER, PROFILE, Machine

from injector import limits
from injector.pressure import Forces
from injector.profile import Profile
from mesodrive_wire import INTERLOCK

POWERED = ["HOMING", "READY", "ARMED", "DELIVERING", "PAUSED"]
ANY = ["SAFE", *POWERED]
FORCES = Forces(Profile(PROFILE))


def safe_in_fault(machine: Machine, code: str) -> Machine:
    assert machine.state == "FAULT"
    assert alarms(machine)[-1] == code
    assert machine.controller.alarm["code"] == code
    assert not machine.port.moving
    assert not machine.port.enable
    return machine


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("state", ANY)
def test_a_hot_coil_stops_the_machine_and_cannot_be_acknowledged_before_it_is_cool(state: str):
    machine = in_state(state)
    machine.port.coil_dc = 549
    machine.run(100)
    assert machine.state != "FAULT"
    machine.port.coil_dc = 551
    machine.run(60)
    safe_in_fault(machine, "over_temperature")
    machine.port.set("trigger", 0)
    machine.run(60)
    assert "coil" in refused(machine, "ack").sentence
    machine.port.coil_dc = 400
    machine.run(60)
    assert machine.request("ack")[1] is None


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("state", POWERED)
def test_a_supply_that_sags_stops_the_machine_before_the_rail_falls(state: str):
    machine = in_state(state)
    machine.port.supply_mv = 20_500
    machine.run(60)
    assert machine.state != "FAULT"
    machine.port.supply_mv = 20_300
    machine.run(60)
    safe_in_fault(machine, "supply_low")


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("state", ["HOMING", "ARMED", "DELIVERING"])
def test_a_drivers_error_stops_the_pulses_at_once(state: str):
    machine = in_state(state)
    machine.port.set("driver_ok", 0)
    assert not machine.port.moving
    machine.run(20)
    safe_in_fault(machine, "driver_fault")


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("state", ["READY", "PAUSED"])
def test_a_drivers_error_while_axes_are_held_is_a_fault(state: str):
    machine = in_state(state)
    machine.port.set("driver_ok", 0)
    machine.run(20)
    safe_in_fault(machine, "driver_fault")
    assert refused(machine, "ack").code == INTERLOCK


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("sensor", ["coil", "supply", "force"])
@pytest.mark.parametrize("state", ANY)
def test_a_sensor_that_says_what_cannot_be_stops_the_machine(state: str, sensor: str):
    machine = in_state(state)
    machine.port.counts[sensor] = 4095
    machine.run(100)
    safe_in_fault(machine, "sensor")
    assert machine.port.strikes <= 1 or state == "PAUSED"


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("sensor", ["coil", "supply", "force"])
def test_a_sensor_that_is_disturbed_for_one_look_stops_nothing(sensor: str):
    machine = in_state("ARMED")
    machine.port.counts[sensor] = 4095
    machine.run(5)
    del machine.port.counts[sensor]
    machine.run(200)
    assert machine.state == "ARMED"


@pytest.mark.requirement("R5")
def test_too_much_force_ends_the_strike_within_it_and_latches():
    machine = striking()
    machine.run(12)
    machine.port.force_mn = FORCES.stop_mn + 100
    machine.run(30)
    safe_in_fault(machine, "occlusion")
    machine.run(500)
    assert machine.port.strikes == 1
    assert machine.rows[-1][2] == "stopped"


@pytest.mark.requirement("R5")
def test_the_force_may_be_what_the_margin_allows():
    machine = striking()
    machine.run(12)
    machine.port.force_mn = FORCES.stop_mn - 100
    machine.run(30)
    assert machine.state == "DELIVERING"


@pytest.mark.requirement("R5")
def test_the_limit_is_half_more_than_expected_and_never_above_what_the_syringe_bears():
    area_um = PROFILE["syringe_nl_per_mm"]
    for pressure_pa, bears_pa in ((0, 300_000), (64_000, 300_000), (190_000, 200_000)):
        forces = Forces(Profile({**PROFILE, "pressure_pa": pressure_pa, "bears_pa": bears_pa}))
        allowed_pa = min(bears_pa, 1.5 * (pressure_pa + limits.SKIN_PA))
        assert forces.stop_mn == pytest.approx(2_000 + allowed_pa * area_um / 1e6, abs=1)


@pytest.mark.requirement("R5")
def test_a_line_that_keeps_its_pressure_after_a_shot_lets_no_other_begin():
    machine = striking(period_us=200_000)
    machine.run(60)
    machine.port.force_mn = FORCES.rest_mn + 100
    machine.run(400)
    safe_in_fault(machine, "occlusion")
    assert machine.port.strikes == 1


@pytest.mark.requirement("R6")
def test_after_an_occlusion_homing_stays_back_and_arming_wants_priming_into_the_air():
    machine = striking()
    machine.run(12)
    seat = machine.plunger.position
    machine.port.force_mn = FORCES.stop_mn + 100
    machine.run(30)
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.port.force_mn = 0
    machine.run(60)
    machine.request("ack")
    for _ in range(2):  # the second homing stays where the first did
        machine.request("home")
        machine.run_while("HOMING")
        assert machine.state == "READY"
        assert machine.plunger.position < seat - 2_000
    assert "prime into the air" in refused(machine, "arm").sentence
    machine.request("prime", {"volume_nl": 5_000})
    machine.run_while("HOMING")
    assert "prime into the air" in refused(machine, "arm").sentence
    machine.port.force_mn = 2_000
    machine.request("prime", {"volume_nl": 35_000})
    machine.run_while("HOMING")
    assert machine.request("arm")[1] is None
    seat_um = machine.job.plan.seat_um(machine.job.left_nl)
    assert machine.plunger.um_at(machine.plunger.position) == pytest.approx(seat_um, abs=1)


@pytest.mark.requirement("R6")
def test_a_line_that_is_still_under_pressure_is_not_armed():
    machine = in_state("READY")
    machine.port.force_mn = FORCES.rest_mn + 100
    machine.run(60)
    assert "under pressure" in refused(machine, "arm").sentence


@pytest.mark.requirement("R5")
def test_priming_into_a_blocked_line_is_an_occlusion_too():
    machine = in_state("READY")
    machine.request("prime", {"volume_nl": 50_000})
    machine.run(30)
    machine.port.force_mn = 30_000
    machine.run(60)
    safe_in_fault(machine, "occlusion")


@pytest.mark.requirement("R12")
def test_a_plunger_that_meets_no_resistance_while_a_dose_runs_is_air():
    machine = in_state("ARMED", dose_nl=1_000, shots=40, period_us=80_000)
    machine.port.force_mn = 0
    machine.pull(400)
    safe_in_fault(machine, "air")
    assert machine.port.strikes <= 3


@pytest.mark.requirement("R12")
def test_a_dry_profile_wants_no_resistance():
    machine = in_state("ARMED", mode="dry", dose_nl=0)
    machine.port.force_mn = 0
    machine.pull(200)
    assert machine.state == "DELIVERING"


@pytest.mark.requirement("R12")
def test_a_syringe_that_runs_low_is_told_once_and_stops_nothing():
    machine = in_state("ARMED", shots=3, fill_nl=3_000)
    machine.pull(1_000)
    assert machine.state == "READY"
    assert alarms(machine).count("syringe_low") == 1


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("axis", [PLUNGER, DEPTH])
@pytest.mark.parametrize("state", ["SAFE", "READY", "ARMED", "PAUSED"])
def test_one_step_that_nobody_asked_for_stops_the_machine(state: str, axis: int):
    machine = in_state(state)
    machine.run(100)
    assert machine.state == state
    machine.port.stray(axis, 1)
    machine.run(20)
    safe_in_fault(machine, "free_running")


@pytest.mark.requirement("R10")
def test_the_other_axis_that_runs_along_is_found_at_the_end():
    machine = in_state("HOMING")
    machine.port.stray(PLUNGER, 1)
    machine.run_while("HOMING")
    machine.run(20)
    safe_in_fault(machine, "free_running")


@pytest.mark.requirement("R10")
def test_a_move_whose_steps_are_not_all_counted_is_told():
    machine = in_state("READY")
    machine.port.lost_steps = 1
    machine.request("prime", {"volume_nl": 5_000})
    machine.run_while("HOMING")
    safe_in_fault(machine, "steps_lost")


@pytest.mark.requirement("R2")
@pytest.mark.parametrize(
    ("part", "value", "told"),
    [("needle_sticks", 1, None), ("driver_ok", 0, "driver")],
)
def test_the_self_test_goes_on_while_idle(part: str, value: int, told: "str | None"):
    machine = in_state("SAFE")
    machine.port.set(part, value)
    machine.run(1_500)
    if told:
        safe_in_fault(machine, "selftest")
        assert told in machine.controller.alarm["text"]
    else:
        assert machine.state == "SAFE"


@pytest.mark.requirement("R6", "R7")
def test_a_plunger_that_resists_on_its_way_home_stops_homing():
    machine = in_state("SAFE")
    machine.port.force_mn = 2_000
    machine.request("home")
    machine.run_while("SAFE")
    machine.run(200)
    while machine.depth.homed is False or machine.plunger.homed:
        machine.run(10)
    machine.port.force_mn = 3_200
    machine.run_while("HOMING")
    safe_in_fault(machine, "occlusion")
    assert "while homing" in machine.controller.alarm["text"]


@pytest.mark.requirement("R11")
def test_a_home_switch_that_closes_for_a_moment_is_not_taken_for_home():
    honest = in_state("READY")
    machine = in_state("SAFE")
    machine.request("home")
    machine.run(30)
    port = machine.port
    read = port.read
    mask = machine.inputs.mask(["depth_home"])
    port.read = lambda: read() & ~mask
    port._look()  # the watch sees it
    port.read = read
    machine.run_while("HOMING")
    assert machine.state == "READY"
    assert machine.port.at == pytest.approx(honest.port.at, abs=2)  # steps
