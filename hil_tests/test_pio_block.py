"""The PIO blocks clock by clock: what the harness shows is what the chip's PIO would do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesodrive_rig.emulated.pio_block import Edge, PioBlock
from mesodrive_rig.emulated.rig import load_board

pytestmark = pytest.mark.hil

BOARD = load_board()
PLUNGER, STRIKE, DEPTH = 0, 1, 2
COUNTER = {PLUNGER: 4, DEPTH: 5}
STEP = {PLUNGER: BOARD.PLUNGER_STEP, DEPTH: BOARD.DEPTH_STEP}
GATED = 1 << 31
GATES = 0b100  # of a strike word: it lets a gated dose begin

SET_X_0 = 0xE020

Words = list[int]


@pytest.fixture(scope="module")
def block() -> PioBlock:
    return PioBlock()


def fresh(block: PioBlock, *, leap: bool = True) -> PioBlock:
    """`block` as after boot, the interlock closed and the needle seen out."""
    for machine in (PLUNGER, STRIKE, DEPTH):
        block.rewind(machine)
        block.execute(machine, SET_X_0)
    block.drive(BOARD.INTERLOCK, True)
    block.drive(BOARD.NEEDLE_OUT, True)
    block.run(100)
    block.edges.clear()
    block.leap = leap
    return block


def since(clock: int, edges: list[Edge]) -> list[Edge]:
    return [edge._replace(clock=edge.clock - clock) for edge in edges]


def strike_word(level: int, delay: int, *, gates: bool = False) -> int:
    return delay << 3 | (GATES if gates else 0) | level


# a step is 26 clocks and 2 for each delay; what the program costs is for its own tests
pairs = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 40)), min_size=1, max_size=12)
strikes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 300)), min_size=1, max_size=12)


def play(
    block: PioBlock, leap: bool, moves: dict[int, Words], cut: int, again: int
) -> list[tuple[object, ...]]:
    """Everything that is seen of `moves` while the interlock falls after `cut` clocks, and
    machines are stopped and started `again` clocks later."""
    fresh(block, leap=leap)
    before = {axis: block.x(machine) for axis, machine in COUNTER.items()}
    for machine, words in moves.items():
        block.feed(machine, words)
    start = block.start(*moves)
    block.run(cut)
    seen: list[tuple[object, ...]] = [
        (block.x(machine), block.stalled(machine)) for machine in moves
    ]
    block.drive(BOARD.INTERLOCK, False)
    block.run(again)
    block.drive(BOARD.INTERLOCK, True)
    block.stop(*moves)
    block.run(50)
    block.start(*moves)
    block.run(2000)
    seen += since(start, block.edges)
    seen += [(block.x(machine), block.queued(machine)) for machine in moves]
    seen += [(before[axis] - block.x(machine) & 0xFFFFFFFF,) for axis, machine in COUNTER.items()]
    return [*seen, (block.flags(0),)]


@settings(max_examples=150, deadline=None)
@given(pairs, pairs, strikes, st.integers(0, 1500), st.integers(0, 60), st.booleans())
def test_leaping_shows_the_same_as_going_clock_by_clock(
    block: PioBlock,
    plunger: list[tuple[int, int]],
    depth: list[tuple[int, int]],
    strike: list[tuple[int, int]],
    cut: int,
    again: int,
    gated: bool,
):
    moves = {
        PLUNGER: [word for steps, delay in plunger for word in (steps - 1, delay)],
        DEPTH: [word for steps, delay in depth for word in (steps - 1, delay)],
        STRIKE: [strike_word(level, delay) for level, delay in strike],
    }
    if gated:
        moves[PLUNGER][0] |= GATED
        moves[STRIKE][0] |= GATES
    assert play(block, True, moves, cut, again) == play(block, False, moves, cut, again)


@pytest.mark.parametrize("leap", [False, True], ids=["clock by clock", "leaping"])
def test_machines_that_are_started_together_make_their_edges_in_the_same_clock(
    block: PioBlock, leap: bool
):
    fresh(block, leap=leap)
    block.feed(PLUNGER, [9, 7])
    block.feed(DEPTH, [9, 7])
    block.start(PLUNGER, DEPTH)
    block.run(2000)
    plunger = [edge.clock for edge in block.edges if edge.gpio == STEP[PLUNGER]]
    depth = [edge.clock for edge in block.edges if edge.gpio == STEP[DEPTH]]
    assert len(plunger) == 20
    assert plunger == depth


def test_a_step_comes_when_the_cycle_table_says_and_is_counted(block: PioBlock):
    fresh(block)
    before = block.x(COUNTER[PLUNGER])
    block.feed(PLUNGER, [2, 5])
    start = block.start(PLUNGER)
    assert block.run_until_stalled(PLUNGER, within=1000)
    # 10 clocks to the first rise, 26 between two, 16 of them high, and 2 for each delay
    clocks = [20, 36, 56, 72, 92, 108]
    levels = [True, False] * 3
    assert since(start, block.edges) == [
        Edge(clock, STEP[PLUNGER], level) for clock, level in zip(clocks, levels, strict=True)
    ]
    assert block.clock - start == 108  # the pull that finds nothing makes the last fall
    block.run(10)
    assert before - block.x(COUNTER[PLUNGER]) & 0xFFFFFFFF == 3


@pytest.mark.parametrize("leap", [False, True], ids=["clock by clock", "leaping"])
def test_a_flag_that_is_raised_in_one_clock_is_seen_in_the_next(block: PioBlock, leap: bool):
    fresh(block, leap=leap)
    block.feed(PLUNGER, [GATED | 0, 0])
    block.feed(STRIKE, [strike_word(0b11, 100, gates=True), strike_word(0, 0)])
    start = block.start(PLUNGER, STRIKE)
    block.run(1000)
    (rise,) = [
        edge.clock - start for edge in block.edges if edge.gpio == STEP[PLUNGER] and edge.level
    ]
    raised = 4  # pull, out, out, jmp, and then the irq
    waited = raised + 1
    assert rise == waited + 11  # mov, in, mov, jmp, pull and mov with a clock each, jmp, jmp, nop


def test_a_machine_that_is_off_takes_no_words_and_starts_as_if_it_had_not_waited(
    block: PioBlock,
):
    fresh(block)
    first: list[list[Edge]] = []
    for _ in range(2):  # the second time the machine has stalled before it was switched off
        block.edges.clear()
        block.put(PLUNGER, [0, 3])
        assert block.queued(PLUNGER) == 2
        start = block.start(PLUNGER)
        assert block.run_until_stalled(PLUNGER, within=200)
        block.stop(PLUNGER)
        first.append(since(start, block.edges))
    assert first[0] == first[1]
    assert len(first[0]) == 2


def test_a_joined_queue_has_room_for_eight_words_and_drops_the_ninth(block: PioBlock):
    fresh(block)
    block.put(STRIKE, [strike_word(level, 10) for level in (1, 0) * 4] + [strike_word(1, 10)])
    assert block.queued(STRIKE) == 8
    block.start(STRIKE)
    assert block.run_until_stalled(STRIKE, within=1000)
    assert len(block.edges) == 8


def test_an_interlock_that_falls_latches_a_machine_until_it_is_rewound(block: PioBlock):
    fresh(block)
    block.feed(PLUNGER, [99, 10])
    block.start(PLUNGER)
    block.run(333)
    block.drive(BOARD.INTERLOCK, False)
    fell = block.clock
    block.run(1_000_000)
    assert block.flags(0) & 1 << PLUNGER
    assert all(edge.clock <= fell + 2 for edge in block.edges if edge.level)
    assert not block.level(STEP[PLUNGER])
    steps = len(block.edges)
    block.drive(BOARD.INTERLOCK, True)
    block.run(1000)
    assert len(block.edges) == steps
    fresh(block)
    block.feed(PLUNGER, [0, 0])
    block.start(PLUNGER)
    assert block.run_until_stalled(PLUNGER, within=100)
    assert len(block.edges) == 2


def clocks_until_raised_again(block: PioBlock, after: int, *, leap: bool) -> int:
    """How long the flag of a latched machine stays cleared that is cleared `after` clocks."""
    fresh(block, leap=leap)
    block.drive(BOARD.INTERLOCK, False)
    block.put(PLUNGER, [0, 0])
    block.start(PLUNGER)
    block.run(after)
    assert block.flags(0)
    block.clear_flags(0)
    for clocks in range(1, 5):
        block.run(1)
        if block.flags(0):
            return clocks
    raise AssertionError("the machine is not latched")


def test_a_latched_machine_raises_its_flag_every_other_clock_leapt_or_not(block: PioBlock):
    leapt = [clocks_until_raised_again(block, after, leap=True) for after in range(100, 104)]
    assert leapt in ([1, 2, 1, 2], [2, 1, 2, 1])
    assert leapt == [
        clocks_until_raised_again(block, after, leap=False) for after in range(100, 104)
    ]


def test_a_machine_sees_at_its_start_what_has_changed_while_it_was_off(block: PioBlock):
    fresh(block)
    before = block.x(COUNTER[PLUNGER])
    block.stop(COUNTER[PLUNGER])
    block.put(PLUNGER, [0, 0])
    block.start(PLUNGER)
    block.run(15)
    assert block.level(STEP[PLUNGER])
    assert block.x(COUNTER[PLUNGER]) == before
    block.start(COUNTER[PLUNGER])
    block.run(5)
    assert before - block.x(COUNTER[PLUNGER]) & 0xFFFFFFFF == 1


def test_a_stalled_machine_goes_on_when_it_is_fed_again(block: PioBlock):
    fresh(block)
    block.feed(PLUNGER, [0, 0])
    block.start(PLUNGER)
    assert block.run_until_stalled(PLUNGER, within=100)
    block.run(500)
    block.feed(PLUNGER, [0, 0])
    fed = block.clock
    assert block.run_until_stalled(PLUNGER, within=100)
    rises = [edge.clock for edge in block.edges if edge.level]
    assert rises[1] == fed + 1 + 10  # the pull sees the word in the next clock


def test_what_does_not_stall_in_time_is_told(block: PioBlock):
    fresh(block)
    block.feed(PLUNGER, [99, 10])
    block.start(PLUNGER)
    start = block.clock
    assert not block.run_until_stalled(PLUNGER, within=50)
    assert block.clock == start + 50
