"""What stops acts at once; what lets go on counts only when it has held."""

import board
import pytest
from hypothesis import given
from hypothesis import strategies as st

from injector.inputs import Inputs
from injector.limits import DEBOUNCE_MS, TRIGGER_SPLIT_MS


class Panel:
    """Inputs whose bits a test sets; `at(ms)` polls."""

    def __init__(self) -> None:
        self.bits = 0
        self.inputs = Inputs(lambda: self.bits, board)

    def at(self, ms: int, **states: int) -> Inputs:
        for name, state in states.items():
            mask = self.inputs.masks[name]
            self.bits = self.bits | mask if state else self.bits & ~mask
        self.inputs.poll(ms)
        return self.inputs


def pressed_at(ms: int) -> Panel:
    panel = Panel()
    panel.at(ms - DEBOUNCE_MS - 1)
    panel.at(ms - 1)
    panel.at(ms, trigger=1, contact=1)
    return panel


@pytest.mark.requirement("R9")
def test_contact_and_trigger_count_when_they_have_held_20_ms_and_not_before():
    panel = pressed_at(100)
    early = panel.at(100 + DEBOUNCE_MS - 1)
    assert (early.pulled, early.touching) == (False, False)
    held = panel.at(100 + DEBOUNCE_MS)
    assert (held.pulled, held.touching) == (True, True)


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("name", ["STRIKE", "STRIKE_PEAK", "PLUNGER_STEP", "DEPTH_STEP"])
def test_a_pin_that_moves_something_is_seen_as_driven_while_it_is_high(name: str):
    panel = Panel()
    panel.bits = 1 << getattr(board, name)
    assert panel.at(0).driven is True
    panel.bits = panel.inputs.all_mask
    assert panel.at(1).driven is False


# spans of 1 to 19 ms, on and off by turns, each polled every ms
@pytest.mark.requirement("R9")
@given(st.lists(st.integers(1, DEBOUNCE_MS - 1), max_size=12))
def test_bounces_shorter_than_20_ms_never_count(spans: list[int]):
    panel = Panel()
    panel.at(-DEBOUNCE_MS)
    panel.at(0)
    ms, state = 1, 1
    for span in spans:
        for _ in range(span):
            seen = panel.at(ms, trigger=state, contact=state)
            assert not seen.pulled
            assert not seen.touching
            ms += 1
        state ^= 1


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_letting_go_acts_at_once(hand: str):
    panel = pressed_at(100)
    panel.at(500)
    seen = panel.at(501, **{hand: 0})
    assert (seen.pulled, seen.touching) == (hand != "trigger", hand != "contact")


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_after_a_bounce_the_time_starts_anew_for_that_hand_alone(hand: str):
    panel = pressed_at(100)
    panel.at(500)
    panel.at(501, **{hand: 0})
    seen = panel.at(502, **{hand: 1})
    assert (seen.pulled, seen.touching) == (hand != "trigger", hand != "contact")
    seen = panel.at(502 + DEBOUNCE_MS)
    assert seen.pulled
    assert seen.touching


@pytest.mark.requirement("R9")
@given(st.lists(st.tuples(st.integers(1, 500), st.booleans()), max_size=10))
def test_a_trigger_held_since_before_forget_press_never_counts(waits: list[tuple[int, bool]]):
    panel = pressed_at(100)
    panel.at(200)
    panel.inputs.forget_press()
    ms = 200
    for wait, contact in waits:  # contact coming and going does not help it
        ms += wait
        assert not panel.at(ms, contact=int(contact)).pulled
    panel.at(ms + 1, trigger=0)
    panel.at(ms + 1 + DEBOUNCE_MS)
    panel.at(ms + 2 + DEBOUNCE_MS, trigger=1)
    assert panel.at(ms + 2 + 2 * DEBOUNCE_MS).pulled


@pytest.mark.requirement("R1", "R9")
def test_a_trigger_held_since_power_up_never_counts():
    panel = Panel()
    panel.at(0, trigger=1, contact=1)
    assert not panel.at(10_000).pulled
    assert panel.inputs.touching


@pytest.mark.requirement("R7", "R9")
@pytest.mark.parametrize("contact", [board.TRIGGER, board.TRIGGER_2])
def test_one_contact_of_the_trigger_alone_is_no_press_and_is_found_out(contact: int):
    panel = Panel()
    panel.at(0, contact=1)
    panel.bits |= 1 << contact  # a wire that is shorted
    for ms in range(1, 1000):
        seen = panel.at(ms)
        assert not seen.pulled
        assert seen.split == (ms > TRIGGER_SPLIT_MS)
    seen = panel.at(1000, trigger=1)
    assert not panel.at(1100).split
    panel.bits &= ~(panel.inputs.masks["trigger"] & ~(1 << contact))  # let go of, but for it
    panel.at(1200).forget_press()
    panel.at(1201, trigger=1)
    assert not panel.at(1300).pulled  # it was never seen released
    assert seen.on("trigger")


def test_other_inputs_changing_do_not_restart_the_time():
    panel = pressed_at(100)
    for ms in range(101, 100 + DEBOUNCE_MS):
        panel.at(ms, guard=ms % 2, rail=ms % 3 == 0)
    assert panel.at(100 + DEBOUNCE_MS).pulled


def test_every_input_is_read_from_its_own_pin():
    panel = Panel()
    names = list(panel.inputs.masks)
    assert len({*panel.inputs.masks.values()}) == len(names)
    for name in names:
        seen = panel.at(0, **{other: other == name for other in names})
        assert [other for other in names if seen.on(other)] == [name]
        other = 1 << board.TRIGGER_2 if name == "trigger" else 0
        assert panel.bits == 1 << getattr(board, name.upper()) | other


def test_a_mask_joins_bits_and_status_shows_the_inputs_of_the_protocol():
    panel = Panel()
    seen = panel.at(0, guard=1, needle_back=1, depth_home=1)
    assert seen.mask(("guard", "stop")) == 1 << board.GUARD | 1 << board.STOP
    shown = seen.as_dict()
    assert [name for name, state in shown.items() if state] == ["guard", "needle_back"]
    assert list(shown) == [
        "guard",
        "stop",
        "interlock",
        "cartridge",
        "contact",
        "trigger",
        "rail",
        "needle_out",
        "needle_back",
        "driver_ok",
    ]


@given(st.lists(st.integers(0, 1), min_size=10, max_size=10))
def test_the_bits_of_the_status_are_its_inputs_in_their_order(states: list[int]):
    panel = Panel()
    seen = panel.at(0, **dict(zip(panel.inputs.as_dict(), states, strict=True)))
    assert seen.as_bits() == sum(state << place for place, state in enumerate(states))
    assert list(seen.as_dict().values()) == states


@pytest.mark.requirement("R9")
@given(st.lists(st.tuples(st.integers(1, 500), st.booleans()), max_size=10))
def test_a_contact_that_was_used_up_counts_again_only_when_the_device_was_lifted(
    waits: list[tuple[int, bool]],
):
    panel = pressed_at(100)
    assert panel.at(200).touching
    panel.inputs.forget_touch()
    ms = 200
    for wait, trigger in waits:  # the trigger coming and going does not help it
        ms += wait
        assert not panel.at(ms, trigger=int(trigger)).touching
    panel.at(ms + 1, contact=0)
    panel.at(ms + 1 + DEBOUNCE_MS)
    panel.at(ms + 2 + DEBOUNCE_MS, contact=1)
    assert not panel.at(ms + 1 + 2 * DEBOUNCE_MS).touching
    assert panel.at(ms + 2 + 2 * DEBOUNCE_MS).touching


# gaps of 1 to 19 ms, and how long it is held after each: long enough to be seen at any pace
@pytest.mark.requirement("R9")
@given(
    st.lists(st.tuples(st.integers(1, DEBOUNCE_MS - 1), st.integers(15, 60)), max_size=12),
    st.integers(1, 15),
)
def test_a_gap_shorter_than_20_ms_is_no_release_and_no_lifting(
    spans: list[tuple[int, int]], pace_ms: int
):
    panel = pressed_at(100)
    seen = panel.at(200)
    assert (seen.pulled, seen.touching) == (True, True)
    seen.forget_press()
    seen.forget_touch()
    ms = 201
    for gap_ms, held_ms in spans:
        for passed in range(gap_ms + held_ms):
            if (ms + passed) % pace_ms == 0:
                held = int(passed >= gap_ms)
                seen = panel.at(ms + passed, trigger=held, contact=held)
                assert (seen.pulled, seen.touching) == (False, False)
        ms += gap_ms + held_ms
    seen = panel.at(ms + 500, trigger=1, contact=1)
    assert (seen.pulled, seen.touching) == (False, False)


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_what_was_let_go_for_20_ms_counts_anew_and_a_ms_less_does_not(hand: str):
    for gap_ms, counts in ((DEBOUNCE_MS - 1, False), (DEBOUNCE_MS, True)):
        panel = pressed_at(100)
        seen = panel.at(200)
        seen.forget_press() if hand == "trigger" else seen.forget_touch()
        panel.at(201, **{hand: 0})
        panel.at(201 + gap_ms)
        panel.at(202 + gap_ms, **{hand: 1})
        seen = panel.at(202 + gap_ms + DEBOUNCE_MS)
        assert (seen.pulled and seen.touching) is counts


def test_a_contact_that_is_not_there_cannot_be_used_up():
    panel = Panel()
    panel.at(-DEBOUNCE_MS)
    panel.at(0)
    panel.inputs.forget_touch()
    panel.at(1, contact=1)
    assert panel.at(1 + DEBOUNCE_MS).touching


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("polls", [[-20, 0], [-20, 0, 5]])
def test_forgetting_a_press_that_is_not_there_forgets_no_later_one(polls: list[int]):
    panel = Panel()
    for ms in polls:
        panel.at(ms)
    panel.inputs.forget_press()
    panel.inputs.forget_touch()
    panel.at(10, trigger=1, contact=1)
    held = panel.at(10 + DEBOUNCE_MS)
    assert (held.pulled, held.touching) == (True, True)


@pytest.mark.requirement("R9")
def test_a_trigger_that_is_held_from_the_start_counts_only_when_seen_released():
    panel = Panel()
    panel.at(0, trigger=1, contact=1)
    held = panel.at(10 * DEBOUNCE_MS)
    assert (held.pulled, held.touching) == (False, True)  # a device may be laid down on skin
    panel.at(300, trigger=0)
    panel.at(300 + DEBOUNCE_MS)
    panel.at(350, trigger=1)
    assert panel.at(350 + DEBOUNCE_MS).pulled


@pytest.mark.parametrize("name", ["guard", "contact", "plunger_home"])
def test_each_input_has_the_bit_of_its_pin(name: str):
    panel = Panel()
    assert panel.inputs.masks[name] == 2 ** getattr(board, name.upper())
    assert not panel.inputs.on(name)
    assert panel.at(1, **{name: 1}).on(name)
    assert panel.inputs.now == panel.inputs.mask([name])


@pytest.mark.requirement("R14")
def test_each_poll_is_counted_from_none_on():
    panel = Panel()
    assert panel.inputs.polls == 0
    assert [panel.at(ms).polls for ms in (1, 2, 2)] == [1, 2, 3]
