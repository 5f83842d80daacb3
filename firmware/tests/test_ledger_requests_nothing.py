"""A person may say that a dose in doubt gave nothing at all."""

import pytest
from situations import in_state
from stand_ins import Machine, StandInPort


@pytest.mark.requirement("R16")
def test_a_dose_in_doubt_may_have_given_nothing():
    cut = in_state("DELIVERING", shots=2)
    port = StandInPort()
    port.ledger_flash.data[:] = cut.port.ledger_flash.data
    port.settings_flash.data[:] = cut.port.settings_flash.data
    machine = Machine(port).boot()
    ((number, _, _),) = machine.journal.in_doubt
    nothing = {"number": number, "strikes": 0, "given_nl": 0}
    assert machine.request("dose.resolve", nothing)[0] == {"in_doubt": []}
    assert machine.journal.session_nl == 0
