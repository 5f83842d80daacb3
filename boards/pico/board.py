"""Raspberry Pi Pico: which pin does what, and which flash. WIRING.md shows the circuit, drives.py
the mechanics.

Inputs read 1 when their name is true (guard closed, cartridge present, trigger pressed) and have a
pull-down, so that a broken wire reads as the safe answer. Home switches are normally closed: 1 is
away from home, and a broken wire reads as at home, which homing finds out.
"""

NAME = "pico"
STOP_CLASS = "hardware"  # the interlock line stops the pulses inside the chip, without the CPU

# outputs
ALARM_RED = 0
ALARM_YELLOW = 1
PLUNGER_STEP = 2
PLUNGER_DIR = 3
DEPTH_STEP = 4
DEPTH_DIR = 5
STRIKE = 6  # needle out while high
STRIKE_PEAK = 7  # full current while high, holding current while low; must follow STRIKE
ENABLE = 8  # one of the three that must agree for the rail to be on; falls by itself
BUZZER = 20
LED = 25

# inputs
INTERLOCK = 9  # stop loop AND guard, made by the wiring, tested by the pulse programs themselves
GUARD = 10
STOP = 11
CARTRIDGE = 12
CONTACT = 13
TRIGGER = 14
PLUNGER_HOME = 15
DEPTH_HOME = 16
NEEDLE_OUT = 17
NEEDLE_BACK = 18
RAIL = 19
DRIVER_OK = 21  # neither motor driver reports an error
SERVICE = 22  # jumper to ground at boot: service mode
TRIGGER_2 = 22  # from then on: the trigger's other contact

# analog inputs, see the sensors of drives.py
COIL_TEMP = 26
SUPPLY = 27  # motor supply before the rail's switch
FORCE = 28  # between pusher and plunger

# flash, in bytes: the image is at its start, what the device remembers at its end
FLASH_SIZE = 2 * 1024 * 1024
IMAGE_NOTE = 0x9FF00  # length and checksum of the image, see boards/toolchain/uf2.py
SETTINGS_SIZE = 8 * 1024
SETTINGS_START = FLASH_SIZE - SETTINGS_SIZE
LEDGER_SIZE = 512 * 1024
LEDGER_START = SETTINGS_START - LEDGER_SIZE
