"""What an input that is not as it should be means, in words for a person."""

# input that has fallen → alarm code, what to tell; the first that applies is told
_CAUSES = (
    ("stop", "stop_pulled", "the stop was pulled"),
    ("guard", "guard_open", "the guard was opened"),
    ("cartridge", "cartridge_out", "the cartridge was removed"),
    ("interlock", "interlock", "the interlock line fell"),
    ("rail", "rail_dead", "the motor rail fell"),
    ("driver_ok", "driver_fault", "a motor driver reports an error"),
)
_WAYS_OUT = {
    "stop_pulled": "release the stop",
    "guard_open": "close the guard",
    "cartridge_out": "put in a new cartridge",
    "interlock": "check the wires of stop and guard",
    "rail_dead": "check the supply and the stop loop",
    "driver_fault": "let it cool and check motors and their wires",
}
_ABSENT = {
    "guard": "The guard is open",
    "stop": "The stop is pulled",
    "interlock": "The interlock line is down although stop and guard look closed",
    "cartridge": "There is no cartridge",
    "needle_back": "The needle is not back at its rest",
    "rail": "The motor rail is off",
    "driver_ok": "A motor driver reports an error",
}
_PRESENT = {
    "trigger": "The trigger is pressed; release it",
    "contact": "The device touches the skin; lift it off",
    "needle_out": "The needle is seen at its stop; check its sensor",
    "rail": "The motor rail is on although it was not asked for; check its wiring",
}

HOT_INPUTS = tuple(name for name, _, _ in _CAUSES)  # must hold while a person may strike
HELD_INPUTS = tuple(name for name in HOT_INPUTS if name != "cartridge")  # while axes are held

OCCLUDED = (
    "occlusion",
    "The plunger resists too much: the line is blocked; take the device off the skin, change the "
    "needles, acknowledge, load the profile again, home, and prime into the air.",
)
STALLED = (
    "The plunger was not felt to push in strike %d, which gave less than is told; check syringe, "
    "motor, coupling and STEP wire, that the line has no air, and that product and needle are "
    "those of the profile, then acknowledge."
)
NEEDLE_LEFT = (
    "The needle of strike %d left its stop while it was held there; check the STRIKE wire, the "
    "coil and the sensor, then acknowledge."
)
NEEDLE_AWAY = (
    "The needle is not seen at its rest, so no strike can begin; lift the device, check spring "
    "and sensor, then acknowledge."
)
RAIL_ON = (
    "rail_on",
    "The motor rail is on although the device has stopped; switch the motor supply off and have "
    "service check ENABLE and the rail's switch.",
)
DRIVEN = (
    "An output is high although nothing moves; check the wires of STRIKE, PEAK and both STEP, "
    "then acknowledge."
)
DEAF = (
    "The self-test failed: a pin changed and the chip's interrupt did not notice; lift the "
    "device, acknowledge, and have service look at the board if it comes again."
)
UNSEATED = (
    "The plunger resists while homing: the line is under pressure, the syringe is fuller than the "
    "profile says, or the plunger's DIR wire is wrong; check them, acknowledge, home, and prime "
    "into the air."
)
DIR_STUCK = "The DIR wire of the %s axis does not follow; check it, then acknowledge."
GLITCH = (
    "interlock",
    "The interlock line fell for a moment; check the wires of stop and guard, then acknowledge.",
)


def first_fallen(inputs: int, masks: "dict[str, int]", names=HOT_INPUTS):
    """(alarm code, what happened) for the first of `names` that is low in `inputs`, or None."""
    for name, code, why in _CAUSES:
        if name in names and not inputs & masks[name]:
            return code, why
    return None


def alarm_sentence(code: str, why: str) -> str:
    """What happened and the way out, as one sentence."""
    return "%s; %s, then acknowledge." % (capital(why), _WAYS_OUT[code])


def sensor_sentence(name: str) -> str:
    """A sensor says what cannot be, as one sentence."""
    return "The %s sensor says what cannot be; check its wires, then acknowledge." % name


def absence(name: str) -> str:
    """One sentence for an input that should read 1 and does not."""
    return "%s; put that right first." % _ABSENT[name]


def presence(name: str) -> str:
    """One sentence for an input that should read 0 and does not."""
    return "%s first." % _PRESENT[name]


def capital(sentence: str) -> str:
    """`sentence` with a capital first letter."""
    return sentence[0].upper() + sentence[1:]
