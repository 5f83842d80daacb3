"""What host, start and moves make of the state: each change is told, and nothing is left over."""

import pytest
from situations import alarms, in_state, refused, striking, to_the_end
from stand_ins import PROFILE, Machine, StandInPort

from injector.controller import STATES
from injector.limits import HOST_SILENCE_MS
from mesodrive_wire import STOP, encode, request


@pytest.fixture
def freed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """When memory was freed, in ms."""
    times: list[int] = []
    monkeypatch.setattr(
        "stand_ins.machine.Memory.collect", lambda memory: times.append(memory._port.now_ms)
    )
    return times


# the start


@pytest.mark.requirement("R2")
def test_a_ledger_that_is_broken_is_told_before_a_restart_is():
    machine = Machine()
    machine.controller.started([], "The ledger is broken.", STATES.index("DELIVERING"))
    assert machine.controller.alarm == {"code": "ledger", "text": "The ledger is broken."}


@pytest.mark.requirement("R14", "R18")
def test_a_restart_is_told_with_its_state_and_what_to_do():
    machine = Machine()
    machine.controller.started([], None, STATES.index("DELIVERING"))
    assert machine.controller.alarm == {
        "code": "restarted",
        "text": "The program hung or crashed in DELIVERING and was restarted; note what the last "
        "shot gave, then acknowledge.",
    }


@pytest.mark.requirement("R16")
def test_a_dose_in_doubt_is_told_at_the_start():
    before = striking()
    port = StandInPort()
    port.ledger_flash.data[:] = before.port.ledger_flash.data
    port.settings_flash.data[:] = before.port.settings_flash.data
    machine = Machine(port).boot()
    assert (machine.state, alarms(machine)) == ("SAFE", ["dose_in_doubt"])


def test_a_change_of_state_is_told_with_its_reason():
    machine = Machine().boot()
    told = {"state": "SAFE", "was": "SELF_TEST", "why": "self-test passed"}
    assert machine.told == [("state", told)]


# the host


@pytest.mark.requirement("R3")
def test_a_stop_byte_to_a_ready_machine_changes_nothing_then_or_later():
    machine = in_state("READY")
    machine.port.host_stop()
    machine.look()
    assert machine.state == "READY"
    assert machine.request("arm")[1] is None
    machine.look()
    assert machine.state == "ARMED"


@pytest.mark.requirement("R15")
@pytest.mark.parametrize("was_closed", [False, True])
@pytest.mark.parametrize("is_closed", [False, True])
def test_a_port_that_is_closed_or_was_makes_safe(was_closed: bool, is_closed: bool):
    machine = in_state("READY")
    machine.port.link_lost = was_closed
    machine.port.line.open = not is_closed
    machine.look()
    lost = was_closed or is_closed
    assert machine.state == ("SAFE" if lost else "READY")
    assert alarms(machine) == (["host_lost"] if lost else [])


@pytest.mark.requirement("R15")
def test_a_host_may_be_silent_for_just_so_long():
    machine = in_state("ARMED")
    machine.controller.heard_ms = machine.port.now_ms - HOST_SILENCE_MS
    machine.look(host_speaks=False)
    assert machine.state == "ARMED"
    machine.port.advance(1)
    machine.look(host_speaks=False)
    assert (machine.state, alarms(machine)) == ("SAFE", ["host_lost"])


@pytest.mark.requirement("R15")
def test_a_silent_host_leaves_the_machine_ready():
    machine = in_state("READY")
    machine.controller.heard_ms = machine.port.now_ms - HOST_SILENCE_MS - 1
    machine.look(host_speaks=False)
    assert (machine.state, alarms(machine)) == ("READY", [])


@pytest.mark.requirement("R15")
def test_a_host_that_is_back_homes_and_nothing_is_left_of_its_loss():
    machine = in_state("READY")
    machine.port.set("open", False)
    machine.look()
    machine.port.set("open", True)
    assert machine.request("home") == (None, None)
    assert machine.controller.alarm is None
    machine.look()
    assert machine.state == "HOMING"


@pytest.mark.requirement("R15")
def test_a_port_that_is_closed_and_opened_while_a_command_is_taken_ends_what_it_begins(
    monkeypatch: pytest.MonkeyPatch,
):
    machine = in_state("READY")
    announce = machine.journal.announce

    def announce_and_lose(*told: object) -> None:
        announce(*told)
        machine.port.link_lost = True  # the next program has it open already

    monkeypatch.setattr(machine.journal, "announce", announce_and_lose)
    assert machine.request("prime", {"volume_nl": 100_000}) == (None, None)
    machine.look()
    assert (machine.state, alarms(machine)) == ("SAFE", ["host_lost"])
    assert not machine.port.moving
    assert machine.job.left_nl == PROFILE["fill_nl"]


# moves


def test_who_asked_for_a_move_is_answered_once_with_what_came_of_it():
    machine = in_state("READY")
    assert machine.answers == [({"state": "READY"}, None)]
    machine.request("disarm")
    assert len(machine.answers) == 1


def test_axes_are_not_at_home_any_more_once_the_rail_is_off():
    machine = in_state("READY")
    assert machine.commands.status()["homed"]
    machine.request("disarm")
    assert not machine.plunger.homed
    assert not machine.depth.homed


@pytest.mark.requirement("R4")
def test_a_guard_that_opens_for_a_moment_ends_homing():
    machine = in_state("HOMING")
    machine.port.set("guard", 0)
    machine.port.set("guard", 1)  # before anybody looked
    machine.look()
    assert (machine.state, machine.controller.why) == ("SAFE", "the guard was opened")
    machine.run(20)
    assert machine.state == "SAFE"


@pytest.mark.requirement("R3")
def test_tracks_that_stop_themselves_while_homing_make_safe():
    machine = in_state("HOMING")
    machine.port.halt()  # what the programs do when only the line glitches
    machine.look()
    assert (machine.state, machine.controller.why) == ("SAFE", "the interlock line fell")


@pytest.mark.requirement("R15", "R18")
@pytest.mark.parametrize(
    ("what", "why", "told"),
    [
        ("closed", "the host closed the port", ["host_lost"]),
        ("stopped", "stopped by the host", []),
    ],
)
@pytest.mark.parametrize("moves", ["home", "prime"])
def test_what_the_host_does_between_two_parts_of_a_look_is_told_as_its_deed(
    what: str, why: str, told: list[str], moves: str
):
    machine = in_state("HOMING") if moves == "home" else in_state("READY")
    if moves == "prime":
        assert machine.request("prime", {"volume_nl": 20_000})[1] is None
        machine.run(30)
    advance = machine.controller._advance

    def first() -> None:
        machine.controller._advance = advance
        machine.port.set("open", False) if what == "closed" else machine.port.host_stop()
        advance()

    machine.controller._advance = first
    machine.run(60)
    assert (machine.state, machine.controller.why) == ("SAFE", why)
    assert alarms(machine) == told
    assert not machine.port.enable


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("what", ["closed", "stopped"])
def test_a_guard_that_opens_with_what_the_host_does_is_what_is_told(what: str):
    machine = in_state("HOMING")
    advance = machine.controller._advance

    def first() -> None:
        machine.controller._advance = advance
        machine.port.set("guard", 0)
        machine.port.set("open", False) if what == "closed" else machine.port.host_stop()
        advance()

    machine.controller._advance = first
    machine.run(60)
    assert (machine.state, machine.controller.why) == ("SAFE", "the guard was opened")


@pytest.mark.requirement("R18")
def test_an_alarm_of_medium_priority_outlives_homing_and_a_low_one_does_not():
    machine = in_state("SAFE")
    for code, stays in (("dose_in_doubt", True), ("host_lost", False)):
        machine.controller.alarm = {"code": code, "text": "A test."}
        machine.make_ready()
        assert bool(machine.controller.alarm) is stays


@pytest.mark.requirement("R15")
def test_a_port_closed_in_the_midst_of_a_look_ends_homing_and_is_told():
    machine = in_state("HOMING")
    line = machine.port.line

    def asked() -> bool:
        del line.connected  # only this once
        machine.port.set("open", False)
        return True

    line.connected = asked
    machine.look()
    assert (machine.state, machine.controller.why) == ("SAFE", "the host closed the port")


@pytest.mark.requirement("R5", "R18")
@pytest.mark.parametrize("within_a_look", [False, True])
@pytest.mark.parametrize("move", ["homing", "priming"])
def test_a_plunger_that_resists_is_told_as_what_it_is_in_this_move(move: str, within_a_look: bool):
    machine = in_state("HOMING" if move == "homing" else "READY")
    if move == "priming":
        machine.request("prime", {"volume_nl": 50_000})
        machine.run(20)
    connected = machine.port.line.connected

    def pressed() -> bool:
        machine.port.pressed_too_hard = True
        machine.port.halt()
        return connected()

    if within_a_look:
        machine.port.line.connected = pressed  # asked for after the force
    else:
        pressed()
    machine.look()
    assert alarms(machine) == ["occlusion"]
    assert ("while homing" in machine.controller.why) == (move == "homing")


# the syringe, the ledger and the memory


@pytest.mark.requirement("R12")
def test_a_low_syringe_is_told_once_and_only_while_something_may_move():
    machine = in_state("SAFE")
    machine.job.low = True
    machine.look()
    assert alarms(machine) == []
    machine.request("home")
    for _ in range(3):
        machine.look()
    assert alarms(machine) == ["syringe_low"]


@pytest.mark.requirement("R14")
def test_a_cartridge_that_was_taken_out_counts_as_used():
    machine = in_state("SAFE", cartridge="a")
    machine.port.set("cartridge", 0)
    machine.run(1_200)
    machine.port.set("cartridge", 1)
    machine.run(20)
    load = {"profile": {**PROFILE, "cartridge": "a"}}
    assert "has been used" in refused(machine, "profile.load", load).sentence


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("SAFE", [(True, False)]),
        ("HOMING", []),
        ("READY", [(False, False)]),
        ("ARMED", [(False, False)]),
        ("DELIVERING", []),
        ("PAUSED", [(False, False)]),
        ("FAULT", [(True, True)]),
    ],
)
def test_the_journal_may_write_where_nothing_moves_and_erase_where_the_rail_is_off(
    state: str, told: list[tuple[bool, bool]]
):
    machine = in_state(state)
    seen: list[tuple[bool, bool]] = []
    machine.journal.tend = lambda *how: seen.append(how)
    machine.look()
    assert seen == told


@pytest.mark.requirement("R22")
def test_memory_is_freed_when_a_move_begins(freed: list[int]):
    machine = in_state("SAFE")
    freed.clear()
    machine.request("home")
    assert freed == [machine.port.now_ms]


@pytest.mark.requirement("R22")
def test_memory_is_freed_once_when_the_journal_has_written(freed: list[int]):
    machine = in_state("ARMED", mode="single")
    freed.clear()
    machine.run(100)
    assert freed == []
    machine.pull()
    to_the_end(machine)
    machine.run(100)
    assert machine.state == "ARMED"
    assert len(freed) == 1


@pytest.mark.requirement("R18")
def test_an_alarm_of_lower_priority_is_told_and_does_not_take_the_place_of_a_higher():
    machine = in_state("READY")
    machine.controller.alarm = {"code": "dose_in_doubt", "text": "A test."}
    machine.port.set("open", False)
    machine.run(20)
    assert alarms(machine)[-1] == "host_lost"
    assert machine.controller.alarm["code"] == "dose_in_doubt"


@pytest.mark.requirement("R3")
@pytest.mark.parametrize(("state", "method"), [("READY", "arm"), ("SAFE", "home")])
def test_a_stop_byte_stops_what_a_request_before_it_begins_although_it_is_seen_first(
    state: str, method: str
):
    machine = in_state(state)
    machine.port.host_stop()  # as it is on the cable; the line waits to be read meanwhile
    machine.controller.step()
    machine.port.line.arrived += encode(request(machine.link.last_id + 1, method)) + STOP
    machine.run(100)
    assert machine.state == state
    assert machine.controller.why == "stopped by the host"
    machine.port.set("contact", 1)
    machine.port.set("trigger", 1)
    machine.run(300)
    assert machine.port.strikes == 0
    assert not machine.port.moving
