"""What the firmware's pure modules are given here in place of a chip: a port with an injector at
its pins, and a serial line.

Pulses come when the programs' instructions make them, inputs follow from what a person and the
wiring do, and time passes only when a test lets it. Runs under CPython and under MicroPython.
"""

from stand_ins.line import StandInLine
from stand_ins.machine import KEYS, PROFILE, Machine, claim, proof_of
from stand_ins.needle import NEEDLE
from stand_ins.port import DEPTH, PLUNGER, StandInPort
from stand_ins.programs import HZ, STEP_TIMING, STRIKE_TIMING, TICKS_US, Pulses, strike_level

__all__ = [
    "DEPTH",
    "HZ",
    "KEYS",
    "NEEDLE",
    "PLUNGER",
    "PROFILE",
    "STEP_TIMING",
    "STRIKE_TIMING",
    "TICKS_US",
    "Machine",
    "Pulses",
    "StandInLine",
    "StandInPort",
    "claim",
    "proof_of",
    "strike_level",
]
