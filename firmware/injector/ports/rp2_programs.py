"""The four PIO programs and what they cost. docs/motion.md has the cycle table.

Step and strike test the interlock line themselves (`jmp(pin)`, 1 = may move) between any two
edges. When it falls they make no further edge but those that switch off, latch, and raise their
own IRQ flag; nothing but a new `init` of the state machine makes them run again.
"""

# ruff: noqa: F821
# pyright: reportUndefinedVariable=false

import rp2

from injector.motion import StepTiming
from injector.strike import StrikeTiming

CLOCK_HZ = 125_000_000
HIGH_TICKS = 16  # of a step pulse: 128 ns at the full clock; the TMC2209 wants 100 ns
DEAD_MAN_HZ = 2_000
DEAD_MAN_TICKS = 3  # of one round of the dead-man's count
DEAD_MAN_EXTRA_TICKS = 6  # one round more than counted, and the way of the word into X


def step_timing(tick_hz: int) -> StepTiming:
    """What the step program costs at `tick_hz`, in counts of two ticks."""
    return StepTiming(tick_hz // 2, first=5, between=13)


def strike_timing(tick_hz: int) -> StrikeTiming:
    """What the strike program costs at `tick_hz`, in counts of two ticks."""
    return StrikeTiming(tick_hz // 2, word=4, gate=1)


@rp2.asm_pio(
    sideset_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT, fifo_join=rp2.PIO.JOIN_TX
)
def step():
    wrap_target()
    pull(block).side(0)
    out(x, 31).side(0)
    out(y, 1).side(0)
    jmp(not_y, "go").side(0)
    wait(1, irq, 4).side(0)
    mov(isr, null).side(0)
    in_(pins, 1).side(0)
    mov(y, isr).side(0)
    jmp(not_y, "stopped").side(0)
    label("go")
    pull(block).side(0)[1]
    label("again")
    mov(y, osr).side(0)[1]
    label("low")
    jmp(pin, "may").side(0)
    label("stopped")
    irq(rel(0)).side(0)
    jmp("stopped").side(0)
    label("may")
    jmp(y_dec, "low").side(0)
    nop().side(1)[14]  # HIGH_TICKS - 2: the assembler hides this module's names
    jmp(x_dec, "same").side(1)
    wrap()
    label("same")  # as long as the way to a new pair: all intervals cost the same
    jmp("again").side(0)[5]


@rp2.asm_pio(
    # A tuple is what rp2.py takes for more than one pin; the stubs know lists only.
    out_init=(rp2.PIO.OUT_LOW, rp2.PIO.OUT_LOW),  # pyright: ignore[reportArgumentType]
    set_init=(rp2.PIO.OUT_LOW, rp2.PIO.OUT_LOW),  # pyright: ignore[reportArgumentType]
    out_shiftdir=rp2.PIO.SHIFT_RIGHT,
    fifo_join=rp2.PIO.JOIN_TX,
)
def strike():
    wrap_target()
    pull(block)
    out(pins, 2)
    out(y, 1)
    jmp(not_y, "on")
    irq(4)[1]
    label("on")
    out(x, 29)[1]
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


@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def dead_man():
    wrap_target()
    pull(block)
    mov(x, osr)
    set(pins, 1)  # pyright: ignore
    label("held")
    pull(noblock)  # a new count, or X itself when there is none
    mov(x, osr)
    jmp(x_dec, "held")
    set(pins, 0)  # pyright: ignore
    wrap()
