"""A host that asks for the same records again gets them again, and what has come meanwhile."""

import pytest
from situations import in_state
from stand_ins import Machine

from injector.ledger import record

pytestmark = pytest.mark.requirement("R17")


def rows(machine: Machine, first: int) -> list[str]:
    return machine.request("ledger.records", {"first": first})[0]["rows"]


def test_the_last_records_are_read_again_and_again():
    machine = in_state("SAFE")
    ledger = machine.journal.ledger
    while ledger.head[0] < 20:
        ledger.append(record.FAULT, code=b"misfire", state=b"ARMED")
    assert len(rows(machine, 1)) == 12
    last = rows(machine, 13)
    assert len(last) == 8
    assert rows(machine, 13) == last
    ledger.append(record.FAULT, code=b"misfire", state=b"ARMED")
    assert rows(machine, 13)[:-1] == last
    assert len(rows(machine, 13)) == 9
