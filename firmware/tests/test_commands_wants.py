"""Each input that a command needs is wanted by itself, and the refusal names it."""

import pytest
from situations import in_state, refused
from stand_ins import Machine

from mesodrive_wire import INTERLOCK

AXES = ("guard", "stop", "interlock", "needle_back", "driver_ok")
STATE = {"home": "SAFE", "prime": "READY", "arm": "READY", "ack": "FAULT"}
WANTED = {
    "home": AXES,
    "prime": (*AXES, "cartridge"),
    "arm": (*AXES, "cartridge", "rail"),
    "ack": (*AXES, "cartridge"),
}
UNWANTED = {"home": (), "prime": ("contact",), "arm": ("trigger",)}
UNWANTED["ack"] = ("trigger", "needle_out", "rail")
TOLD = {
    "guard": "The guard is open",
    "stop": "The stop is pulled",
    "interlock": "The interlock line is down",
    "cartridge": "There is no cartridge",
    "needle_back": "The needle is not back",
    "rail": "The motor rail is off",
    "driver_ok": "A motor driver reports an error",
}
TOLD_OF = {
    "trigger": "The trigger is pressed",
    "contact": "The device touches the skin",
    "needle_out": "The needle is seen at its stop",
    "rail": "The motor rail is on",
}


def ready_for(method: str) -> tuple[Machine, dict[str, object]]:
    machine = in_state(STATE[method])
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.run(20)
    return machine, {"volume_nl": 1_000} if method == "prime" else {}


@pytest.mark.requirement("R4", "R12")
@pytest.mark.parametrize("method", WANTED)
def test_a_command_wants_each_of_its_inputs(method: str):
    machine, params = ready_for(method)
    good = machine.inputs.now
    for name in WANTED[method]:
        machine.inputs.now = good & ~machine.inputs.masks[name]
        refusal = refused(machine, method, params)
        assert (refusal.code, refusal.data) == (INTERLOCK, {"input": name})
        assert refusal.sentence.startswith(TOLD[name])
        machine.inputs.now = good
    for name in UNWANTED[method]:
        machine.inputs.now = good | machine.inputs.masks[name]
        refusal = refused(machine, method, params)
        assert (refusal.code, refusal.data) == (INTERLOCK, {"input": name})
        assert refusal.sentence.startswith(TOLD_OF[name])
        machine.inputs.now = good
    assert machine.request(method, params)[1] is None
