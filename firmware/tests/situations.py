"""Machines brought to where a test begins."""

import re
from fractions import Fraction

import drives
from stand_ins import PROFILE, Machine, StandInPort

from injector import limits
from injector.errors import Refusal

STEPS_PER_MM = drives.PLUNGER.steps_per_mm
STEP_NL = Fraction(PROFILE["syringe_nl_per_mm"], STEPS_PER_MM)

# what a site may lower, at the most that the image allows
HARD_LIMITS = {
    "depth_um": limits.MAX_DEPTH_UM,
    "dose_nl": limits.MAX_DOSE_NL,
    "drip_nl": limits.MAX_DRIP_NL,
    "prime_nl": limits.MAX_PRIME_NL,
    "shots": limits.MAX_SHOTS,
    "session_nl": limits.MAX_SESSION_NL,
    "hour_nl": limits.MAX_HOUR_NL,
}
MODES: dict[str, dict[str, object]] = {
    "single": {"mode": "single"},
    "burst": {"mode": "burst", "burst": 2},
    "series": {"mode": "series"},
    "stamp": {"mode": "stamp"},
    "drip": {"mode": "drip"},
    "dry": {"mode": "dry", "dose_nl": 0},
}
# As fast as the device strikes: 250 a second, at a depth that the actuator reaches in time.
QUICK: dict[str, object] = {
    **MODES["dry"],
    "fill_nl": 0,
    "depth_um": 100,
    "settle_us": 0,
    "dwell_us": 100,
    "rest_us": 300,
    "period_us": 4_000,
    "shots": 200,
}


def in_state(state: str, **profile: object) -> Machine:
    """A machine with PROFILE, so changed, brought to `state` as a host and a person do it."""
    machine = Machine().boot()
    if state == "SAFE":
        machine.request("profile.load", {"profile": {**PROFILE, **profile}})
        return machine
    if state == "HOMING":
        machine.request("profile.load", {"profile": {**PROFILE, **profile}})
        machine.request("home")
        machine.run(50)
    else:
        machine.make_ready(**profile)
    if state in ("ARMED", "DELIVERING", "PAUSED", "FAULT"):
        machine.request("arm")
    if state in ("DELIVERING", "PAUSED"):
        machine.pull()
    if state == "PAUSED":
        machine.port.set("trigger", 0)
    if state == "FAULT":
        machine.port.set("guard", 0)
        machine.run(20)
        machine.port.set("guard", 1)
    machine.run(5)
    assert machine.state == state
    return machine


def striking(**profile: object) -> Machine:
    """A machine in whose first strike no time has passed."""
    machine = in_state("ARMED", **profile)
    machine.port.set("contact", 1)
    machine.port.set("trigger", 1)
    while not machine.port.strikes:
        machine.run(1)
    assert machine.port.begun == [machine.port.now]
    return machine


def to_the_end(machine: Machine, at_most_ms: int = 20_000) -> Machine:
    """Until the pull is over."""
    while machine.state == "DELIVERING":
        machine.run(10)
        at_most_ms -= 10
        assert at_most_ms > 0
    return machine


def restarted(machine: Machine) -> Machine:
    """The same device after a power cut: its flash is what is left."""
    port = StandInPort()
    port.ledger_flash.data[:] = machine.port.ledger_flash.data
    port.settings_flash.data[:] = machine.port.settings_flash.data
    return Machine(port).boot()


def refused(machine: Machine, method: str, params: dict[str, object] | None = None) -> Refusal:
    """The refusal of a request, which must have changed nothing."""
    before = machine.snapshot()
    refusal = machine.request(method, params)[1]
    assert refusal is not None
    assert machine.snapshot() == before
    assert re.fullmatch(r"[^\n]+\.", refusal.sentence)
    return refusal


def alarms(machine: Machine) -> list[object]:
    """The codes of all alarms told."""
    return [params["code"] for method, params in machine.told if method == "alarm"]
