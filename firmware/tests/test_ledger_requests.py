"""What a host reads of the ledger and says to it, to the last figure."""

import pytest
from situations import in_state, refused
from stand_ins import Machine, StandInPort, claim
from stand_ins.machine import with_ledger

from injector.ledger import record
from injector.link import LATER
from injector.settings import SERVICE
from mesodrive_wire import BAD_PARAMS, BUSY, LIMIT, WRONG_STATE

pytestmark = pytest.mark.requirement("R17")

COUNTERSIGNED = {"sequence": 1, "mac": "ab" * 16, "key": 7}
TOTALS = {
    *("strikes", "delivered_nl", "primed_nl", "uncertain_strikes", "uncertain_nl"),
    *("session_strikes", "session_nl", "left_nl", "boots", "faults", "hour_nl", "on_ms"),
}


def restarted(machine: Machine) -> Machine:
    port = StandInPort()
    port.ledger_flash.data[:] = machine.port.ledger_flash.data
    port.settings_flash.data[:] = machine.port.settings_flash.data
    return Machine(port).boot()


def in_doubt() -> tuple[Machine, int]:
    """A device that lost its power within a pull, and the number of the dose."""
    machine = in_state("DELIVERING", shots=2)
    machine = restarted(machine)
    ((number, strikes, dose_nl),) = machine.journal.in_doubt
    assert (strikes, dose_nl) == (2, 1_000)
    return machine, number


def rows(machine: Machine, first: int) -> list[str]:
    return machine.request("ledger.records", {"first": first})[0]["rows"]


def fill(machine: Machine, records: int) -> None:
    for _ in range(records):
        machine.journal.ledger.append(record.FAULT, code=b"misfire", state=b"ARMED")


def test_the_head_tells_all_totals_and_what_is_pending():
    machine, number = in_doubt()
    head = machine.request("ledger.head")[0]
    ledger = machine.journal.ledger
    assert head["totals"].keys() == TOTALS
    for name in TOTALS - {"hour_nl", "on_ms"}:
        assert head["totals"][name] == getattr(ledger.totals, name)
    assert (head["totals"]["hour_nl"], head["totals"]["on_ms"]) == (2_000, ledger.on_ms)
    assert head["sequence"] == ledger.head[0]
    assert head["chain"] == ledger.head[1].hex()
    assert (head["first"], head["room"], head["boot"]) == (1, ledger.room, 2)
    assert head["pending"] == [[number, 2, 1_000, 0]]
    assert head["damage"] == []
    assert refused(machine, "ledger.head", {"more": 1}).code == BAD_PARAMS


def test_a_dose_that_is_under_way_is_pending_and_announced():
    machine = in_state("DELIVERING")
    ((_, strikes, dose_nl, announced),) = machine.request("ledger.head")[0]["pending"]
    assert (strikes, dose_nl, announced) == (3, 1_000, 1)


def test_sixteen_notes_of_damage_are_told():
    machine = in_state("SAFE")
    machine.journal.ledger._log._notes = [("mended", n, n) for n in range(20)]
    told = machine.request("ledger.head")[0]["damage"]
    assert told == [["mended", n, n] for n in range(16)]


def test_twelve_records_are_read_at_a_time_from_any_place():
    machine = in_state("SAFE")
    fill(machine, 30)
    expected = [bytes(raw).hex() for raw in machine.journal.ledger.records()]
    for first in (1, 13, 25, 2, 14, len(expected), 0xFFFFFFFF):
        rows = machine.request("ledger.records", {"first": first})[0]["rows"]
        assert rows == expected[first - 1 : first + 11]
    for first in (0, 1 << 32):
        assert refused(machine, "ledger.records", {"first": first}).code == LIMIT
    assert refused(machine, "ledger.records", {"first": 1, "more": 1}).code == BAD_PARAMS


def test_a_host_that_reads_on_gets_what_has_come_meanwhile_and_looks_anew_after_an_erase():
    machine = in_state("SAFE")
    fill(machine, 20)
    machine.request("ledger.records", {"first": 1})
    looked: list[int] = []
    records = machine.journal.ledger.records
    machine.journal.ledger.records = lambda first: looked.append(first) or records(first)
    fill(machine, 20)
    sequence = machine.journal.ledger.head[0]
    read = machine.request("ledger.records", {"first": 13})[0]["rows"]
    assert looked == []
    assert [int(raw[14:16] + raw[12:14] + raw[10:12] + raw[8:10], 16) for raw in read] == [
        *range(13, 25)
    ]
    machine.journal.erases += 1
    machine.request("ledger.records", {"first": 25})
    assert looked == [25]
    last = machine.request("ledger.records", {"first": 37})[0]["rows"]
    assert len(last) == sequence - 36
    assert looked == [25]
    machine.request("ledger.records", {"first": sequence + 1})
    assert looked == [25, sequence + 1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mac": "ab" * 15}, BAD_PARAMS),
        ({"mac": "ab" * 17}, BAD_PARAMS),
        ({"mac": "xy" * 16}, BAD_PARAMS),
        ({"mac": "ab" * 15 + "a"}, BAD_PARAMS),
        ({"sequence": 0}, LIMIT),
        ({"sequence": 2}, LIMIT),
        ({"key": -1}, LIMIT),
        ({"key": 1 << 32}, LIMIT),
        ({"more": 1}, BAD_PARAMS),
    ],
)
def test_a_countersignature_with_a_wrong_value_is_refused(changes: dict[str, object], code: int):
    machine = Machine().boot()
    good = {"sequence": 1, "mac": "ab" * 16, "key": 0xFFFFFFFF}
    assert refused(machine, "ledger.countersign", {**good, **changes}).code == code
    assert machine.request("ledger.countersign", good)[0] == {"sequence": 2}
    again = {**good, "sequence": 2, "key": 0}
    assert machine.request("ledger.countersign", again)[0] == {"sequence": 3}


def test_a_full_ledger_is_not_countersigned():
    machine = Machine().boot()
    fill(machine, machine.journal.ledger.room - 3)
    good = COUNTERSIGNED
    assert refused(machine, "ledger.countersign", good).code == BUSY


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"strikes": 3}, LIMIT),
        ({"strikes": -1}, LIMIT),
        ({"given_nl": 2_001}, LIMIT),
        ({"given_nl": -1}, LIMIT),
        ({"number": 1}, LIMIT),
        ({"number": 0}, LIMIT),
        ({"number": 1 << 32}, LIMIT),
        ({"more": 1}, BAD_PARAMS),
    ],
)
def test_a_dose_in_doubt_gave_at_most_what_was_announced(changes: dict[str, object], code: int):
    machine, number = in_doubt()
    good = {"number": number, "strikes": 2, "given_nl": 2_000}
    assert refused(machine, "dose.resolve", {**good, **changes}).code == code
    assert machine.request("dose.resolve", good)[0] == {"in_doubt": []}
    assert machine.controller.alarm is None


def test_priming_in_doubt_is_resolved_by_its_volume():
    machine = in_state("READY")
    machine.request("prime", {"volume_nl": 5_000})
    machine = restarted(machine)
    ((number, strikes, dose_nl),) = machine.journal.in_doubt
    assert (strikes, dose_nl) == (0, 5_000)
    params = {"number": number, "strikes": 0, "given_nl": 5_001}
    assert refused(machine, "dose.resolve", params).code == LIMIT
    assert machine.request("dose.resolve", {**params, "given_nl": 5_000})[1] is None


@pytest.mark.parametrize("state", ["HOMING", "ARMED", "PAUSED"])
def test_nothing_is_read_or_written_while_something_is_live(state: str):
    machine = in_state(state)
    good = COUNTERSIGNED
    for method, params in (
        ("ledger.records", {"first": 1}),
        ("ledger.countersign", good),
        ("dose.resolve", {"number": 1, "strikes": 0, "given_nl": 0}),
    ):
        assert refused(machine, method, params).code == WRONG_STATE


def test_a_ledger_that_is_being_made_is_not_made_twice():
    machine = Machine(StandInPort()).boot()
    machine.host = None
    assert refused(machine, "ledger.create", {"more": 1}).code == BAD_PARAMS
    assert machine.request("ledger.create") == (None, None)
    assert refused(machine, "ledger.create").code == BUSY
    machine.run(500)
    ((head, sentence),) = machine.answers
    assert (head["sequence"], sentence) == (1, None)
    assert refused(machine, "ledger.create").code == WRONG_STATE


def test_the_last_records_are_read_again_and_again():
    machine = in_state("SAFE")
    ledger = machine.journal.ledger
    fill(machine, 20 - ledger.head[0])
    assert len(rows(machine, 1)) == 12
    last = rows(machine, 13)
    assert len(last) == 8
    assert rows(machine, 13) == last
    fill(machine, 1)
    assert rows(machine, 13)[:-1] == last
    assert len(rows(machine, 13)) == 9


@pytest.mark.requirement("R16")
def test_a_dose_in_doubt_may_have_given_nothing():
    machine, number = in_doubt()
    nothing = {"number": number, "strikes": 0, "given_nl": 0}
    assert machine.request("dose.resolve", nothing)[0] == {"in_doubt": []}
    assert machine.journal.session_nl == 0


@pytest.mark.parametrize(
    ("method", "params"),
    [("ledger.head", {}), ("ledger.records", {"first": 1}), ("ledger.countersign", COUNTERSIGNED)],
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


@pytest.mark.parametrize("trouble", [None, "The ledger's flash failed; restart the device."])
def test_no_ledger_is_made_in_the_place_of_one_that_was_read(trouble: "str | None"):
    machine = in_state("FAULT")
    machine.host = SERVICE
    machine.journal.trouble = trouble
    machine.journal.creating = lambda _: pytest.fail("the ledger is made anew")
    refusal = refused(machine, "ledger.create")
    assert refusal.code == WRONG_STATE
    assert "There is a ledger already" in refusal.sentence


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


def test_whoever_has_a_ledger_made_is_answered_when_it_is_there():
    machine = Machine(StandInPort()).boot()
    answers: list[object] = []
    made = machine.methods["ledger.create"]({}, lambda *told: answers.append(told))
    assert made is LATER
    assert answers == []
    machine.run(500)
    assert len(answers) == 1


def test_whoever_has_a_ledger_made_is_told_when_that_fails():
    machine = Machine(StandInPort()).boot()
    machine.host = None
    assert machine.request("ledger.create") == (None, None)
    flash = machine.port.ledger_flash
    flash.stuck = dict.fromkeys(range(flash.size), 0xFF)
    machine.run(500)
    ((head, sentence),) = machine.answers
    assert head is None
    assert "flash" in sentence
    assert machine.state == "FAULT"
