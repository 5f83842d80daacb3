"""What MicroPython's classes cannot do on the RP2040, done in registers, without allocating.

Everything here may run in a hard interrupt. Addresses: RP2040 datasheet 2.3.1.7 (SIO), 2.5.7
(DMA), 3.7 (PIO), 4.6.5 (TIMER); atomic set and clear aliases: 2.1.2.
"""

# pyright: reportUndefinedVariable=false, reportGeneralTypeIssues=false
# ruff: noqa: F821

from array import array

import micropython

# [inputs that must stay high, inputs when one of them fell, 1 once stopped, DMA channels]
guarded = array("I", [0, 0, 0, 0])
# µs of the free-running timer at: start of the strike, needle out, needle back; 0 = not seen
seen = array("I", [0, 0, 0])


@micropython.viper
def inputs() -> int:
    return int(ptr32(uint(0xD0000004))[0])  # GPIO_IN, 30 bits: a small int, nothing allocated


@micropython.viper
def make_ready():
    """Machines 0, 1, 2 of PIO0 off, their interlock flags clear: words may be loaded."""
    ptr32(uint(0x50203000))[0] = 7  # CTRL, clear alias
    ptr32(uint(0x50200030))[0] = 7  # IRQ: write 1 to clear


@micropython.viper
def start_tracks(mask: int):
    """Clear the old stalls, then start the machines of PIO0 in `mask` on one clock."""
    ptr32(uint(0x50200008))[0] = mask << 24  # FDEBUG, TXSTALL: write 1 to clear
    s = ptr32(seen)
    s[1] = 0
    s[2] = 0
    # CLKDIV_RESTART brings the dividers of all of them into phase.
    s[0] = ptr32(uint(0x40054028))[0]  # TIMERAWL
    ptr32(uint(0x50202000))[0] = mask | (mask << 8)  # CTRL, set alias


@micropython.viper
def tracks_stalled() -> int:
    """Machines of PIO0 that have run out of words since they were started."""
    return (int(ptr32(uint(0x50200008))[0]) >> 24) & 15


@micropython.viper
def tracks_latched() -> int:
    """Machines of PIO0 that have stopped themselves because the interlock line fell."""
    return int(ptr32(uint(0x50200030))[0]) & 7


@micropython.viper
def halt():
    """Stop the pulses now: machines off, strike outputs low, transfers aborted."""
    ptr32(uint(0x50203000))[0] = 7  # CTRL, clear alias: machines 0, 1, 2
    ptr32(uint(0x502000F0))[0] = 0xE000  # SM1_INSTR: set(pins, 0)
    ptr32(uint(0x502000D8))[0] = 0xA042  # SM0_INSTR: nop, side 0
    ptr32(uint(0x50200108))[0] = 0xA042  # SM2_INSTR
    g = ptr32(guarded)
    ptr32(uint(0x50000444))[0] = g[3]  # CHAN_ABORT
    g[2] = 1


@micropython.viper
def on_drop(_):
    """Interrupt: an input fell. Halt when it is one that must stay high."""
    g = ptr32(guarded)
    if g[2] == 0:
        mask = g[0]
        now = ptr32(uint(0xD0000004))[0]
        if now & mask != mask:
            g[1] = now
            halt()


@micropython.viper
def on_needle_out(_):
    s = ptr32(seen)
    if s[1] == 0:
        s[1] = ptr32(uint(0x40054028))[0]


@micropython.viper
def on_needle_back(_):
    s = ptr32(seen)
    if s[2] == 0:
        s[2] = ptr32(uint(0x40054028))[0]
