"""Raspberry Pi Pico: which pin does what, and the mechanics. WIRING.md shows the circuit.

Inputs read 1 when their name is true (guard closed, cartridge present, trigger pressed) and have a
pull-down, so that a broken wire reads as the safe answer. Home switches are normally closed: 1 is
away from home, and a broken wire reads as at home, which homing finds out.
"""

NAME = "pico"
STOP_CLASS = "hardware"  # the interlock line stops the pulses inside the chip, without the CPU

# outputs
PLUNGER_STEP = 2
PLUNGER_DIR = 3
DEPTH_STEP = 4
DEPTH_DIR = 5
STRIKE = 6  # needle out while high
STRIKE_PEAK = 7  # full current while high, holding current while low; must follow STRIKE
ENABLE = 8  # one of the three that must agree for the rail to be on
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
SERVICE = 22  # jumper to ground at boot: service mode

# mechanics
PLUNGER_STEPS_PER_MM = 3200  # 200 steps × 16 microsteps, lead 1 mm
PLUNGER_EMPTY_UM = 60_000  # pusher position at which the syringe is empty
PLUNGER_BACKLASH_UM = 20
PLUNGER_MAX_UM_S = 12_000
PLUNGER_ACCEL_UM_S2 = 500_000
DEPTH_STEPS_PER_MM = 6400  # 200 steps × 16 microsteps, lead 0.5 mm
DEPTH_SURFACE_UM = 1_000  # axis position at which a struck needle just reaches the skin
DEPTH_BACKLASH_UM = 20
DEPTH_MAX_UM_S = 3_000
DEPTH_ACCEL_UM_S2 = 100_000
STRIKE_PEAK_MS = 10  # full current at the start of a strike
STRIKE_TRAVEL_MS = 8  # from home to the depth stop
STRIKE_RETURN_MS = 12  # from the depth stop to home, by the spring
HOME_BACK_OFF_UM = 200  # away from a home switch before the slow approach
HOME_SLOW_UM_S = 500
PLUNGER_TRAVEL_UM = 62_000
DEPTH_TRAVEL_UM = 15_000
