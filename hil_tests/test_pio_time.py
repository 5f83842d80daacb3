"""The whole chip's PIO against the PIO block clock by clock: the same edges, leapt or not."""

import pytest

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.pio_block import CLOCK_NS, PioBlock
from mesodrive_rig.emulated.repl import ServicePrompt
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.plant import Output, Sensor

pytestmark = pytest.mark.hil

# The shipping programs with words of our own, fed by DMA, both machines started by one write.
SET_UP = """
from array import array
import rp2, time
from machine import Pin, mem32
from injector.ports import rp2_programs as programs
HZ = 125_000_000
interlock, needle_out = Pin(9, Pin.IN, Pin.PULL_DOWN), Pin(17, Pin.IN, Pin.PULL_DOWN)
machines = rp2.StateMachine(0), rp2.StateMachine(1)
channels = rp2.DMA(), rp2.DMA()
def shoot(*words):
    mem32[0x50203000] = 3  # both machines off
    mem32[0x50000444] = 0xFFF  # what was left of a shot that was cut
    mem32[0x50200030] = 0xFF  # flags
    machines[0].init(
        programs.step, freq=HZ, sideset_base=Pin(2), in_base=needle_out, jmp_pin=interlock
    )
    machines[1].init(
        programs.strike, freq=HZ, out_base=Pin(6), set_base=Pin(6), jmp_pin=interlock
    )
    for number, dma in enumerate(channels):
        control = dma.pack_ctrl(inc_write=False, treq_sel=number)
        dma.config(
            read=words[number],
            write=machines[number],
            count=len(words[number]),
            ctrl=control,
            trigger=True,
        )
    mem32[0x50202000] = 0x303  # both machines on, their dividers in phase
def hurry(ms):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        pass
"""
# 10 steps each at a pace of its own, 300 in all, behind a gate; a strike with three levels.
STEPS = [word for pace in range(30) for word in (9, 10 + 3 * pace)]
STEPS[0] |= 1 << 31
STRIKE = [2_000 << 3 | 0b111, 9_000 << 3 | 0b001, 500 << 3]
EDGES = 2 * 300 + 3  # the strike's peak and hold fall at different times
MOVING = (Output.PLUNGER_STEP, Output.STRIKE, Output.STRIKE_PEAK)
CUT_NS = 80_345.678  # after the strike's first edge: in mid-dose, between two clocks

Shot = list[tuple[float, int, bool]]


class Bench:
    def __init__(self) -> None:
        self.rig = EmulatedRig(service=True)
        self.edges = EdgeLog(self.rig, MOVING)
        self.prompt = ServicePrompt(self.rig)
        self.prompt.run(SET_UP)
        self.prompt.run(f"words = array('I', {STEPS}), array('I', {STRIKE})")
        self.rig.chip.drive(self.rig.gpio(Sensor.NEEDLE_OUT), True)
        self.rig.chip.on_edge(self.rig.gpio(Output.STRIKE), self._struck)
        self._cut = False

    def shoot(
        self, *, leap: bool = True, cut: bool = False, work: str = "time.sleep_ms(2)"
    ) -> Shot:
        """All edges of one shot in ns from its first, while the chip does `work`; `cut` opens
        the interlock in the middle of it."""
        self.rig.set(Sensor.GUARD, True)
        self.edges.clear()
        self._cut = cut
        self.rig.chip.pio_time.leap = leap
        self.prompt.run(f"shoot(*words)\n{work}")
        self.rig.chip.pio_time.leap = True
        edges = sorted(
            (1e6 * e.time_ms, self.rig.gpio(e.output), e.level) for e in self.edges.edges
        )
        return [(round(ns - edges[0][0], 3), gpio, level) for ns, gpio, level in edges]

    def _struck(self, level: bool) -> None:
        if level and self._cut:
            chip = self.rig.chip
            chip.call_at(chip.now_ns + CUT_NS, lambda: self.rig.set(Sensor.GUARD, False))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="module")
def alone(bench: Bench) -> Shot:
    """The same shot by the PIO block alone."""
    block = PioBlock(leap=False)
    for sensor in (Sensor.INTERLOCK, Sensor.NEEDLE_OUT):
        block.drive(bench.rig.gpio(sensor), True)
    block.feed(0, STEPS)
    block.feed(1, STRIKE)
    block.start(0, 1)
    block.run(60_000)
    first = block.edges[0].clock
    return sorted((CLOCK_NS * (e.clock - first), e.gpio, e.level) for e in block.edges)


@pytest.mark.parametrize("leap", [True, False], ids=["leaping", "clock by clock"])
def test_the_chip_makes_the_edges_of_the_block_alone(bench: Bench, alone: Shot, leap: bool):
    shot = bench.shoot(leap=leap)
    assert len(shot) == EDGES + 1
    assert shot == alone


@pytest.mark.parametrize("work", ["hurry(2)", "import gc\nfor _ in range(3): gc.collect()"])
def test_what_the_cpu_does_meanwhile_moves_no_edge(bench: Bench, alone: Shot, work: str):
    assert bench.shoot(work=work + "\ntime.sleep_ms(2)") == alone


def test_a_shot_that_is_cut_has_the_same_edges_leapt_or_not(bench: Bench, alone: Shot):
    leapt = bench.shoot(cut=True)
    assert 20 < len(leapt) < EDGES - 100
    assert leapt[:-2] == alone[: len(leapt) - 2]
    assert leapt == bench.shoot(leap=False, cut=True)
