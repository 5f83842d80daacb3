"""What the self-test goes on looking at while nothing moves."""

import board
import pytest
from stand_ins import Machine

from injector import selftest

pytestmark = pytest.mark.requirement("R2")

NAMES = [
    "needle back",
    "needle not out",
    "outputs low",
    "interlock line",
    "motor drivers",
    "sensors",
    "memory pattern",
]
WRONG = {
    "rail": (1, ["rail off"]),
    "needle_back": (0, ["needle back"]),
    "needle_out": (1, ["needle not out"]),
    "trigger": (1, []),
    "interlock": (0, ["interlock line"]),
    "driver_ok": (0, ["motor drivers"]),
    "strike": (1, ["outputs low"]),
    "plunger_step": (1, ["outputs low"]),
}


def pin(machine: Machine, name: str) -> int:
    """The bits of an input, or of an output that moves something."""
    return machine.inputs.masks.get(name) or 1 << getattr(board, name.upper())


def failed(powered: bool, broken: bool = False, **wrong: int) -> list[object]:
    machine = Machine()
    if broken:
        machine.port.counts["coil"] = 4095
    machine.inputs.poll(0)
    machine.sensors.settle()
    for name, state in wrong.items():
        mask = pin(machine, name)
        machine.inputs.now = machine.inputs.now | mask if state else machine.inputs.now & ~mask
    checks = selftest.idle(machine.inputs, machine.sensors, powered)
    expected = [*NAMES] if powered else ["rail off", *NAMES]
    assert [one["name"] for one in checks] == expected
    return [one["name"] for one in checks if not one["ok"]]


@pytest.mark.parametrize("powered", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_each_input_that_is_wrong_while_idle_fails_its_check(name: str, powered: bool):
    value, fails = WRONG[name]
    if powered and name == "rail":
        fails = []  # it is asked for
    assert failed(powered, **{name: value}) == fails


def test_a_broken_sensor_fails_while_idle():
    assert failed(False) == []
    assert failed(True, broken=True) == ["sensors"]


def test_so_much_memory_is_wanted_and_tested():
    machine = Machine()
    machine.inputs.poll(0)
    machine.sensors.settle()
    assert selftest.TESTED_RAM == 32_768
    for free, good in ((65_536, True), (65_535, False)):
        checks = selftest.run(machine.inputs, machine.sensors, free)
        assert checks[-1]["ok"] == good
    assert selftest.memory_holds(selftest.TESTED_RAM)
