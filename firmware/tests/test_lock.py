"""The same alarm again and again locks the device, over resets too, until service has looked."""

import pytest
from situations import alarms, in_state
from stand_ins import Machine, StandInPort
from stand_ins.machine import with_ledger

from injector.limits import LOCK_ALARMS, LOCK_MS
from injector.settings import SERVICE
from mesodrive_wire import LOCKED, UNAUTHORIZED, WRONG_STATE

pytestmark = pytest.mark.requirement("R19")

_TICKS_MS = 125_000


def fault(machine: Machine, hand: str = "guard") -> Machine:
    """Arm, and move a hand that must not be moved then; put it right again."""
    machine.make_ready()
    assert machine.request("arm")[1] is None
    machine.port.set(hand, 0)
    machine.run(30)
    machine.port.set(hand, 1)
    machine.run(30)
    assert machine.state == "FAULT"
    return machine


def faulted(times: int, hand: str = "guard") -> Machine:
    machine = Machine().boot()
    for number in range(times):
        if number:
            assert machine.request("ack")[1] is None
        fault(machine, hand)
    return machine


def after_reset(machine: Machine) -> Machine:
    """A device with the same settings, switched on."""
    port = with_ledger(StandInPort())
    port.settings_flash = machine.port.settings_flash
    return Machine(port).boot()


def test_the_same_alarm_the_third_time_locks_and_says_what_to_do():
    machine = faulted(LOCK_ALARMS)
    assert alarms(machine)[-2:] == ["guard_open", "locked"]
    status = machine.request("status")[0]
    assert status["alarm"]["code"] == "locked"
    assert "guard_open" in status["alarm"]["text"]
    assert machine.request("info")[0]["locked"] is True
    refusal = machine.request("ack")[1]
    assert refusal
    assert refusal.code == LOCKED
    assert "service" in refusal.sentence
    assert machine.state == "FAULT"


def test_twice_is_told_and_does_not_lock():
    machine = faulted(LOCK_ALARMS - 1)
    assert machine.request("status")[0]["alarm_times"] == LOCK_ALARMS - 1
    assert machine.request("info")[0]["locked"] is False
    assert machine.request("ack")[1] is None


def test_alarms_of_different_causes_do_not_lock():
    machine = faulted(2)
    machine.request("ack")
    fault(machine, "stop")
    machine.request("ack")
    fault(machine, "cartridge")
    assert machine.request("info")[0]["locked"] is False


def test_alarms_that_are_older_than_ten_minutes_do_not_count():
    machine = faulted(2)
    machine.port.now += LOCK_MS * _TICKS_MS
    machine.request("ack")
    fault(machine)
    assert machine.request("info")[0]["locked"] is False
    assert machine.request("status")[0]["alarm_times"] == 1


@pytest.mark.parametrize("times", [1, 2])
def test_alarms_count_over_a_reset(times: int):
    machine = after_reset(faulted(times))
    assert machine.state == "SAFE"
    for _ in range(LOCK_ALARMS - times):
        machine.request("ack")
        fault(machine)
    assert machine.request("info")[0]["locked"] is True


def test_a_reset_does_not_unlock():
    machine = after_reset(after_reset(faulted(LOCK_ALARMS)))
    assert machine.state == "FAULT"
    assert alarms(machine) == ["locked"]
    refusal = machine.request("ack")[1]
    assert refusal
    assert refusal.code == LOCKED


@pytest.mark.parametrize("reset", [False, True])
def test_service_unlocks_and_a_person_acknowledges(reset: bool):
    machine = faulted(LOCK_ALARMS)
    if reset:
        machine = after_reset(machine)
    refusal = machine.request("unlock")[1]
    assert refusal
    assert refusal.code == UNAUTHORIZED
    machine.host = SERVICE
    assert machine.request("unlock")[0] == {"locked_by": "guard_open"}
    assert machine.state == "FAULT"  # that is for who stands before it
    assert machine.request("ack")[1] is None
    assert after_reset(machine).state == "SAFE"


def test_service_s_unlocking_begins_the_count_anew():
    machine = faulted(2)
    machine.host = SERVICE
    assert machine.request("unlock")[0] == {"locked_by": ""}
    machine.request("ack")
    fault(machine)
    assert machine.request("info")[0]["locked"] is False


@pytest.mark.parametrize("state", ["READY", "ARMED"])
def test_nothing_is_unlocked_while_something_is_live(state: str):
    machine = Machine().boot()
    machine.host = SERVICE
    machine.make_ready()
    if state == "ARMED":
        machine.request("arm")
    refusal = machine.request("unlock")[1]
    assert refusal
    assert refusal.code == WRONG_STATE


def test_an_alarm_drops_the_rail_before_it_is_kept():
    machine = in_state("ARMED")
    programs: list[bool] = []
    program = machine.port.settings_flash.program

    def programming(address: int, data: bytes) -> None:
        programs.append(machine.port.enable or machine.port.moving)
        program(address, data)

    machine.port.settings_flash.program = programming
    machine.port.set("guard", 0)
    machine.run(30)
    assert programs
    assert not any(programs)


def test_an_alarm_that_became_too_old_is_forgotten_for_good():
    machine = faulted(1)
    machine.port.now += LOCK_MS * _TICKS_MS
    machine.run(20)
    assert Machine(machine.port).boot().settings.alarms == []


def test_a_device_without_keys_does_not_lock_for_nobody_could_unlock_it():
    port = StandInPort()
    for _ in range(4):
        machine = Machine(port)
        machine.host = None
        port.set("trigger", 1)
        machine.boot()
        machine.run(20)
        assert machine.state == "FAULT"
    assert machine.request("info")[0]["locked"] is False


def test_settings_that_cannot_be_kept_are_an_alarm_and_not_a_loop_of_them():
    machine = in_state("ARMED")
    flash = machine.port.settings_flash
    flash.stuck = dict.fromkeys(range(flash.size), 255)
    machine.port.set("guard", 0)
    machine.run(500)
    assert alarms(machine) == ["guard_open", "settings"]
    assert machine.state == "FAULT"
    assert machine.request("status")[0]["alarm"]["code"] == "guard_open"  # the more urgent one


def test_a_lock_that_cannot_be_lifted_for_good_stays():
    machine = faulted(LOCK_ALARMS)
    machine.host = SERVICE
    assert machine.request("disarm")[1] is not None
    flash = machine.port.settings_flash
    assert machine.log_in(SERVICE) is None
    flash.stuck = dict.fromkeys(range(flash.size), 255)
    assert machine.request("unlock")[1] is not None
    assert machine.request("info")[0]["locked"] is True
    refusal = machine.request("ack")[1]
    assert refusal
    assert refusal.code == LOCKED


def test_settings_that_cannot_be_read_fail_the_self_test_and_nothing_moves():
    machine = Machine()
    machine.port.settings_flash.data[0:8192] = b"\x5a" * 8192
    machine.boot()
    machine.host = None
    status = machine.request("status")[0]
    assert status["alarm"]["code"] == "selftest"
    assert "settings" in status["alarm"]["text"]
    key = {"role": SERVICE, "key": "11" * 32}
    assert machine.request("keys.set", key)[1] is not None
    assert machine.request("ack")[1] is not None
