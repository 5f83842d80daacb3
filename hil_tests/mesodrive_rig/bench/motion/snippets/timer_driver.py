"""A step motor by a timer: `machine.Timer` calls Python once a step. Comes after loads.py."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportUndefinedVariable=false
# ruff: noqa: F821

import board
from machine import Pin, Timer

step = Pin(board.PLUNGER_STEP, Pin.OUT, value=0)
stop = Pin(board.INTERLOCK, Pin.IN, Pin.PULL_DOWN)
timer = Timer()
left = 0


def on_timer(t):
    global left
    if left:
        step.on()
        step.off()
        left -= 1
        if not left:
            t.deinit()


def on_stop(_):
    global left
    timer.deinit()
    left = 0


stop.irq(on_stop, Pin.IRQ_FALLING)


def run(steps, rate, load):
    global left
    left = steps
    led.on()
    timer.init(freq=rate, mode=Timer.PERIODIC, callback=on_timer)
    while left:
        load()
    led.off()
