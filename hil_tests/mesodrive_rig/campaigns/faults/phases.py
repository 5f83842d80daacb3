"""The phases of a session at which something may go wrong, in the order in which they come."""

from enum import StrEnum


class Phase(StrEnum):
    BOOT = "boot"
    SELF_TEST = "self-test"
    SAFE = "safe"
    LOADING = "loading"
    POWER_UP = "rail comes up"
    DEPTH_FAST = "homing, depth, fast"
    DEPTH_OFF = "homing, depth, off the switch"
    DEPTH_SLOW = "homing, depth, slow"
    DEPTH_SET = "depth stop goes to its place"
    PLUNGER_FAST = "homing, plunger, fast"
    PLUNGER_SLOW = "homing, plunger, slow"
    SEATING = "pusher goes to the plunger"
    READY = "ready"
    PRIMING = "priming"
    ARMED = "armed"
    TOUCH = "contact just made"
    PULL = "trigger just pulled"
    TRAVEL = "needle on its way out"
    SETTLE = "needle settles"
    DOSE_BEGIN = "dose begins"
    DOSE_MID = "in mid-dose"
    DOSE_END = "dose ends"
    DWELL = "needle dwells"
    RETURN = "needle on its way back"
    REST = "needle at rest"
    BETWEEN = "between two strikes"
    PAUSED = "paused"
    DONE = "all strikes done"
    FAULT = "fault latched"
    ACKNOWLEDGED = "fault acknowledged"


RUNNING = (
    Phase.TRAVEL,
    Phase.SETTLE,
    Phase.DOSE_BEGIN,
    Phase.DOSE_MID,
    Phase.DOSE_END,
    Phase.DWELL,
    Phase.RETURN,
)  # a strike is under way
UNTOLD = (*RUNNING, Phase.REST, Phase.BETWEEN)  # it has begun and has not been told

COSTLY = (
    Phase.BOOT,
    Phase.SELF_TEST,
    Phase.SAFE,
    Phase.LOADING,
    Phase.POWER_UP,
    Phase.DEPTH_FAST,
    Phase.DEPTH_OFF,
    Phase.DEPTH_SLOW,
    Phase.DEPTH_SET,
    Phase.PLUNGER_FAST,
    Phase.PLUNGER_SLOW,
    Phase.SEATING,
    Phase.READY,
    Phase.PRIMING,
    Phase.DONE,
    Phase.FAULT,
    Phase.ACKNOWLEDGED,
)  # a session that goes on from here has far to go, which takes long to compute

CROSSED = (
    *(phase for phase in Phase if phase not in COSTLY),
    Phase.POWER_UP,
    Phase.DEPTH_SET,
    Phase.PLUNGER_FAST,
    Phase.PLUNGER_SLOW,
    Phase.SEATING,
    Phase.READY,
    Phase.PRIMING,
)  # all that are cheap, and of the costly ones those from which a session has less far to go
