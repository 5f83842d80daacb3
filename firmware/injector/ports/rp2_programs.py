"""The three PIO programs and what they cost. docs/motion.md has the cycle table.

Step and strike test the interlock line themselves (`jmp(pin)`, 1 = may move) between any two
edges. When it falls they drop their outputs, latch, and raise their own IRQ flag; nothing but a
new `init` of the state machine makes them run again.
"""

# ruff: noqa: F821
# pyright: reportUndefinedVariable=false

import rp2

from injector.motion import StepTiming
from injector.strike import StrikeTiming

# 5 MHz: 0.2 µs resolution, and a step pulse of 2.2 µs, longer than the 1.9 µs that the slowest
# common driver wants (DRV8825 datasheet, t_WH(STEP)).
TICK_HZ = 5_000_000
_HIGH_TICKS = 11

STEP_TIMING = StepTiming(TICK_HZ, first=6, fresh=6 + _HIGH_TICKS, same=3 + _HIGH_TICKS)
STRIKE_TIMING = StrikeTiming(TICK_HZ, first=1, word=5)


@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW)
def step():
    wrap_target()
    pull(block).side(0)
    mov(x, osr).side(0)
    pull(block).side(0)
    label("again")
    mov(y, osr).side(0)
    label("low")
    jmp(pin, "may").side(0)
    label("stopped")
    irq(rel(0)).side(0)
    jmp("stopped").side(0)
    label("may")
    jmp(y_dec, "low").side(0)
    nop().side(1)[9]  # _HIGH_TICKS - 2: the assembler hides this module's names
    jmp(x_dec, "again").side(1)
    wrap()


@rp2.asm_pio(
    # A tuple is what rp2.py takes for more than one pin; the stubs know lists only.
    out_init=(rp2.PIO.OUT_LOW, rp2.PIO.OUT_LOW),  # pyright: ignore[reportArgumentType]
    set_init=(rp2.PIO.OUT_LOW, rp2.PIO.OUT_LOW),  # pyright: ignore[reportArgumentType]
    out_shiftdir=rp2.PIO.SHIFT_RIGHT,
)
def strike():
    wrap_target()
    pull(block)
    out(pins, 2)
    out(x, 30)
    label("hold")
    jmp(pin, "may")
    set(pins, 0)  # pyright: ignore  # PIO's set, not Python's
    label("stopped")
    irq(rel(0))
    jmp("stopped")
    label("may")
    jmp(x_dec, "hold")
    wrap()


@rp2.asm_pio()
def count():
    wrap_target()
    wait(1, pin, 0)
    jmp(x_dec, "next")  # x counts down from 0; the jump goes to the next line either way
    label("next")
    wait(0, pin, 0)
    wrap()
