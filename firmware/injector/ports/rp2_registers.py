"""What MicroPython's classes cannot do on the RP2040, done in registers, without allocating.

Everything here may run in a hard interrupt. Addresses: RP2040 datasheet 2.3.1.7 (SIO), 2.5.7
(DMA), 3.7 (PIO), 4.6.5 (TIMER), 4.9.6 (ADC); atomic set and clear aliases: 2.1.2.
"""

# pyright: reportUndefinedVariable=false, reportGeneralTypeIssues=false
# ruff: noqa: F821

from array import array

import micropython
from machine import disable_irq, enable_irq

QUEUE = 32  # strikes that may wait; a power of two, as are the other two
LOG = 64  # finished strikes that may wait to be looked at
EVENTS = 128  # of the trace

# Times are the low 30 bits of the µs timer: small ints, so that reading one allocates nothing.
# They wrap after 17.9 min; `clock` and the events of the trace have the wraps too.

# [inputs that must stay high, inputs when one of them fell, 1 once stopped, DMA channels of the
#  tracks, µs that a step pulse may still last at a stop]
guarded = array("I", [0, 0, 0, 0, 0])

# The plunger force: [counts above which the tracks halt, looks in a row above, 1 once that has
# halted them, the ADC's CS to convert it, looks so far, the look before, counts from which on it
# is that of a plunger which pushes, plunger edges when two looks in a row last were, and at the
# last look, the timer at that, µs after which a look is late]
force = array("I", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])

# The strikes since the last start: time at the start of the one under way, when its needle
# was seen out (0 = not yet); how many were started, logged, let go, queued; then, set once: the
# STRIKE pin's bit, the plunger's DMA channel, the plunger counter's INSTR and RXF registers.
START, OUT, STARTED, LOGGED, LET_GO, QUEUED = range(6)
strikes = array("I", bytes(40))
queue = array("I", bytes(QUEUE * 16))  # each: words' address, number; move's address, number
log = array("I", bytes(LOG * 20))  # each: start, out, back, plunger edges, those not felt
events = array("I", bytes(EVENTS * 12))  # each: µs timer, wraps * 16 + event, value
place = array("I", [0])  # how many events were noted
read_at = array("I", [0, 0])  # see `clock`

# events that an interrupt notes; the rest is in trace.py
STARTED_STRIKE, SEEN_OUT, SEEN_BACK, FELL, HALTED = 1, 2, 3, 4, 5


@micropython.viper
def inputs() -> int:
    return int(ptr32(uint(0xD0000004))[0])  # GPIO_IN, 30 bits: a small int, nothing allocated


@micropython.viper
def analog(channel: int) -> int:
    """Convert one channel of the ADC: 12 bits, after 2 µs (datasheet 4.9.6)."""
    adc = ptr32(uint(0x4004C000))
    adc[0] = (channel << 12) | 0b101  # CS: AINSEL, START_ONCE, EN
    while not adc[0] & 0x100:  # READY
        pass
    return adc[1]  # RESULT


@micropython.viper
def timer() -> int:
    return int(ptr32(uint(0x40054028))[0]) & 0x3FFFFFFF  # TIMERAWL


@micropython.viper
def clock():
    """[wraps of the low 30 bits since boot, low 30 bits], for the loop alone: always the same
    array."""
    t = ptr32(uint(0x40054024))  # TIMERAWH, TIMERAWL
    high = t[0]
    low = t[1]
    if t[0] != high:  # it wrapped between the two
        high = t[0]
        low = t[1]
    r = ptr32(read_at)
    r[0] = (high << 2) | ((low >> 30) & 3)
    r[1] = low & 0x3FFFFFFF
    return read_at


@micropython.viper
def note(event: int, value: int):
    """Keep an event for the trace, whole, also when an interrupt has one too."""
    p = ptr32(place)
    e = ptr32(events)
    before = disable_irq()
    at = (p[0] & 127) * 3
    p[0] = p[0] + 1
    t = ptr32(uint(0x40054024))  # as in `clock`, whose array the loop may be reading
    high = t[0]
    low = t[1]
    if t[0] != high:
        high = t[0]
        low = t[1]
    e[at] = low & 0x3FFFFFFF
    e[at + 1] = (high << 6) | ((low >> 26) & 0x30) | event
    e[at + 2] = value
    enable_irq(before)


@micropython.viper
def remember(state: int):
    """Keep the state's place where a reset by watchdog or program leaves it (4.7.6, SCRATCH0)."""
    ptr32(uint(0x4005800C))[0] = 0x2D450000 | state


@micropython.viper
def remembered() -> int:
    """What `remember` was told before a reset, or -1 after any other start."""
    kept = ptr32(uint(0x4005800C))[0]
    if kept >> 16 != 0x2D45:
        return -1
    return kept & 0xFFFF


@micropython.viper
def make_ready():
    """Machines 0, 1, 2 of PIO0 off, all flags clear, no strike known: words may be loaded."""
    ptr32(uint(0x50203000))[0] = 7  # CTRL, clear alias
    ptr32(uint(0x50200030))[0] = 0xFF  # IRQ: write 1 to clear
    s = ptr32(strikes)
    s[1] = 0
    s[2] = 0
    s[3] = 0
    s[4] = 0
    s[5] = 0


@micropython.viper
def start_tracks(mask: int):
    """Clear the old stalls, then start the machines of PIO0 in `mask` on one clock."""
    ptr32(uint(0x50200008))[0] = mask << 24  # FDEBUG, TXSTALL: write 1 to clear
    # CLKDIV_RESTART brings the dividers of all of them into phase.
    ptr32(uint(0x50202000))[0] = mask | (mask << 8)  # CTRL, set alias


@micropython.viper
def tracks_stalled() -> int:
    """Machines of PIO0 that have run out of words since they were started."""
    return (int(ptr32(uint(0x50200008))[0]) >> 24) & 15


@micropython.viper
def tracks_latched() -> int:
    """Machines of PIO0 that have stopped themselves: the interlock line fell, or a dose was due
    and the needle was not seen out."""
    return int(ptr32(uint(0x50200030))[0]) & 7


@micropython.viper
def halt():
    """Stop the pulses now: machines off, strike outputs low, transfers aborted."""
    ptr32(uint(0x50203000))[0] = 7  # CTRL, clear alias: machines 0, 1, 2
    ptr32(uint(0x502000F0))[0] = 0xE000  # SM1_INSTR: set(pins, 0)
    g = ptr32(guarded)
    ptr32(uint(0x50000444))[0] = g[3]  # CHAN_ABORT
    g[2] = 1
    note(5, int(ptr32(uint(0xD0000004))[0]))
    # A machine that is off keeps its pin: a step pulse that has begun lasts until here, which is
    # longer than the program would have made it.
    t = ptr32(uint(0x40054028))
    began = t[0]
    while t[0] - began < g[4]:
        pass
    ptr32(uint(0x502000D8))[0] = 0xA042  # SM0_INSTR: nop, side 0
    ptr32(uint(0x50200108))[0] = 0xA042  # SM2_INSTR


@micropython.viper
def let_go():
    """Hand the next strike in the queue, if any, to the machines. Interrupts must be off."""
    s = ptr32(strikes)
    if s[4] == s[5]:
        return
    q = ptr32(queue)
    at = (s[4] & 31) * 4
    if q[at + 3]:
        channel = ptr32(s[7])
        channel[2] = q[at + 3]  # TRANS_COUNT
        channel[15] = q[at + 2]  # AL3_READ_ADDR_TRIG
    words = ptr32(q[at])
    n = q[at + 1]
    i = 0
    while i < n:
        ptr32(uint(0x50200014))[0] = words[i]  # TXF1
        i += 1
    s[4] = s[4] + 1


@micropython.viper
def edges(machine: int) -> int:
    """Rising edges that a counter, `machine` of PIO1, has seen: the low 30 bits. Interrupts must
    be off."""
    p = ptr32(uint(0x50300000))
    p[54 + 6 * machine] = 0xA0C1  # SMn_INSTR: mov(isr, x)
    p[54 + 6 * machine] = 0x8000  # push(noblock)
    return (0 - int(p[8 + machine])) & 0x3FFFFFFF  # RXFn; X counts down from 0


@micropython.viper
def check():
    """Halt when an input that must stay high is low, or was: a dip too short for this to see may
    have stopped the strike alone, between two samples of the plunger's machine."""
    g = ptr32(guarded)
    if g[2] == 0:
        now = ptr32(uint(0xD0000004))[0]
        mask = g[0]
        if now & mask != mask or ptr32(uint(0x50200030))[0] & 2:  # PIO0's IRQ: machine 1 latched
            g[1] = now
            halt()


@micropython.viper
def on_force(_):
    """Timer: look at the plunger force. Two looks in a row, so that no noise halts anything. It
    runs between two bytecodes, late when memory is collected, and interrupts come in its midst."""
    f = ptr32(force)
    f[4] = f[4] + 1
    adc = ptr32(uint(0x4004C000))
    adc[0] = f[3]
    while not adc[0] & 0x100:  # READY
        pass
    now = adc[1]
    s = ptr32(strikes)
    before = disable_irq()
    instr = ptr32(s[8])  # as in `edges`
    instr[0] = 0xA0C1
    instr[0] = 0x8000
    edges = (0 - ptr32(s[9])[0]) & 0x3FFFFFFF
    time = ptr32(uint(0x40054028))[0] & 0x3FFFFFFF
    if now >= f[6] and f[5] >= f[6]:
        f[7] = edges
    elif (time - f[9]) & 0x3FFFFFFF > f[10]:  # nobody could look: that is not held against it
        f[7] = f[7] + edges - f[8]
    f[8] = edges
    f[9] = time
    enable_irq(before)
    f[5] = now
    if now <= f[0]:
        f[1] = 0
        return
    f[1] = f[1] + 1
    if f[1] > 1 and ptr32(guarded)[2] == 0:
        f[2] = 1
        halt()


@micropython.viper
def on_drop(_):
    """Interrupt: an input fell."""
    note(4, int(ptr32(uint(0xD0000004))[0]))
    check()


@micropython.viper
def on_strike(_):
    """Interrupt: STRIKE rose."""
    s = ptr32(strikes)
    s[0] = ptr32(uint(0x40054028))[0] & 0x3FFFFFFF
    s[1] = 0
    s[2] = s[2] + 1
    note(1, s[2])


@micropython.viper
def on_needle_out(_):
    """Interrupt: the needle is at its stop."""
    s = ptr32(strikes)
    if s[1] == 0 and s[2] != s[3]:
        now = ptr32(uint(0x40054028))[0] & 0x3FFFFFFF
        s[1] = now if now else 1  # 0 would say "not yet"
        note(2, s[2])


@micropython.viper
def on_needle_back(_):
    """Interrupt: the needle is back. Only now, and only if it was seen out, may the next go."""
    if ptr32(guarded)[2] or int(ptr32(uint(0x50200030))[0]) & 7:
        return  # halted, or a program has latched: this strike did not end by itself
    s = ptr32(strikes)
    if s[2] == s[3] or s[1] == 0:
        return  # no strike is under way, or the needle has never reached its stop
    if ptr32(uint(0xD0000004))[0] & s[6]:
        return  # still driven: the contact bounces while the needle leaves
    entries = ptr32(log)
    at = (s[3] & 63) * 5
    entries[at] = s[0]
    entries[at + 1] = s[1]
    entries[at + 2] = ptr32(uint(0x40054028))[0] & 0x3FFFFFFF
    instr = ptr32(s[8])  # as in `edges`
    instr[0] = 0xA0C1
    instr[0] = 0x8000
    entries[at + 3] = (0 - ptr32(s[9])[0]) & 0x3FFFFFFF
    f = ptr32(force)
    entries[at + 4] = (f[8] - f[7]) & 0x3FFFFFFF
    s[3] = s[3] + 1
    note(3, s[3])
    let_go()
