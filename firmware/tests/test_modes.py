"""What one pull of the trigger gives in each mode, and where letting go leads to."""

import pytest
from situations import MODES, in_state, striking, to_the_end
from stand_ins import Machine

GOES_ON = ["burst", "dry", "series"]


def armed(mode: str, **changes: object) -> Machine:
    return in_state("ARMED", **{**MODES[mode], "shots": 6, **changes})


def ends(machine: Machine) -> tuple[str, int]:
    return machine.state, machine.port.strikes


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("mode", ["single", "drip"])
def test_one_strike_a_pull_and_a_fresh_press_for_each(mode: str):
    machine = armed(mode)
    for strikes in (1, 2, 3):
        machine.pull()
        machine.run(1_000)
        assert ends(machine) == ("ARMED", strikes)
    machine.port.set("contact", 0)
    machine.run(100)
    machine.port.set("contact", 1)  # the trigger is still pressed
    machine.run(500)
    assert ends(machine) == ("ARMED", 3)


@pytest.mark.requirement("R9")
def test_a_burst_a_pull():
    machine = armed("burst", burst=3, shots=7)
    for strikes, state in ((3, "ARMED"), (6, "ARMED"), (7, "READY")):
        machine.pull()
        machine.run(1_000)
        assert ends(machine) == (state, strikes)


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("mode", ["series", "dry"])
def test_strikes_as_long_as_the_trigger_is_held(mode: str):
    machine = armed(mode)
    machine.pull()
    machine.run(1_000)
    assert ends(machine) == ("READY", 6)


def test_a_stamp_at_each_contact_while_the_trigger_is_held():
    machine = armed("stamp", shots=4)
    machine.pull(500)
    assert ends(machine) == ("ARMED", 1)
    for strikes in (2, 3):
        machine.run(1_000)  # not lifted: nothing more
        assert ends(machine) == ("ARMED", strikes - 1)
        machine.port.set("contact", 0)
        machine.run(30)
        machine.port.set("contact", 1)
        machine.run(200)
        assert ends(machine) == ("ARMED", strikes)
    machine.port.set("contact", 0)
    machine.run(30)
    machine.port.set("contact", 1)
    machine.run(200)
    assert ends(machine) == ("READY", 4)


@pytest.mark.parametrize("cut", [False, True])
def test_a_stamp_that_is_lifted_as_it_ends_needs_no_fresh_press_and_one_cut_short_does(cut: bool):
    machine = armed("stamp")
    machine.pull(30)
    while not cut and not machine.port.finished:
        machine.port.advance(1)  # no look comes between the end and the lifting
    machine.port.set("contact", 0)
    machine.run(100)
    assert ends(machine) == ("ARMED", 1)
    assert [row[2] for row in machine.rows] == ["stopped" if cut else "done"]
    machine.port.set("contact", 1)
    machine.run(300)
    assert ends(machine) == ("ARMED", 1 if cut else 2)


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("cut", [False, True])
def test_a_fresh_press_on_the_same_spot_is_no_new_stamp(cut: bool):
    machine = armed("stamp")
    machine.pull(30)
    assert ends(machine) == ("DELIVERING", 1)
    machine.run(0 if cut else 300)
    for _ in range(2):
        machine.port.set("trigger", 0)
        machine.run(100)
        machine.port.set("trigger", 1)
        machine.run(300)
    assert ends(machine) == ("ARMED", 1)
    machine.port.set("contact", 0)
    machine.run(100)
    machine.port.set("contact", 1)
    machine.run(300)
    assert machine.port.strikes == 2


@pytest.mark.requirement("R9")
def test_a_chattering_contact_is_no_new_stamp():
    machine = armed("stamp")
    machine.pull(300)
    for _ in range(6):
        machine.port.set("contact", 0)
        machine.run(5)
        machine.port.set("contact", 1)
        machine.run(15)
    machine.run(200)
    assert ends(machine) == ("ARMED", 1)


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("mode", ["single", "stamp", "drip"])
@pytest.mark.parametrize("gap_ms", [1, 2, 5, 10, 15])
def test_a_hand_that_loses_touch_for_less_than_20_ms_gives_no_second_shot(mode: str, gap_ms: int):
    machine = armed(mode)
    machine.pull(300)
    assert ends(machine) == ("ARMED", 1)
    for phase_ms in range(10):
        for hand in ("contact", "trigger"):
            machine.run(40 + phase_ms)
            machine.port.set(hand, 0)
            machine.run(gap_ms)
            machine.port.set(hand, 1)
            machine.run(200)
    assert ends(machine) == ("ARMED", 1)


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("mode", sorted(MODES))
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_letting_go_leads_to_paused_only_where_the_next_pull_goes_on(hand: str, mode: str):
    machine = striking(**{**MODES[mode], "shots": 6})
    machine.port.advance(12)
    machine.port.set(hand, 0)
    machine.run(20)
    assert ends(machine) == ("PAUSED" if mode in GOES_ON else "ARMED", 1)


@pytest.mark.parametrize("mode", GOES_ON)
def test_the_next_pull_goes_on_with_the_shots_that_are_left(mode: str):
    machine = striking(**{**MODES[mode], "shots": 4, "burst": 4 if mode == "burst" else 1})
    machine.run(100)
    machine.port.set("trigger", 0)
    machine.run(100)
    assert ends(machine) == ("PAUSED", 2)
    machine.pull(40)  # the pause was as long as the last period, to the ms
    to_the_end(machine)
    assert ends(machine) == ("READY", 4)


@pytest.mark.parametrize("mode", GOES_ON)
def test_each_pull_starts_softly_anew(mode: str):
    machine = striking(
        **{**MODES[mode], "shots": 20, "soft_strikes": 1, "burst": 20 if mode == "burst" else 1}
    )
    for strikes in (3, 6):
        while machine.port.strikes < strikes:
            machine.run(1)
        machine.port.set("trigger", 0)
        machine.run(200)
        if strikes == 3:
            machine.pull(0)
    ms = [tick / 125_000 for tick in machine.port.begun]
    assert [ms[1] - ms[0], ms[2] - ms[1]] == [120, 80]
    assert [ms[4] - ms[3], ms[5] - ms[4]] == [120, 80]


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("mode", sorted(MODES))
def test_arming_again_does_not_bring_the_next_strike_forward(mode: str):
    machine = striking(**{**MODES[mode], "period_us": 2_000_000})
    machine.run(5)
    machine.request("disarm")
    machine.run(60)
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.run(10)
    assert machine.request("arm")[1] is None
    machine.pull(1_500)
    assert machine.port.strikes == 1
    machine.run(1_000)
    assert machine.port.strikes == 2
    first, second = machine.port.begun
    assert second - first >= 2_000_000 * 125


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("mode", sorted(MODES))
@pytest.mark.parametrize("first", ["trigger", "contact"])
def test_trigger_and_contact_may_come_in_either_order(first: str, mode: str):
    machine = armed(mode)
    other = {"trigger": "contact", "contact": "trigger"}[first]
    machine.port.set(first, 1)
    machine.run(500)
    assert machine.state == "ARMED"
    machine.port.set(other, 1)
    machine.run(35)
    assert ends(machine) == ("DELIVERING", 1)
