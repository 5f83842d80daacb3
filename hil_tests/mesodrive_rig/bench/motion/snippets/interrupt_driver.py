"""A step motor by PIO: pulses at a fixed rate, each telling Python, which counts them and stops
the machine. Comes after loads.py."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportUndefinedVariable=false, reportCallIssue=false, reportIndexIssue=false
# ruff: noqa: F821

import board
import rp2
from machine import Pin

HARD = False  # what both irq() take when they are not told
TICKS = 64  # of the program, a step

step = Pin(board.PLUNGER_STEP, Pin.OUT, value=0)
stop = Pin(board.INTERLOCK, Pin.IN, Pin.PULL_DOWN)
left = 0


@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def pulses():
    wrap_target()
    set(pins, 1)[15]
    irq(rel(0))  # as early as can be: Python has the rest of the step to stop the machine
    set(pins, 0)[30]
    nop()[15]
    wrap()


def on_step(machine):
    global left
    left -= 1
    if left <= 0:
        machine.active(0)


def on_stop(_):
    global left
    stepper.active(0)
    left = 0


rp2.PIO(0).remove_program()  # the image's own, which leave no room
stepper = rp2.StateMachine(0)


def run(steps, rate, load):
    global left
    left = steps
    stepper.init(pulses, freq=rate * TICKS, set_base=step)
    stepper.irq(on_step, hard=HARD)
    stop.irq(on_stop, Pin.IRQ_FALLING, hard=HARD)
    led.on()
    stepper.active(1)
    while left > 0:
        load()
    led.off()
