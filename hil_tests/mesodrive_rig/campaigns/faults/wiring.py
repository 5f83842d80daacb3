"""Wires and contacts: inputs, outputs, the pairs of stop and guard.

`OPEN` and `LOW` are the same to an input with a pull-down, and a stuck one is a short to the level
that it has; so each input is tried low, high, bouncing and noisy.
"""

from mesodrive_rig.campaigns.faults.fault import (
    SLOW_MS,
    TRAVEL_MS,
    Fault,
    opened,
    opened_and_acknowledged,
    wire,
)
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.plant import Contact, Output, Sensor, WireFault

# input → (alarms that name it low, high), (words for low, high), what reveals it high
_ALARMS = {
    Sensor.GUARD: (("guard_open", "selftest"), ("interlock", "selftest"), "guard", Sensor.GUARD),
    Sensor.STOP: (("stop_pulled", "selftest"), ("interlock", "selftest"), "stop", Sensor.STOP),
    Sensor.INTERLOCK: (
        ("interlock", "selftest"),
        ("interlock", "guard_open", "selftest"),
        "interlock",
        Sensor.GUARD,
    ),
    Sensor.CARTRIDGE: (("cartridge_out",), ("cartridge_out",), "cartridge", None),
    Sensor.RAIL: (("rail_dead",), ("selftest", "rail_dead", "rail_on"), "rail", None),
    Sensor.DRIVER_OK: (("driver_fault", "selftest"), ("driver_fault",), "driver", None),
    Sensor.NEEDLE_OUT: (("misfire",), ("misfire", "needle_stuck", "selftest"), "needle", None),
    Sensor.NEEDLE_BACK: (("needle_stuck", "selftest"), ("needle_stuck",), "needle", None),
    Sensor.CONTACT: ((), ("selftest",), "contact|skin|strike \\d was not told in time", None),
    Sensor.TRIGGER: (
        ("trigger",),
        ("selftest", "trigger"),
        "trigger|strike \\d was not told in time",
        None,
    ),
    Sensor.TRIGGER_2: (
        ("trigger",),
        ("selftest", "trigger"),
        "trigger|strike \\d was not told in time",
        None,
    ),
    Sensor.PLUNGER_HOME: (("home_stuck", "sensor"), ("home_missing",), "home", None),
    Sensor.DEPTH_HOME: (("home_stuck", "sensor"), ("home_missing",), "home", None),
}

_FILTERED = "shorter than what counts, or a level that comes again before anything rests on it"
# Wires that bite only at some times, when the level that they are stuck at is not the right one.
_INPUT_BITES_IN = {
    (Sensor.PLUNGER_HOME, WireFault.LOW): (Phase.PLUNGER_FAST,),
    (Sensor.PLUNGER_HOME, WireFault.HIGH): (Phase.PLUNGER_FAST,),
    (Sensor.DEPTH_HOME, WireFault.LOW): (Phase.DEPTH_FAST,),
    (Sensor.DEPTH_HOME, WireFault.HIGH): (Phase.DEPTH_FAST,),
    (Sensor.RAIL, WireFault.HIGH): (Phase.BOOT,),
    # A trigger that is held hides it, and so does whoever stops looking once it was let go.
    (Sensor.TRIGGER, WireFault.HIGH): (Phase.READY,),
    (Sensor.TRIGGER_2, WireFault.HIGH): (Phase.READY,),
    # Nobody may prime or arm a device that says that it touches the skin.
    (Sensor.CONTACT, WireFault.HIGH): (Phase.POWER_UP, Phase.READY, Phase.PRIMING),
}
_INPUT_UNSEEN = {
    (Sensor.CARTRIDGE, WireFault.HIGH): "as with a cartridge in; it takes a person who leaves it"
    " out to harm",
    (
        Sensor.DRIVER_OK,
        WireFault.HIGH,
    ): "as with drivers that are well; steps that are lost show in homing, load cell or needle",
}


def inputs() -> list[Fault]:
    """Every input low, high, bouncing and noisy."""
    found: list[Fault] = []
    for sensor, (low, high, words, shows) in _ALARMS.items():
        both = tuple(dict.fromkeys((*low, *high)))
        home = sensor in (Sensor.PLUNGER_HOME, Sensor.DEPTH_HOME)
        travel = TRAVEL_MS if home else SLOW_MS
        reveal = opened(shows) if shows else None
        found += [
            Fault(f"{sensor} open or grounded", "input", wire(sensor, WireFault.LOW), low,
                  (words,), travel, harmless=home,
                  bites_in=_INPUT_BITES_IN.get((sensor, WireFault.LOW), ())),
            Fault(f"{sensor} shorted to 3V3", "input", wire(sensor, WireFault.HIGH), high,
                  (words,), travel, harmless=True, reveal=reveal,
                  bites_in=_INPUT_BITES_IN.get((sensor, WireFault.HIGH), ()),
                  unseen=_INPUT_UNSEEN.get((sensor, WireFault.HIGH), "")),
            Fault(f"{sensor} bounces", "input", wire(sensor, WireFault.BOUNCING), both,
                  (words,), travel, harmless=True, unseen=_FILTERED),
            Fault(f"{sensor} is noisy", "input", wire(sensor, WireFault.NOISY), both,
                  (words,), travel, harmless=True, unseen=_FILTERED),
        ]  # fmt: skip
    return found


_OUTPUTS = {
    Output.PLUNGER_STEP: (
        "steps_lost",
        "stalled",
        "home_missing",
        "air",
        "free_running",
        "home_stuck",
    ),
    Output.PLUNGER_DIR: (
        "driver_fault",
        "home_missing",
        "home_stuck",
        "air",
        "stalled",
        "occlusion",
    ),
    Output.DEPTH_STEP: (
        "steps_lost",
        "home_missing",
        "home_stuck",
        "free_running",
        "selftest",
        "misfire",
    ),
    Output.DEPTH_DIR: ("driver_fault", "home_missing", "home_stuck", "misfire"),
    # A needle that comes back in mid-dose ends the count of the steps.
    Output.STRIKE: ("misfire", "needle_stuck", "selftest", "steps_lost"),
    Output.STRIKE_PEAK: ("misfire", "needle_stuck", "selftest"),
    Output.ENABLE: ("rail_dead", "rail_on", "selftest"),
}

_ALL = (WireFault.OPEN, WireFault.HIGH, WireFault.LOW)
_OUTPUT_BITES_IN = {
    **{(Output.PLUNGER_DIR, fault): (Phase.PLUNGER_FAST,) for fault in _ALL},
    **{(Output.DEPTH_STEP, fault): (Phase.DEPTH_FAST,) for fault in _ALL},
    **{(Output.DEPTH_DIR, fault): (Phase.DEPTH_FAST,) for fault in _ALL},
    (Output.ENABLE, WireFault.HIGH): (Phase.BOOT,),
}
_OUTPUT_UNSEEN = {
    (Output.STRIKE_PEAK, WireFault.HIGH): "the needle does the same; the coil warms and is"
    " watched",
}


def outputs() -> list[Fault]:
    """Every output that can move something open, shorted to 3V3 and to ground."""
    return [
        Fault(f"{output} {fault}", "output", wire(output, fault), codes,
              ("rail fell|rail is on|output",), TRAVEL_MS, harmless=True,
              keeps_rail=output is Output.ENABLE and fault is WireFault.HIGH,
              bites_in=_OUTPUT_BITES_IN.get((output, fault), ()),
              unseen=_OUTPUT_UNSEEN.get((output, fault), ""))
        for output, codes in _OUTPUTS.items()
        for fault in _ALL
    ]  # fmt: skip


_STOP = (("stop_pulled",), "[Tt]he stop (was|is) pulled")
_GUARD = (("guard_open",), "[Tt]he guard (was opened|is open)")
_LINE = (("interlock", "selftest"), "[Tt]he interlock line (fell|is down)")
_RAIL = (("rail_dead",), "[Tt]he motor rail (fell|is off)")
# A pair of contacts → what names it welded, when its switch is opened, and burnt: what the pins
# behind it can tell of it. Line and GUARD that disagree are found by the self-test too.
_CONTACTS = {
    Contact.STOP_LINE: (_RAIL, _STOP),  # welded, only the rail shows that the stop was pulled
    Contact.STOP_RAIL: (_STOP, _RAIL),  # welded, all is as it should be: ENABLE takes the rail
    Contact.GUARD_LINE: ((("guard_open", "selftest"), _GUARD[1]), _LINE),
    Contact.GUARD_SENSE: (_LINE, (("guard_open", "selftest"), _GUARD[1])),
    Contact.GUARD_RAIL: (_GUARD, _RAIL),  # welded, as the stop's
}


def contacts() -> list[Fault]:
    """Each contact pair of stop and guard welded and burnt, and Q1 shorted."""
    found: list[Fault] = []
    for contact, ((welded, says_welded), (burnt, says_burnt)) in _CONTACTS.items():
        switch = Sensor.STOP if "stop" in contact else Sensor.GUARD
        found += [
            Fault(f"{contact} welded", "contact", lambda s, c=contact: s.rig.injector.weld(c),
                  welded, (says_welded,), SLOW_MS, harmless=True, reveal=opened(switch)),
            Fault(f"{contact} burnt", "contact", lambda s, c=contact: s.rig.injector.burn(c),
                  burnt, (says_burnt,), SLOW_MS),
        ]  # fmt: skip
    found.append(
        Fault("Q1 shorted", "contact", lambda s: s.rig.injector.short_rail_switch(),
              ("selftest", "rail_dead", "rail_on"), ("rail is on",), SLOW_MS, harmless=True,
              reveal=opened_and_acknowledged, keeps_rail=True)
    )  # fmt: skip
    return found
