"""Liquid pushed through the line, and how it is missing from the syringe."""

import drives
import pytest
from situations import STEPS_PER_MM, in_state, refused
from stand_ins import PLUNGER, PROFILE

from injector.ledger import record
from mesodrive_wire import BAD_PARAMS, LIMIT

NL_PER_MM = PROFILE["syringe_nl_per_mm"]


def test_priming_answers_with_what_the_protocol_promises():
    machine = in_state("READY")
    machine.request("prime", {"volume_nl": 1_000})
    machine.run_while("HOMING")
    assert machine.answers[-1] == ({"steps": 184, "volume_nl": 998}, None)


@pytest.mark.requirement("R24")
def test_a_primed_volume_is_missing_from_the_syringe():
    machine = in_state(
        "READY", fill_nl=10_000, shots=3, dose_nl=3_000, dwell_us=60_000, period_us=90_000
    )
    position = machine.plunger.position
    machine.request("prime", {"volume_nl": 1_500})
    machine.run_while("HOMING")
    assert machine.state == "READY"
    assert machine.plunger.position - position == 277
    left_nl = machine.commands.status()["left_nl"]
    assert left_nl == 10_000 - 1_502  # 277 steps of 5.42 nL
    assert refused(machine, "arm").data == {"name": "fill_nl", "value": 9_000, "limit": left_nl}


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(("steps", "how"), [(184, b"done"), (183, b"stopped")])
def test_a_priming_may_be_short_by_what_no_whole_step_gives_and_by_no_step(steps: int, how: bytes):
    machine = in_state("READY")
    machine.journal.announce(machine.job, 9, 0, 1_000)  # 184.4 steps
    machine.job.prime_done(steps)
    machine.journal.tend(False, False)
    kind, *_, values = record.read(list(machine.journal.ledger.records())[-1])
    assert kind == record.OUTCOME
    assert values[-1].rstrip(b"\0") == how


@pytest.mark.requirement("R8", "R12")
@pytest.mark.parametrize(
    ("volume_nl", "code"),
    [(0, LIMIT), (500_001, LIMIT), (10_001, LIMIT), (1.5, BAD_PARAMS), (None, BAD_PARAMS)],
)
def test_priming_past_what_there_is_is_refused(volume_nl: object, code: int):
    machine = in_state("READY", fill_nl=10_000)
    assert refused(machine, "prime", {"volume_nl": volume_nl}).code == code


@pytest.mark.requirement("R8")
def test_priming_on_the_skin_is_refused():
    machine = in_state("READY")
    machine.port.set("contact", 1)
    machine.run(10)
    assert "skin" in refused(machine, "prime", {"volume_nl": 1_000}).sentence


@pytest.mark.requirement("R24")
@pytest.mark.parametrize("how", ["guard", "stop", "supply", "open", "disarm", "stop_byte"])
def test_what_a_stopped_priming_has_pushed_is_missing_from_the_syringe(how: str):
    machine = in_state("READY", fill_nl=600_000)
    before = machine.port.at[PLUNGER]
    machine.request("prime", {"volume_nl": 500_000})
    machine.run(2_000)
    if how == "disarm":
        machine.request("disarm")
    elif how == "stop_byte":
        machine.port.host_stop()
    else:
        machine.port.set(how, 0)
    machine.run(50)
    assert machine.state == "SAFE"
    pushed = machine.port.at[PLUNGER] - before
    assert pushed > 0
    gone_nl = pushed * NL_PER_MM / STEPS_PER_MM
    assert machine.commands.status()["left_nl"] == pytest.approx(600_000 - gone_nl, abs=1)


@pytest.mark.requirement("R4")
@pytest.mark.parametrize(("how", "state"), [("contact", 1), ("cartridge", 0)])
def test_priming_stops_when_the_device_touches_skin_or_loses_its_cartridge(how: str, state: int):
    machine = in_state("READY", fill_nl=600_000)
    before = machine.port.at[PLUNGER]
    machine.request("prime", {"volume_nl": 500_000})
    machine.run(500)
    machine.port.set(how, state)
    machine.run(50)
    assert machine.state == "SAFE"
    assert not machine.port.moving
    pushed = machine.port.at[PLUNGER] - before
    gone_nl = pushed * NL_PER_MM / STEPS_PER_MM
    assert 0 < gone_nl < 500_000
    assert machine.commands.status()["left_nl"] == pytest.approx(600_000 - gone_nl, abs=1)
    assert machine.answers[-1][0] is None


@pytest.mark.requirement("R24")
@pytest.mark.parametrize("below_nl", [0, 1, 10, 20, 21, 500])
def test_the_first_dose_from_a_full_syringe_is_whole(below_nl: int):
    # about the backlash of 20 µm from home, where the plunger's first move may be none at all
    machine = in_state(
        "READY",
        syringe_nl_per_mm=1_000,
        dose_nl=100,
        flow_nl_s=8_000,
        shots=2,
        dwell_us=40_000,
        fill_nl=drives.PLUNGER_EMPTY_UM - below_nl,
    )
    start, at = machine.plunger.position, machine.port.at[PLUNGER]
    machine.request("arm")
    machine.pull()
    machine.run_while("DELIVERING")
    moved = machine.plunger.position - start
    assert moved == machine.port.at[PLUNGER] - at == machine.port.pushed == 640
