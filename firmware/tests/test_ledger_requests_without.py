"""Where there is no ledger, whoever asks it for something is told so."""

import pytest
from situations import refused
from stand_ins import Machine, StandInPort, claim

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
