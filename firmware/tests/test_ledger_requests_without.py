"""Where there is no ledger, whoever asks it for something is told so."""

import pytest
from situations import in_state, refused
from stand_ins import Machine, StandInPort, claim
from stand_ins.machine import with_ledger

from injector.link import LATER
from injector.settings import SERVICE
from mesodrive_wire import WRONG_STATE

GOOD = {"sequence": 1, "mac": "ab" * 16, "key": 7}


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(
    ("method", "params"),
    [("ledger.head", {}), ("ledger.records", {"first": 1}), ("ledger.countersign", GOOD)],
)
def test_a_ledger_that_is_not_there_is_neither_read_nor_signed(
    method: str, params: dict[str, object]
):
    port = StandInPort()
    claim(port.settings_flash)
    machine = Machine(port).boot()
    assert machine.log_in(machine.host) is None
    refusal = refused(machine, method, params)
    assert refusal.code == WRONG_STATE
    assert refusal.sentence == machine.journal.trouble


@pytest.mark.requirement("R17")
@pytest.mark.parametrize("trouble", [None, "The ledger's flash failed; restart the device."])
def test_no_ledger_is_made_in_the_place_of_one_that_was_read(trouble: "str | None"):
    machine = in_state("FAULT")
    machine.host = SERVICE
    machine.journal.trouble = trouble
    machine.journal.creating = lambda _: pytest.fail("the ledger is made anew")
    refusal = refused(machine, "ledger.create")
    assert refusal.code == WRONG_STATE
    assert "There is a ledger already" in refusal.sentence


@pytest.mark.requirement("R17")
def test_a_ledger_that_cannot_be_read_is_not_written_over():
    port = with_ledger(StandInPort())
    flash = port.ledger_flash
    flash.data[3 * flash.sector : 3 * flash.sector + 256] = flash.data[: flash.sector][:256]
    machine = Machine(port).boot()
    machine.host = SERVICE
    assert "is not where it belongs" in machine.journal.trouble
    before = bytes(flash.data)
    refusal = refused(machine, "ledger.create")
    assert refusal.code == WRONG_STATE
    assert "holds a ledger already" in refusal.sentence
    machine.run(200)
    assert flash.data == before


@pytest.mark.requirement("R17")
def test_whoever_has_a_ledger_made_is_answered_when_it_is_there():
    machine = Machine(StandInPort()).boot()
    answers: list[object] = []
    made = machine.methods["ledger.create"]({}, lambda *told: answers.append(told))
    assert made is LATER
    assert answers == []
    machine.run(500)
    assert len(answers) == 1
