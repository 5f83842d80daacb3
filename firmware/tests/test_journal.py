"""What the application writes into the ledger, and when; what it asks of it after a restart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from situations import refused, striking
from stand_ins import PROFILE, Machine, StandInPort, claim

from injector.ledger import record
from injector.limits import MAX_HOUR_NL, MAX_SESSION_NL
from injector.settings import SERVICE
from mesodrive_wire import BAD_PARAMS, FAULTED, IN_DOUBT, LIMIT, WRONG_STATE

NAMES = {kind: name for kind, (name, _) in record.SCHEMA.items()}
STEP_NL = PROFILE["syringe_nl_per_mm"] / 3200
OUT_MS = 1_200
PROFILE_10 = {"shots": 10, "fill_nl": 1_000_000}


def rows(machine: Machine) -> list[tuple[str, dict[str, object]]]:
    """Kind and values of all records."""
    found = []
    for raw in machine.journal.ledger.records():
        kind, _, _, values = record.read(raw)
        names = [name for name, _ in record.SCHEMA[kind][1]]
        found.append((NAMES[kind], dict(zip(names, values, strict=True))))
    return found


def kinds(machine: Machine) -> list[str]:
    return [kind for kind, _ in rows(machine)]


def last(machine: Machine, kind: str) -> dict[str, object]:
    return [values for name, values in rows(machine) if name == kind][-1]


def restarted(machine: Machine) -> Machine:
    """The power was cut and comes back."""
    port = StandInPort()
    port.ledger_flash.data[:] = machine.port.ledger_flash.data
    port.settings_flash.data[:] = machine.port.settings_flash.data
    return Machine(port).boot()


def armed(**changes: object) -> Machine:
    machine = Machine().boot().make_ready(**changes)
    assert machine.request("arm")[1] is None
    return machine


def in_doubt() -> Machine:
    """A device that lost its power in the second strike of a pull."""
    machine = armed()
    machine.pull(130)
    assert machine.port.strikes == 2
    return restarted(machine)


@pytest.mark.requirement("R17", "R21")
def test_start_and_profile_are_written_down():
    machine = Machine().boot()
    assert rows(machine) == [("boot", {"cause": 1, "image": machine.port.image.crc})]
    profile = {**PROFILE, "cartridge": "b1"}
    assert machine.request("profile.load", {"profile": profile})[1] is None
    assert kinds(machine) == ["boot", "profile", "syringe", "cartridge"]
    assert last(machine, "profile")["dose_nl"] == 1_000
    assert last(machine, "syringe") == {"fill_nl": 1_000_000, "nl_per_mm": 17_349}
    assert last(machine, "cartridge")["cartridge"] == bytes(7) + b"\xb1"


@pytest.mark.requirement("R17")
def test_a_pull_is_announced_before_its_first_strike_and_told_after_its_last():
    machine = armed()
    seen: list[list[str]] = []
    machine.port.on_strike = lambda: seen.append(kinds(machine))
    machine.pull(30)
    machine.run_while("DELIVERING")
    assert [one[-1] for one in seen] == ["intent"] * 3
    outcome = last(machine, "outcome")
    assert (outcome["planned_strikes"], outcome["strikes"]) == (3, 3)
    assert outcome["how"].rstrip(b"\0") == b"done"
    assert abs(outcome["given_nl"] - 3_000) <= STEP_NL


@pytest.mark.requirement("R17")
def test_a_pull_that_is_cut_short_is_told_with_what_it_gave():
    machine = armed()
    machine.pull(130)
    machine.port.set("trigger", 0)
    machine.run(50)
    assert machine.state == "PAUSED"
    outcome = last(machine, "outcome")
    assert (outcome["strikes"], outcome["how"].rstrip(b"\0")) == (2, b"stopped")
    assert outcome["given_nl"] == machine.job.delivered_nl
    assert machine.journal.session_nl == machine.job.delivered_nl


@pytest.mark.requirement("R17", "R21")
def test_a_fault_is_written_down_with_the_rail_off():
    machine = armed()
    flash = machine.port.ledger_flash
    program, rails = flash.program, []
    machine.pull(60)
    flash.program = lambda *values: (rails.append(machine.port.enable), program(*values))
    machine.port.set("guard", 0)
    machine.run(50)
    assert machine.state == "FAULT"
    assert kinds(machine)[-3:] == ["intent", "outcome", "fault"]
    fault = last(machine, "fault")
    assert [fault[name].rstrip(b"\0") for name in ("code", "state")] == [
        b"guard_open",
        b"DELIVERING",
    ]
    assert rails
    assert not any(rails)


@pytest.mark.requirement("R17")
def test_priming_is_announced_and_told():
    machine = Machine().boot().make_ready()
    assert machine.request("prime", {"volume_nl": 5_000})[1] is None
    command = machine.link.last_id
    assert last(machine, "intent") == {"command": command, "strikes": 0, "dose_nl": 5_000}
    machine.run_while("HOMING")
    assert abs(last(machine, "outcome")["given_nl"] - 5_000) <= STEP_NL
    assert machine.journal.session_nl == 0
    assert machine.journal.ledger.totals.primed_nl == last(machine, "outcome")["given_nl"]


@pytest.mark.requirement("R16")
def test_a_dose_in_doubt_blocks_arming_and_priming_until_a_person_resolves_it():
    machine = in_doubt()
    assert machine.state == "SAFE"
    assert machine.controller.alarm["code"] == "dose_in_doubt"
    ((number, strikes, dose_nl),) = machine.commands.status()["in_doubt"]
    assert (strikes, dose_nl) == (3, 1_000)
    machine.make_ready()
    for method, params in (("arm", None), ("prime", {"volume_nl": 1})):
        assert refused(machine, method, params).code == IN_DOUBT
    resolve = {"number": number, "strikes": 2, "given_nl": 1_500}
    assert refused(machine, "dose.resolve", resolve).code == WRONG_STATE
    machine.request("disarm")
    for wrong in ({"number": number + 1}, {"strikes": 4}, {"given_nl": 3_001}, {"given_nl": -1}):
        assert refused(machine, "dose.resolve", {**resolve, **wrong}).code == LIMIT
    assert machine.request("dose.resolve", resolve)[0] == {"in_doubt": []}
    assert machine.controller.alarm is None
    assert machine.journal.session_nl == 1_500
    machine.make_ready()
    assert machine.request("arm")[1] is None


@pytest.mark.requirement("R8")
def test_what_is_in_doubt_counts_as_given_until_it_is_resolved():
    status = in_doubt().commands.status()
    assert (status["session_nl"], status["hour_nl"]) == (3_000, 3_000)


@pytest.mark.requirement("R16")
def test_an_id_that_announced_a_dose_is_stale_after_a_restart():
    machine = Machine().boot().make_ready()
    machine.link.last_id = 2**53 - 5
    assert machine.request("arm")[1] is None
    machine.link.last_id += 1
    machine.pull(30)
    assert restarted(machine).link.last_id == 2**53 - 5


@pytest.mark.requirement("R8")
def test_limits_of_session_and_hour_hold_at_load_at_arm_and_within_a_pull():
    machine = Machine().boot()
    machine.journal.max_session_nl = 2_500
    refusal = refused(machine, "profile.load", {"profile": PROFILE})
    assert (refusal.code, refusal.data["name"], refusal.data["limit"]) == (
        LIMIT,
        "session_nl",
        2_500,
    )
    machine.journal.max_session_nl = 3_000
    machine.journal.max_hour_nl = 2_999
    assert refused(machine, "profile.load", {"profile": PROFILE}).data["name"] == "hour_nl"
    machine.journal.max_hour_nl = 3_000
    machine.make_ready()
    machine.journal.max_hour_nl = 2_000  # less is left than when it was asked
    assert refused(machine, "arm").data["name"] == "hour_nl"
    machine.journal.max_hour_nl = 3_000
    assert machine.request("arm")[1] is None
    machine.journal.max_hour_nl = 2_000
    machine.pull(500)
    assert machine.port.strikes == 2
    machine.run_while("DELIVERING")
    machine.pull(100)
    assert (machine.port.strikes, machine.state) == (2, "READY")
    assert machine.controller.why == "no more may be given in this hour"


@pytest.mark.requirement("R8")
def test_an_hour_allows_more_than_a_session_and_both_less_than_a_host_may_ask():
    assert MAX_SESSION_NL <= MAX_HOUR_NL
    machine = Machine().boot()
    profile = {**PROFILE, "shots": 100, "dose_nl": 100_000, "fill_nl": 10_000_000}
    profile.update(syringe_nl_per_mm=500_000, dwell_us=2_000_000, period_us=3_000_000)
    assert machine.request("profile.load", {"profile": profile})[1] is None
    machine.journal.max_session_nl -= 1
    assert refused(machine, "profile.load", {"profile": profile}).data["name"] == "session_nl"


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(("out_ms", "begins"), [(0, False), (900, False), (OUT_MS, True)])
def test_a_session_ends_when_the_cartridge_was_taken_out_and_by_nothing_a_host_does(
    out_ms: int, begins: bool
):
    machine = armed()
    machine.pull(500)
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    given_nl = machine.journal.session_nl
    assert abs(given_nl - 3_000) <= STEP_NL
    machine.request("disarm")
    machine.run(20)
    if out_ms:
        machine.port.set("cartridge", 0)
        machine.run(out_ms)
        machine.port.set("cartridge", 1)
        machine.run(20)
    machine.make_ready()
    assert machine.journal.session_nl == (0 if begins else given_nl)
    assert machine.journal.hour_nl == given_nl
    machine.make_ready()
    assert machine.journal.session_nl == (0 if begins else given_nl)
    machine.request("arm")
    machine.pull(500)
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.request("disarm")
    machine.run(20)
    session_nl = machine.journal.session_nl
    assert session_nl > (0 if begins else given_nl)
    machine.make_ready()  # no session begins once more
    assert machine.journal.session_nl == session_nl


@pytest.mark.requirement("R14")
def test_a_used_cartridge_is_refused_unless_it_is_the_one_in_use_and_was_never_out():
    machine = Machine().boot()
    machine.make_ready(cartridge="a")
    machine.make_ready(cartridge="a")
    machine.make_ready(cartridge="b")
    load = {"profile": {**PROFILE, "cartridge": "a"}}
    assert refused(machine, "profile.load", load).code == BAD_PARAMS
    machine.make_ready(cartridge="")  # whoever forgets the number
    machine.make_ready(cartridge="b")
    machine.request("disarm")
    machine.port.set("cartridge", 0)
    machine.run(OUT_MS)
    machine.port.set("cartridge", 1)
    machine.run(20)
    load = {"profile": {**PROFILE, "cartridge": "b"}}
    assert "has been used" in refused(machine, "profile.load", load).sentence
    machine.make_ready(cartridge="")
    assert "has been used" in refused(machine, "profile.load", load).sentence


@pytest.mark.requirement("R17")
def test_a_cartridge_that_was_used_before_the_device_was_off_is_refused():
    machine = Machine().boot()
    machine.make_ready(cartridge="a")
    machine = restarted(machine)  # nobody saw whether it was taken out
    load = {"profile": {**PROFILE, "cartridge": "a"}}
    assert "has been used" in refused(machine, "profile.load", load).sentence
    machine.make_ready(cartridge="b")
    machine.make_ready(cartridge="b")


@pytest.mark.requirement("R17", "R18")
def test_without_a_ledger_nothing_is_armed_until_one_is_made():
    port = StandInPort()
    claim(port.settings_flash)
    machine = Machine(port).boot()
    machine.host = SERVICE
    assert (machine.state, machine.controller.alarm["code"]) == ("FAULT", "ledger")
    assert refused(machine, "ack").code == FAULTED
    assert refused(machine, "ledger.head").code == WRONG_STATE
    assert machine.request("ledger.create") == (None, None)
    machine.run(500)
    ((head, sentence),) = machine.answers
    assert sentence is None
    assert (head["sequence"], head["first"]) == (1, 1)
    assert refused(machine, "ledger.create").code == WRONG_STATE
    assert machine.request("ack")[1] is None
    assert machine.make_ready().request("arm")[1] is None


@pytest.mark.requirement("R17", "R18")
def test_a_flash_that_fails_before_a_pull_lets_nothing_move():
    machine = armed()
    flash = machine.port.ledger_flash
    flash.stuck = dict.fromkeys(range(flash.size), 0xFF)
    machine.pull(100)
    assert (machine.state, machine.controller.alarm["code"]) == ("FAULT", "ledger")
    assert machine.port.strikes == 0
    assert refused(machine, "ack").code == FAULTED


@pytest.mark.requirement("R17", "R18")
def test_lost_records_are_a_fault_that_a_person_acknowledges():
    machine = armed()
    flash = machine.port.ledger_flash
    sequence = machine.journal.ledger.head[0] - 1
    (at,) = [
        place
        for place in range(0, flash.size, 64)
        if flash.data[place + 4 : place + 8] == sequence.to_bytes(4, "little")
        and flash.data[place] == record.SYRINGE
    ]
    flash.data[at + 20 : at + 30] = bytes(10)
    flash.data[at + 40 : at + 44] = bytes(range(4))
    machine = restarted(machine)
    assert (machine.state, machine.controller.alarm["code"]) == ("FAULT", "ledger")
    assert f"Records {sequence} to {sequence}" in machine.controller.why
    assert machine.request("ack")[1] is None


@pytest.mark.requirement("R17")
def test_a_host_reads_all_records_a_dozen_at_a_time():
    machine = armed()
    for _ in range(20):
        machine.request("disarm")
        machine.run(20)
        machine.make_ready()
    expected = [bytes(raw).hex() for raw in machine.journal.ledger.records()]
    read: list[str] = []
    while True:
        some = machine.request("ledger.records", {"first": len(read) + 1})[0]["rows"]
        if not some:
            break
        assert len(some) <= 12
        read += some
    assert read == expected
    assert machine.request("ledger.records", {"first": 30})[0]["rows"] == expected[29:41]


@pytest.mark.requirement("R17")
def test_a_countersignature_is_kept():
    machine = Machine().boot()
    good = {"sequence": 1, "mac": "ab" * 16, "key": 7}
    for wrong in ({"mac": "ab" * 15}, {"mac": "xy" * 16}, {"sequence": 2}, {"sequence": 0}):
        assert refused(machine, "ledger.countersign", {**good, **wrong}).code in (
            BAD_PARAMS,
            LIMIT,
        )
    assert machine.request("ledger.countersign", good)[0] == {"sequence": 2}
    assert last(machine, "countersigned") == {"sequence": 1, "mac": b"\xab" * 16, "key": 7}


@pytest.mark.requirement("R17")
def test_room_is_made_when_a_profile_is_loaded_and_never_with_the_rail_on():
    machine = Machine().boot()
    flash = machine.port.ledger_flash
    for _ in range(150):  # the flash says when it is erased at a wrong time
        machine.request("disarm")
        machine.run(10)
        machine.make_ready(shots=100, mode="single")
        assert machine.journal.ledger.room >= 175
    assert sum(flash.erases) >= 4


DEEDS = st.sampled_from(["pull", "let go", "guard", "stop byte", "cut", "load", "wait", "resolve"])


@pytest.mark.requirement("R8", "R17")
@settings(max_examples=60)
@given(st.lists(DEEDS, max_size=25))
def test_whatever_happens_the_ledger_never_knows_of_less_than_was_given(deeds: list[str]):
    machine = armed(**PROFILE_10)
    given_nl = 0.0
    for deed in deeds:
        if deed == "pull":
            machine.pull(110)
        elif deed == "let go":
            machine.port.set("trigger", 0)
            machine.run(50)
        elif deed == "guard":
            machine.port.set("guard", 0)
            machine.run(50)
            machine.port.set("guard", 1)
            machine.run(50)
            machine.request("ack")
        elif deed == "stop byte":
            machine.port.host_stop()
            machine.run(30)
        elif deed == "cut":
            given_nl += machine.port.pushed * STEP_NL
            machine = restarted(machine)
        elif deed == "load":
            machine.port.set("trigger", 0)
            machine.port.set("contact", 0)
            machine.request("disarm")
            machine.run(20)
            if machine.state in ("SAFE", "READY"):
                machine.make_ready(**PROFILE_10)
                machine.request("arm")
        elif deed == "resolve":
            for number, strikes, dose_nl in machine.journal.in_doubt:
                params = {"number": number, "strikes": strikes, "given_nl": strikes * dose_nl}
                machine.request("dose.resolve", params)
        else:
            machine.run(200)
        truly_nl = given_nl + machine.port.pushed * STEP_NL
        # An announced dose may end up a step longer; sums are rounded once a pull.
        assert machine.journal.session_nl >= truly_nl - STEP_NL * (1 + len(deeds)) - 1
    assert restarted(machine).journal.ledger.damage == []


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(("let_go", "how"), [(True, b"stopped"), (False, b"done")])
def test_a_single_strike_that_was_cut_short_is_not_written_down_as_done(let_go: bool, how: bytes):
    machine = striking(mode="single", shots=2)
    if let_go:
        machine.port.set("trigger", 0)
    while machine.state == "DELIVERING":
        machine.run(10)
    machine.run(50)
    (outcome,) = [values for kind, values in rows(machine) if kind == "outcome"]
    assert outcome["how"].rstrip(b"\0") == how
