"""How long the parts of a strike take on the reference mechanics (docs/motion.md).

The device plans with its own figures and has the last word; these are the same, so that a person
hears what cannot be before anything is connected.
"""

import math

CLEARANCE_UM = 1_000  # from the needle at rest to the surface of the skin
COIL_M_S2 = 1_000
SPRING_M_S2 = 800
PULL_IN_US = 300  # until the coil's current moves anything

PLUNGER_UM_S = 12_000  # the fastest that the plunger's drive can follow
PLUNGER_JERK_MM_S3 = 200_000
PLUNGER_STEPS_PER_MM = 3200
PLUNGER_WAY_MM = 60  # from the pusher's home to an empty syringe
SPARE_US = 5_000  # beside the plunger's movement, for its start and for the line to empty


def travel_us(depth_um: int) -> int:
    """From the start of a strike until the needle is out: constant force, s = a t² ÷ 2."""
    return PULL_IN_US + _fall_us(CLEARANCE_UM + depth_um, COIL_M_S2)


def return_us(depth_um: int) -> int:
    """From the release until the needle is back, by the spring."""
    return _fall_us(CLEARANCE_UM + depth_um, SPRING_M_S2)


def plunger_um_s(flow_nl_s: int, nl_per_mm: int) -> int:
    """The plunger's speed at this flow, in the whole µm/s that the device counts in."""
    return flow_nl_s * 1000 // nl_per_mm


def dose_us(dose_nl: int, flow_nl_s: int, nl_per_mm: int) -> float:
    """How long a dose takes at most: what earlier ones lack makes it a step longer."""
    steps = dose_nl * PLUNGER_STEPS_PER_MM // nl_per_mm + 2
    steps_s = max(1, plunger_um_s(flow_nl_s, nl_per_mm) * PLUNGER_STEPS_PER_MM // 1000)
    return plunger_us(steps / PLUNGER_STEPS_PER_MM, steps_s / PLUNGER_STEPS_PER_MM)


def plunger_us(travel_mm: float, speed_mm_s: float) -> float:
    """How long the plunger takes for `travel_mm` from rest to rest, at most at `speed_mm_s`.

    Jerk +j, −j up to v takes 2 √(v/j) and half of that times v; the way down mirrors it. The
    limit of acceleration is not met: at 12 mm/s the jerk allows 1550 of its 2000 mm/s².
    """
    ramp_s = 2 * math.sqrt(speed_mm_s / PLUNGER_JERK_MM_S3)
    if travel_mm >= speed_mm_s * ramp_s:
        return 1e6 * (travel_mm / speed_mm_s + ramp_s)
    return 1e6 * 4 * (travel_mm / (2 * PLUNGER_JERK_MM_S3)) ** (1 / 3)


def _fall_us(um: int, m_s2: int) -> int:
    return math.isqrt(2 * um * 10**6 // m_s2) + 1
