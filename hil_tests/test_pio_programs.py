"""The cycle tables of docs/motion.md, row by row: the shipping image's programs clock by clock.

A tick is one system clock here, but for the dead-man. Clocks are counted from the clock of the
first instruction.
"""

import re
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from mesodrive_rig.bench.motion.block_bench import load_firmware
from mesodrive_rig.emulated.pio_block import PioBlock
from mesodrive_rig.emulated.rig import ROOT, load_board

pytestmark = pytest.mark.hil

BOARD = load_board()
PLUNGER, STRIKE, DEPTH, PLUNGER_COUNT, DEPTH_COUNT, DEAD_MAN = 0, 1, 2, 4, 5, 6
STEP_PIN = {PLUNGER: BOARD.PLUNGER_STEP, DEPTH: BOARD.DEPTH_STEP}
COUNTER = {PLUNGER: PLUNGER_COUNT, DEPTH: DEPTH_COUNT}
AXES = pytest.mark.parametrize("axis", [PLUNGER, DEPTH], ids=["plunger", "depth"])
DELAYS = pytest.mark.parametrize("delay", [0, 1, 2, 50])

GATED = 1 << 31  # of a step pair: it waits for the strike
OFF, HOLD, PEAK, GATE = 0b00, 0b01, 0b11, 0b100  # of a strike word
GATE_FLAG = 1 << 4
HIGH = 16  # clocks of a step pulse
SYNCHRONISER = 2  # clocks of the chip's input synchroniser, which the emulator leaves out
CLOCKS_MS = 125_000
DEAD_MAN_TICK = 62_500  # clocks

# Registers: RP2040 datasheet 3.7 and, of a DMA channel, 2.5.7
FSTAT, RXF, INSTR_MEM = 0x04, 0x20, 0x48
EXECCTRL, SHIFTCTRL, ADDR, PINCTRL = 0xCC, 0xD0, 0xD4, 0xDC
RX_EMPTY = 1 << 8
NO_TREQ = 0x3F
MOV_ISR_X, PUSH, SET_X_0, SET_PINS_0 = 0xA0C1, 0x8000, 0xE020, 0xE000

CONDITIONS = ("", "not_x", "x_dec", "not_y", "y_dec", "x_not_y", "pin", "not_osre")
SOURCES = ("pins", "x", "y", "null", "", "status", "isr", "osr")
DESTINATIONS = ("pins", "x", "y", "null", "pindirs", "pc", "isr", "exec")


class Row(NamedTuple):
    """An instruction as MicroPython writes it, but jumps go to places; its delay and side-set."""

    instruction: str
    delay: int
    side: int


class Documented(NamedTuple):
    row: Row
    ticks: int


def documented(heading: str, columns: str) -> list[Documented]:
    """The table under `heading`; the columns after the instruction are `columns`."""
    text = (ROOT / "docs" / "motion.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if re.match(r"\| \d+ \|", line)]
    cells = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines]
    places = {label: place for place, label, *_ in cells if label}
    table: list[Documented] = []
    for _, _, code, *others in cells:
        match = re.fullmatch(r"`(\w+)\((.*)\)(?:\[(\d+)\])?`", code)
        assert match, code
        arguments = ", ".join(places.get(word, word) for word in match[2].split(", "))
        other = dict(zip(columns.split(), others, strict=False))
        row = Row(f"{match[1]}({arguments})", int(match[3] or 0), int(other.get("STEP", 0)))
        table.append(Documented(row, int(other["ticks"].split(",")[0])))
    return table


STEP_TABLE = documented("The step program", "STEP ticks")
STRIKE_TABLE = documented("The strike program", "ticks")
# These two are in the text: no row is longer than a tick.
COUNT_ROWS = [
    Row("wait(1, pin, 0)", 0, 0),
    Row("jmp(x_dec, 2)", 0, 0),
    Row("wait(0, pin, 0)", 0, 0),
]
DEAD_MAN_ROWS = [
    Row("pull(block)", 0, 0),
    Row("mov(x, osr)", 0, 0),
    Row("set(pins, 1)", 0, 0),
    Row("pull(noblock)", 0, 0),
    Row("mov(x, osr)", 0, 0),
    Row("jmp(x_dec, 3)", 0, 0),
    Row("set(pins, 0)", 0, 0),
]
PROGRAMS = {
    PLUNGER: [row for row, _ in STEP_TABLE],
    STRIKE: [row for row, _ in STRIKE_TABLE],
    DEPTH: [row for row, _ in STEP_TABLE],
    PLUNGER_COUNT: COUNT_ROWS,
    DEPTH_COUNT: COUNT_ROWS,
    DEAD_MAN: DEAD_MAN_ROWS,
}
NAMES = {
    PLUNGER: "plunger",
    STRIKE: "strike",
    DEPTH: "depth",
    PLUNGER_COUNT: "plunger count",
    DEPTH_COUNT: "depth count",
    DEAD_MAN: "dead-man",
}


class Bench:
    """A block that goes clock by clock, and a look at its registers."""

    def __init__(self) -> None:
        self.block = PioBlock(leap=False)
        self._pios: list[Any] = self.block._pios  # pyright: ignore[reportPrivateUsage]
        self.memory: list[list[int]] = [list(pio.instructions) for pio in self._pios]
        self.first = {machine: self.register(machine, ADDR) for machine in PROGRAMS}
        for machine in COUNTER.values():  # they have run up to their first wait
            self.first[machine] = self.wrap(machine)[0]
        self.first[DEAD_MAN] = self.wrap(DEAD_MAN)[0]

    def register(self, machine: int, offset: int) -> int:
        if offset >= EXECCTRL:
            offset += 0x18 * (machine % 4)
        return self._pios[machine // 4].read_uint32(offset)

    def wrap(self, machine: int) -> tuple[int, int]:
        """Where the program begins again, and after which instruction."""
        control = self.register(machine, EXECCTRL)
        return control >> 7 & 0x1F, control >> 12 & 0x1F

    def dma_requests(self) -> dict[int, int]:
        """What paces each channel that is set up."""
        dma = self._pios[0].rp2040.dma
        controls = {number: dma.read_uint32(0x40 * number + 0x10) for number in range(12)}
        return {number: ctrl >> 15 & 0x3F for number, ctrl in controls.items() if ctrl & 1}

    def fresh(self, *, leap: bool = False) -> PioBlock:
        """As after boot, the interlock closed and the needle seen out."""
        block = self.block
        block.leap = leap
        for machine in (PLUNGER, STRIKE, DEPTH):
            block.rewind(machine)
        block.clear_flags(0)
        block.drive(BOARD.INTERLOCK, True)
        block.drive(BOARD.NEEDLE_OUT, True)
        block.run(10)
        block.edges.clear()
        return block

    def place(self, machine: int) -> int:
        """Which row of its program comes next."""
        return self.register(machine, ADDR) - self.first[machine]

    def trace(self, machine: int, clocks: int) -> list[tuple[int, int]]:
        """(place, ticks) of each instruction that the next `clocks` see to its end; what one
        waits is not among its ticks."""
        at: list[tuple[int, int]] = []  # place, clock, less all that was waited until then
        waited = 0
        for _ in range(clocks):
            before = self.place(machine)
            self.block.run(1)
            if self.block.stalled(machine):
                waited += 1
            elif self.place(machine) != before:
                at.append((before, self.block.clock - waited))
        return [(place, until - now) for (place, now), (_, until) in pairwise(at)]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def strike_word(levels: int, delay: int) -> int:
    return delay << 3 | levels


def decoded(code: int, origin: int, side_bits: int) -> Row:
    """One encoded instruction: RP2040 datasheet 3.4."""
    field = code >> 8 & 0x1F
    delay_bits = 5 - side_bits
    upper, lower = code >> 5 & 0b111, code & 0x1F
    match code >> 13:
        case 0b000:
            text = f"jmp({CONDITIONS[upper]}, {lower - origin})".replace("(, ", "(")
        case 0b001:
            text = f"wait({code >> 7 & 1}, {('gpio', 'pin', 'irq')[upper & 0b11]}, {lower})"
        case 0b010:
            text = f"in_({SOURCES[upper]}, {lower or 32})"
        case 0b011:
            text = f"out({DESTINATIONS[upper]}, {lower or 32})"
        case 0b100:
            assert code >> 7 & 1, "no program pushes"
            text = f"pull({'block' if upper & 1 else 'noblock'})"
        case 0b101:
            text = f"mov({DESTINATIONS[upper]}, {SOURCES[lower & 0b111]})"
            text = text.replace("mov(y, y)", "nop()")
        case 0b110:
            assert not upper, "no program clears a flag or waits for one to be cleared"
            text = f"irq(rel({lower & 0b111}))" if lower & 0x10 else f"irq({lower})"
        case _:
            text = f"set({DESTINATIONS[upper]}, {lower})"
    return Row(text, field & (1 << delay_bits) - 1, field >> delay_bits)


# the rows


@pytest.mark.parametrize(
    ("machine", "place"),
    [(machine, place) for machine, rows in PROGRAMS.items() for place in range(len(rows))],
    ids=[f"{NAMES[machine]}-{n}" for machine, rows in PROGRAMS.items() for n in range(len(rows))],
)
def test_the_image_has_the_documented_instruction_at_its_place(
    bench: Bench, machine: int, place: int
):
    origin = bench.first[machine]
    side_bits = bench.register(machine, PINCTRL) >> 29
    code = bench.memory[machine // 4][origin + place]
    assert decoded(code, origin, side_bits) == PROGRAMS[machine][place]


@pytest.fixture(scope="module")
def ticks(bench: Bench) -> dict[tuple[int, int], set[int]]:
    """All ticks that were seen of each (machine, place), on every way through the programs."""
    seen: dict[tuple[int, int], set[int]] = {}

    def watch(machine: int, clocks: int) -> None:
        for place, count in bench.trace(machine, clocks):
            seen.setdefault((machine, place), set()).add(count)

    for needle_out in (True, False):  # a gate that is open, then steps of two pairs, then a fall
        block = bench.fresh()
        block.drive(BOARD.NEEDLE_OUT, needle_out)
        block.put(STRIKE, [strike_word(GATE, 0), strike_word(OFF, 0)])
        block.start(STRIKE)
        block.run(30)
        block.put(PLUNGER, [GATED | 1, 2, 0, 1, 5, 30])
        block.start(PLUNGER)
        watch(PLUNGER, 150)
        block.drive(BOARD.INTERLOCK, False)
        watch(PLUNGER, 100)
    for word in (strike_word(PEAK, 3), strike_word(HOLD | GATE, 3)):
        block = bench.fresh()
        block.put(STRIKE, [word] * 4)
        block.start(STRIKE)
        watch(STRIKE, 40)
        block.drive(BOARD.INTERLOCK, False)
        watch(STRIKE, 40)
    return seen


@pytest.mark.parametrize("place", range(len(STEP_TABLE)))
def test_a_step_instruction_takes_the_ticks_of_its_row(
    ticks: dict[tuple[int, int], set[int]], place: int
):
    assert ticks[PLUNGER, place] == {STEP_TABLE[place].ticks}


@pytest.mark.parametrize("place", range(len(STRIKE_TABLE)))
def test_a_strike_instruction_takes_the_ticks_of_its_row(
    ticks: dict[tuple[int, int], set[int]], place: int
):
    assert ticks[STRIKE, place] == {STRIKE_TABLE[place].ticks}


# steps


def pulses(block: PioBlock, gpio: int, start: int = 0) -> tuple[list[int], list[int]]:
    """Clocks of the rises and of the falls at a pin."""
    edges = [edge for edge in block.edges if edge.gpio == gpio]
    assert [edge.level for edge in edges] == [number % 2 == 0 for number in range(len(edges))]
    clocks = [edge.clock - start for edge in edges]
    return clocks[::2], clocks[1::2]


def step(bench: Bench, axis: int, words: list[int]) -> tuple[list[int], list[int]]:
    block = bench.fresh()
    block.feed(axis, words)
    start = block.start(axis)
    assert block.run_until_stalled(axis, within=10_000)
    return pulses(block, STEP_PIN[axis], start)


@AXES
@DELAYS
def test_the_first_step_comes_10_ticks_and_2_for_each_delay_after_the_start(
    bench: Bench, axis: int, delay: int
):
    rises, _ = step(bench, axis, [0, delay])
    assert rises == [10 + 2 * delay]


@AXES
@DELAYS
def test_steps_of_a_pair_are_26_ticks_and_2_for_each_delay_apart(
    bench: Bench, axis: int, delay: int
):
    rises, _ = step(bench, axis, [4, delay])
    assert [b - a for a, b in pairwise(rises)] == [26 + 2 * delay] * 4


@AXES
@DELAYS
def test_a_new_pair_costs_nothing_more(bench: Bench, axis: int, delay: int):
    rises, _ = step(bench, axis, [0, 9, 0, delay, 0, delay])
    assert [b - a for a, b in pairwise(rises)] == [26 + 2 * delay] * 2


@AXES
@DELAYS
def test_a_pulse_is_high_for_16_ticks(bench: Bench, axis: int, delay: int):
    rises, falls = step(bench, axis, [2, delay, 0, 0, 1, delay])
    assert [fall - rise for rise, fall in zip(rises, falls, strict=True)] == [HIGH] * 6


def gated_rise(bench: Bench, delay: int) -> tuple[int, list[int]]:
    """When the strike's irq was carried out, and the rises of a plunger pair that waited."""
    block = bench.fresh()
    block.put(PLUNGER, [GATED | 0, delay])
    start = block.start(PLUNGER)
    block.run(40)
    block.put(STRIKE, [strike_word(HOLD | GATE, 100), strike_word(OFF, 0)])
    block.start(STRIKE)
    for _ in range(20):
        if bench.place(STRIKE) == 5:  # the one behind the irq
            break
        block.run(1)
    raised = block.clock - start
    block.run(1000)
    return raised, pulses(block, STEP_PIN[PLUNGER], start)[0]


@DELAYS
def test_a_gated_step_comes_12_ticks_and_2_for_each_delay_after_the_gate(bench: Bench, delay: int):
    raised, rises = gated_rise(bench, delay)
    assert [rise - raised for rise in rises] == [12 + 2 * delay]


@pytest.mark.requirement("R25")
def test_without_the_strike_a_gated_step_never_comes(bench: Bench):
    block = bench.fresh()
    block.put(PLUNGER, [GATED | 0, 0])
    block.start(PLUNGER)
    block.run(5_000)
    assert block.edges == []
    assert bench.place(PLUNGER) == 4
    assert not block.flags(0)


@pytest.mark.requirement("R25")
def test_a_gate_lets_one_dose_begin(bench: Bench):
    block = bench.fresh()
    block.put(PLUNGER, [GATED | 2, 0, GATED | 2, 0])
    block.put(STRIKE, [strike_word(HOLD | GATE, 500), strike_word(HOLD | GATE, 500)])
    block.start(PLUNGER, STRIKE)
    block.run(900)
    assert len(pulses(block, STEP_PIN[PLUNGER])[0]) == 3
    assert not block.flags(0) & GATE_FLAG
    block.run(900)
    assert len(pulses(block, STEP_PIN[PLUNGER])[0]) == 6


SAMPLED = 3  # ticks after the irq at which NEEDLE_OUT is looked at


@pytest.mark.requirement("R25")
@pytest.mark.parametrize(
    ("changes", "level", "given"),
    [
        (SAMPLED - 1, False, False),
        (SAMPLED, False, True),
        (SAMPLED - 1, True, True),
        (SAMPLED, True, False),
    ],
    ids=["lost just before", "lost just after", "seen just before", "seen just after"],
)
def test_a_dose_begins_only_if_the_needle_is_seen_out_at_its_tick(
    bench: Bench, changes: int, level: bool, given: bool
):
    block = bench.fresh()
    block.drive(BOARD.NEEDLE_OUT, not level)
    block.put(PLUNGER, [GATED | 4, 0])
    block.put(STRIKE, [strike_word(HOLD | GATE, 500), strike_word(OFF, 0)])
    block.start(PLUNGER, STRIKE)
    block.run(5)  # the last is the irq
    assert block.flags(0) & GATE_FLAG
    block.run(changes)
    block.drive(BOARD.NEEDLE_OUT, level)
    block.run(400)
    block.drive(BOARD.NEEDLE_OUT, True)  # too late
    block.run(400)
    assert len(pulses(block, STEP_PIN[PLUNGER])[0]) == (5 if given else 0)
    assert bool(block.flags(0) & 1 << PLUNGER) is not given


@AXES
def test_a_move_without_a_gate_asks_neither_strike_nor_needle(bench: Bench, axis: int):
    block = bench.fresh()
    block.drive(BOARD.NEEDLE_OUT, False)
    block.put(axis, [4, 0])
    block.start(axis)
    block.run(500)
    assert len(pulses(block, STEP_PIN[axis])[0]) == 5


def test_the_planner_is_told_what_the_step_program_costs(bench: Bench):
    timing = load_firmware().step_timing
    rises, _ = step(bench, PLUNGER, [1, 0, 0, 0])
    assert timing.hz * 2 * 8 == 1_000_000_000  # a count is two ticks of 8 ns
    assert 2 * timing.first == rises[0]
    assert 2 * timing.between == rises[1] - rises[0] == rises[2] - rises[1]


# strikes


def strike(bench: Bench, words: list[int], clocks: int) -> list[tuple[int, int]]:
    """(clock, level) whenever STRIKE and PEAK, as two bits, have changed."""
    block = bench.fresh()
    block.put(STRIKE, words)
    start = block.start(STRIKE)
    changes = [(0, OFF)]
    for _ in range(clocks):
        block.run(1)
        level = block.level(BOARD.STRIKE) | block.level(BOARD.STRIKE_PEAK) << 1
        if level != changes[-1][1]:
            changes.append((block.clock - start, level))
    return changes[1:]


@DELAYS
def test_a_level_begins_a_tick_after_the_start_and_lasts_8_and_2_for_each_delay(
    bench: Bench, delay: int
):
    words = [strike_word(PEAK, delay), strike_word(HOLD, delay), strike_word(OFF, 0)]
    lasts = 8 + 2 * delay
    changes = strike(bench, words, 400)
    assert changes == [(1, PEAK), (1 + lasts, HOLD), (1 + 2 * lasts, OFF)]


@DELAYS
def test_a_level_that_lets_the_dose_begin_lasts_a_count_more(bench: Bench, delay: int):
    words = [strike_word(HOLD | GATE, delay), strike_word(OFF, 0)]
    assert strike(bench, words, 400) == [(1, HOLD), (1 + 8 + 2 * delay + 2, OFF)]


@pytest.mark.parametrize("gate", [0, GATE], ids=["without", "with"])
def test_only_a_word_with_the_gate_raises_its_flag_three_ticks_after_the_edge(
    bench: Bench, gate: int
):
    block = bench.fresh()
    block.put(STRIKE, [strike_word(HOLD | gate, 50)])
    start = block.start(STRIKE)
    raised = 0
    while not raised and block.clock < start + 100:
        block.run(1)
        raised = block.clock - start if block.flags(0) & GATE_FLAG else 0
    assert raised == (1 + 3 if gate else 0)


def test_the_longest_word_lasts_eight_and_a_half_seconds(bench: Bench):
    block = bench.fresh(leap=True)
    longest = (1 << 29) - 1
    block.put(STRIKE, [strike_word(HOLD, longest), strike_word(OFF, 0)])
    block.start(STRIKE)
    assert block.run_until_stalled(STRIKE, within=2 << 30)
    (rise,), (fall,) = pulses(block, BOARD.STRIKE)
    assert fall - rise == 8 + 2 * longest
    assert 8.5 < (fall - rise) / (1000 * CLOCKS_MS) < 8.6


def test_the_planner_is_told_what_the_strike_program_costs(bench: Bench):
    timing = load_firmware().strike_timing
    words = [strike_word(PEAK, 0), strike_word(HOLD | GATE, 0), strike_word(OFF, 0)]
    (peak, _), (hold, _), (off, _) = strike(bench, words, 100)
    assert timing.hz * 2 * 8 == 1_000_000_000
    assert [2 * timing.word, 2 * (timing.word + timing.gate)] == [hold - peak, off - hold]


# the counters


def counted(bench: Bench, counter: int) -> int:
    """As the firmware reads it: copied out of the running machine, and negative."""
    block = bench.block
    assert bench.register(counter, FSTAT) & RX_EMPTY << counter % 4
    block.execute(counter, MOV_ISR_X)
    block.execute(counter, PUSH)
    return -bench.register(counter, RXF + 4 * (counter % 4)) & 0xFFFFFFFF


@pytest.mark.requirement("R10")
@AXES
def test_a_counter_counts_each_pulse_of_its_own_axis_once_at_the_top_rate(bench: Bench, axis: int):
    block = bench.fresh()
    before = {each: counted(bench, counter) for each, counter in COUNTER.items()}
    block.feed(axis, [99, 0])
    block.start(axis)
    assert block.run_until_stalled(axis, within=5_000)
    block.run(3)
    after = {each: counted(bench, counter) for each, counter in COUNTER.items()}
    assert {each: after[each] - before[each] for each in COUNTER} == {
        each: 100 if each == axis else 0 for each in COUNTER
    }


def test_reading_a_counter_in_any_tick_disturbs_nothing_and_is_never_behind_by_more_than_3(
    bench: Bench,
):
    block = bench.fresh()
    before = counted(bench, PLUNGER_COUNT)
    block.feed(PLUNGER, [49, 0])
    block.start(PLUNGER)
    for _ in range(50 * 26 + 20):
        block.run(1)
        seen = counted(bench, PLUNGER_COUNT) - before
        rises = pulses(block, STEP_PIN[PLUNGER])[0]
        assert len([clock for clock in rises if clock <= block.clock - 3]) <= seen <= len(rises)
    assert counted(bench, PLUNGER_COUNT) - before == 50


# the dead-man


def dead_man(bench: Bench, kicks: list[tuple[int, int]], clocks: int) -> tuple[int, list[int]]:
    """Kick with `rounds` at each clock of `kicks`; the last kick's clock, and ENABLE's edges.

    Leapt: it takes an instruction in 62,500 clocks.
    """
    block = bench.fresh(leap=True)
    block.rewind(DEAD_MAN)
    block.start(DEAD_MAN)
    block.edges.clear()
    start = kicked = block.clock
    for at, rounds in kicks:
        block.run_until(start + at)
        kicked = block.clock
        block.put(DEAD_MAN, [rounds])
    block.run_until(start + clocks)
    return kicked, [edge.clock for edge in block.edges if edge.gpio == BOARD.ENABLE]


def test_a_kick_holds_enable_for_3_ticks_a_round(bench: Bench):
    kicked, (rise, fall) = dead_man(bench, [(100, 2)], 20 * DEAD_MAN_TICK)
    assert 2 * DEAD_MAN_TICK < rise - kicked <= 3 * DEAD_MAN_TICK
    assert fall - rise == (3 * (2 + 1) + 1) * DEAD_MAN_TICK


@pytest.mark.parametrize("phase", range(0, 3 * DEAD_MAN_TICK, DEAD_MAN_TICK // 2))
def test_a_kick_meanwhile_starts_the_count_afresh(bench: Bench, phase: int):
    second = 5 * DEAD_MAN_TICK + phase
    kicked, (_, fall) = dead_man(bench, [(100, 3), (second, 3)], 30 * DEAD_MAN_TICK)
    waits = fall - kicked - 3 * (3 + 1) * DEAD_MAN_TICK
    assert 0 < waits <= 3 * DEAD_MAN_TICK  # for its turn


@pytest.mark.requirement("R3", "R14")
def test_enable_falls_by_itself_after_the_documented_time(bench: Bench):
    rounds = (200 * 2_000 // 1_000 - 6) // 3  # as the firmware works it out
    for kicks in ([(100, rounds)], [(0, rounds), (20_000_100, rounds)]):
        kicked, (_, fall) = dead_man(bench, kicks, 60_000_000)
        assert 198 * CLOCKS_MS <= fall - kicked <= 200 * CLOCKS_MS


def test_a_drop_takes_enable_low_at_once(bench: Bench):
    _, edges = dead_man(bench, [(100, 50)], 10 * DEAD_MAN_TICK)
    assert len(edges) == 1
    block = bench.block
    block.rewind(DEAD_MAN)
    assert not block.level(BOARD.ENABLE)
    block.start(DEAD_MAN)
    block.run(10 * DEAD_MAN_TICK)
    assert not block.level(BOARD.ENABLE)


# the interlock


class Fall(NamedTuple):
    """The line fell after `clock`; what came later, in clocks after it, the synchroniser's
    included."""

    clock: int
    rises: list[int]
    falls: list[int]
    levels: int
    steps_off: int
    pulses: list[int]  # of a step pin: how long each was high, those before the fall too


def fall_at(bench: Bench, machine: int, words: list[int], clock: int) -> Fall:
    """Edges of `machine` after a fall of the line; it comes back later, in vain."""
    block = bench.fresh()
    counter = COUNTER.get(machine)
    before = counted(bench, counter) if counter else 0
    block.feed(machine, words)
    start = block.start(machine)
    block.run_until(start + clock)
    block.drive(BOARD.INTERLOCK, False)
    block.run(100)
    last = len(block.edges)
    assert block.flags(0) & 0b1111 == 1 << machine
    block.drive(BOARD.INTERLOCK, True)
    block.run(200)
    assert len(block.edges) == last
    assert block.flags(0) & 0b1111 == 1 << machine
    late = [edge for edge in block.edges if edge.clock > start + clock]
    since = start + clock - SYNCHRONISER
    return Fall(
        clock,
        [edge.clock - since for edge in late if edge.level],
        [edge.clock - since for edge in late if not edge.level],
        len({edge.clock for edge in late}),
        counted(bench, counter) - before - sum(edge.level for edge in block.edges)
        if counter
        else 0,
        [low.clock - high.clock for high, low in pairwise(block.edges) if high.level],
    )


# two pairs, each with a short wait: the last test of the line is a few ticks before their end
STEP_WORDS = [1, 4, 1, 3, 5, 40]


@pytest.fixture(scope="module")
def step_falls(bench: Bench) -> list[Fall]:
    return [fall_at(bench, PLUNGER, STEP_WORDS, clock) for clock in range(-1, 150)]


@pytest.mark.requirement("R3")
def test_after_the_line_falls_a_step_rises_within_4_ticks_or_never(step_falls: list[Fall]):
    assert max(rise for fall in step_falls for rise in fall.rises) == SYNCHRONISER + 2
    assert max(len(fall.rises) for fall in step_falls) == 1


@pytest.mark.requirement("R3")
def test_after_the_line_falls_a_pulse_is_over_within_20_ticks(step_falls: list[Fall]):
    assert max(low for fall in step_falls for low in fall.falls) == SYNCHRONISER + 2 + HIGH


@pytest.mark.requirement("R10")
def test_a_line_that_falls_cuts_no_pulse_short(step_falls: list[Fall]):
    assert sum(len(fall.pulses) for fall in step_falls) > len(step_falls)
    assert min(high for fall in step_falls for high in fall.pulses) == HIGH


@pytest.mark.requirement("R10")
def test_after_the_line_falls_counter_and_pin_agree(step_falls: list[Fall]):
    assert {fall.steps_off for fall in step_falls} == {0}


PEAK_DELAY, HOLD_DELAY = 20, 15
STRIKE_WORDS = [
    strike_word(PEAK, PEAK_DELAY),
    strike_word(HOLD | GATE, HOLD_DELAY),
    strike_word(HOLD, 1000),
]
HOLD_BEGINS = 1 + 8 + 2 * PEAK_DELAY


@pytest.fixture(scope="module")
def strike_falls(bench: Bench) -> list[Fall]:
    return [fall_at(bench, STRIKE, STRIKE_WORDS, clock) for clock in range(-1, 130)]


def within_a_level(clock: int) -> bool:
    """The line is tested in the level that the fall came in, and had been before."""
    since = clock - HOLD_BEGINS if clock >= HOLD_BEGINS else clock - 1
    length = 8 + 2 * PEAK_DELAY if clock < HOLD_BEGINS else 8 + 2 * HOLD_DELAY + 2
    first_test = 5 if clock < HOLD_BEGINS else 7
    return first_test <= since < length - 3


@pytest.mark.requirement("R3")
def test_within_a_level_strike_and_peak_fall_within_5_ticks(strike_falls: list[Fall]):
    falls = [fall for fall in strike_falls if fall.clock < 90 and within_a_level(fall.clock)]
    assert len(falls) > 50
    assert max(low for fall in falls for low in fall.falls) == SYNCHRONISER + 3
    assert {fall.levels for fall in falls} == {1}
    assert not any(fall.rises for fall in falls)


@pytest.mark.requirement("R3")
def test_at_a_change_of_level_strike_and_peak_fall_within_13_ticks(strike_falls: list[Fall]):
    assert max(low for fall in strike_falls for low in fall.falls) == SYNCHRONISER + 11
    assert max(fall.levels for fall in strike_falls) == 2


@pytest.mark.requirement("R3")
def test_a_strike_that_starts_as_the_line_falls_is_off_again_within_13_ticks(
    strike_falls: list[Fall],
):
    first = strike_falls[0]
    assert first.clock == -1
    assert first.rises == [SYNCHRONISER + 2] * 2
    assert first.falls == [SYNCHRONISER + 8] * 2


# the budgets


def test_the_programs_take_29_of_32_and_10_of_32_instructions(bench: Bench):
    for block, (used, shared) in enumerate([(29, (PLUNGER, DEPTH)), (10, (4, 5))]):
        machines = [machine for machine in PROGRAMS if machine // 4 == block]
        places = {
            bench.first[machine] + place
            for machine in machines
            for place in range(len(PROGRAMS[machine]))
        }
        assert len(places) == used
        assert {place for place, code in enumerate(bench.memory[block]) if code} <= places
        assert len({bench.first[machine] for machine in shared}) == 1


def pins(bench: Bench, machine: int) -> dict[str, int]:
    """The pins that the program of `machine` can touch, from its registers."""
    control = bench.register(machine, PINCTRL)
    named: dict[str, int] = {}
    text = " ".join(row.instruction for row in PROGRAMS[machine])
    if control >> 29:
        named["side"] = control >> 10 & 0x1F
    if "in_(pins" in text or "pin, 0" in text:
        named["in"] = control >> 15 & 0x1F
    if "out(pins" in text:
        named["out"] = control & 0x1F
        named["out count"] = control >> 20 & 0x3F
    if "set(pins" in text:
        named["set"] = control >> 5 & 0x1F
        named["set count"] = control >> 26 & 0b111
    if "jmp(pin" in text:
        named["jmp"] = bench.register(machine, EXECCTRL) >> 24 & 0x1F
    return named


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (PLUNGER, {"side": 2, "in": 17, "jmp": 9}),
        (STRIKE, {"out": 6, "out count": 2, "set": 6, "set count": 2, "jmp": 9}),
        (DEPTH, {"side": 4, "in": 17, "jmp": 9}),
        (PLUNGER_COUNT, {"in": 2}),
        (DEPTH_COUNT, {"in": 4}),
        (DEAD_MAN, {"set": 8, "set count": 1}),
    ],
    ids=list(NAMES.values()),
)
def test_a_machine_has_the_pins_of_the_budget(
    bench: Bench, machine: int, expected: dict[str, int]
):
    assert pins(bench, machine) == expected


def test_one_dma_channel_feeds_each_axis_and_none_the_strike(bench: Bench):
    assert sorted(bench.dma_requests().values()) == [PLUNGER, DEPTH]


@pytest.mark.parametrize("machine", [PLUNGER, STRIKE, DEPTH], ids=["plunger", "strike", "depth"])
def test_the_queue_of_a_machine_that_makes_pulses_is_eight_words_deep(bench: Bench, machine: int):
    block = bench.fresh()
    block.put(machine, range(9))
    assert block.queued(machine) == 8
    assert bench.register(machine, SHIFTCTRL) >> 30 == 0b01


def test_the_fourth_machine_of_each_block_is_free(bench: Bench):
    assert [bench.register(machine, 0x00) >> 3 & 1 for machine in (3, 7)] == [0, 0]
