"""The engine of the firmware, driven from the prompt. Comes after loads.py."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportUndefinedVariable=false
# ruff: noqa: F821

import gc
import time

import board
import drives
import machine

from injector import motion, strike
from injector.ports import rp2 as ports

PLUNGER = ports.PLUNGER
DEPTH = ports.DEPTH
STRIKE = 1
INTERLOCK = 1 << board.INTERLOCK

port = ports.Port(board, 100, 200)
timing = port.step_timing


def fast_ramp(steps_s):
    """Up to `steps_s` in about 50 steps."""
    limits = motion.Limits(steps_s, steps_s * steps_s // 100, None)
    return motion.Ramp(timing, limits, steps_s)


def fast_move(steps_s, steps):
    return motion.plan(fast_ramp(steps_s), steps)


def square_strike(on_us, period_us):
    return strike.strike_words(port.strike_timing, on_us // 2, on_us, period_us)


def run(moves, load, strikes=()):
    """Run `moves`, pairs of an axis and its move, and the words of `strikes`, all from one clock
    on; return what the audit counted of each move."""
    port.watch(INTERLOCK)
    mask = 0
    for axis, move in moves:
        port._counters[axis].mark()
        port._tracks[axis].load(move.words)
        mask |= 1 << axis
    for words in strikes:
        port.queue_strike(words, None)
        mask |= 1 << STRIKE
    led.value(1)
    port._start(mask)
    while port.busy:
        load()
    led.value(0)
    return [port.counted(axis) for axis, _ in moves]


def face_back():
    for pin in port._dir.values():
        pin.value(0)


def run_at_random(ramps, orders):
    """For each (axis, ramp, steps, watched, halt after µs or 0) of `orders` one move, each axis
    forward and back in turn; return what the audit counted of each."""
    counts = []
    directions = {PLUNGER: 0, DEPTH: 0}  # see face_back
    for axis, ramp, steps, watched, halt_us in orders:
        directions[axis] = 1 - directions[axis]
        move = motion.plan(ramps[ramp], steps)
        while not port.read() & INTERLOCK:
            pass
        port.watch(INTERLOCK if watched else 0)
        port.start_axis(axis, directions[axis], move)
        if halt_us:
            time.sleep_us(halt_us)
            port.halt()
        while port.busy:
            time.sleep_ms(1)
        if port.stopped:
            port.halt()
        counts.append(port.counted(axis))
    return counts


def spin():
    """Keep the CPU busy for 1.5 ms with interrupts off."""
    before = machine.disable_irq()
    began = time.ticks_us()
    while time.ticks_diff(time.ticks_us(), began) < 1500:
        pass
    machine.enable_irq(before)


def planning_costs(nl, nl_per_mm, nl_s):
    """Steps, µs of the ramp, µs of the plan, bytes of both, for a shot with the real plunger."""
    per_mm = drives.PLUNGER.steps_per_mm
    steps = (nl * per_mm + nl_per_mm // 2) // nl_per_mm
    gc.collect()
    free = gc.mem_free()
    began = time.ticks_us()
    ramp = motion.Ramp(timing, drives.PLUNGER.limits, nl_s * per_mm // nl_per_mm, steps)
    ramped = time.ticks_us()
    ramp_bytes = free - gc.mem_free()
    free = gc.mem_free()
    began_plan = time.ticks_us()
    move = motion.plan(ramp, steps)
    planned = time.ticks_us()
    return (
        move,
        time.ticks_diff(ramped, began),
        time.ticks_diff(planned, began_plan),
        ramp_bytes,
        free - gc.mem_free(),
    )


def strike_with_dose(depth_um, dose, dwell_us):
    """One strike with a gated move in its dwell; (start, needle out, needle back) in µs."""
    port.hold_rail()
    time.sleep_ms(50)
    port.hold_rail()
    actuator = drives.ACTUATOR
    out_us = actuator.travel_us(depth_um) + 5_000
    on_us = out_us + dwell_us
    words = strike.strike_words(
        port.strike_timing, actuator.peak_us(depth_um), on_us, on_us + 20_000, out_us
    )
    port.watch(INTERLOCK)
    port.queue_strike(words, dose)
    port.start_strikes()
    while not port.finished:
        time.sleep_ms(1)
    port.drop_rail()
    return port.strike(0)[:3]


def hang():
    """Say three times, 50 ms apart, that the rail is wanted, and then nothing for 300 ms."""
    for _ in range(2):
        port.hold_rail()
        time.sleep_ms(50)
    led.value(1)
    port.hold_rail()
    time.sleep_ms(300)
    led.value(0)
