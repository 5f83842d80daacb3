"""What else the chip has to do. The LED is high while a measurement runs."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import gc
import sys
import time

import board
import machine
import rp2

_BLOCK = 4096
_BLOCK_COUNT = 4  # the request to a block device

PAUSE_MS = 10  # about as long as a collection takes: half of the time is the program's own

led = machine.Pin(board.LED, machine.Pin.OUT, value=0)
stop_line = machine.Pin(board.INTERLOCK, machine.Pin.IN, machine.Pin.PULL_DOWN)
filled = [[number] for number in range(1000)]  # so that a collection has something to look through
block = bytes(range(256)) * (_BLOCK // 256)
storage = rp2.Flash()
last = storage.ioctl(_BLOCK_COUNT, 0) - 1  # far behind the image


def quiet():
    time.sleep_ms(1)


def collect():
    gc.collect()
    time.sleep_ms(PAUSE_MS)


def read():
    sys.stdin.buffer.read(64)


def write():
    storage.writeblocks(last, block)  # erases and programs a block, with interrupts off


def run_until_stopped(run, rate, load, times):
    """Have a driver run, `times` times, until the stop line falls."""
    for _ in range(times):
        run(1_000_000, rate, load)
        while not stop_line.value():
            pass
