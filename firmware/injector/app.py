"""Puts the machine on its chip; the only module that knows both."""

import gc
import sys
import time

import board
import drives
import machine

from injector import limits
from injector.machine import Machine
from injector.ports.rp2 import Port
from injector.uptime import Uptime

_WATCHDOG_MS = 250
_START_MS = 4_000  # the longest start takes 3 s
_USB_FRAME_MS = 1


def run(port):
    """Self-test, then look after everything, for ever."""
    version = ".".join(str(part) for part in sys.implementation.version[:3])
    injector = Machine(port, board, drives, Uptime(port.clock), gc, version)
    injector.start()
    controller, link, wait = injector.controller, injector.link, port.wait
    port.watchdog.start(_WATCHDOG_MS)
    injector.supervise(port.watchdog.feed)
    while True:
        injector.look()
        wait(_USB_FRAME_MS if link.sending else controller.pace_ms)


def service_mode() -> bool:
    """Whether the service jumper is fitted; it is read once, at boot."""
    jumper = machine.Pin(board.SERVICE, machine.Pin.IN, machine.Pin.PULL_UP)
    time.sleep_ms(1)
    return not jumper.value()


def main():
    """Run the machine; with the service jumper, leave everything off and return to a prompt."""
    if service_mode():
        import micropython

        Port(board, 0, limits.RAIL_HOLD_MS).off()
        micropython.kbd_intr(3)
        print("mesodrive service mode: outputs are off. Remove the jumper and restart to leave.")
        return
    machine.WDT(timeout=_START_MS)  # a start that hangs
    mechanics = (drives.PLUNGER, drives.DEPTH)
    pulse_ns = max([one.driver.high_ns for one in mechanics])
    port = Port(board, pulse_ns, limits.RAIL_HOLD_MS)
    try:
        run(port)
    finally:
        port.off()
