"""A step motor by a loop with `sleep_us`. Comes after loads.py."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportUndefinedVariable=false
# ruff: noqa: F821

import gc
import time

import board
from machine import Pin, Timer

step = Pin(board.PLUNGER_STEP, Pin.OUT, value=0)
stop = Pin(board.INTERLOCK, Pin.IN, Pin.PULL_DOWN)
background = Timer()  # the loop leaves no other place for what else is to be done
IN_BACKGROUND = {collect: (500 // PAUSE_MS, gc.collect), read: (500, read)}  # Hz, what


def move(steps, rate):
    half_us = 500_000 // rate
    for _ in range(steps):
        if not stop.value():
            break
        step.on()
        time.sleep_us(half_us)
        step.off()
        time.sleep_us(half_us)


def run(steps, rate, load):
    if load in IN_BACKGROUND:
        rate_hz, what = IN_BACKGROUND[load]
        background.init(freq=rate_hz, mode=Timer.PERIODIC, callback=lambda _: what())
    led.on()
    move(steps, rate)
    led.off()
    background.deinit()
