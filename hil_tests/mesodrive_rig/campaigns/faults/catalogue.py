"""The faults: how each is done to a session, what may name it, and how soon it must have stopped.

`OPEN` and `LOW` are the same to an input with a pull-down, and a stuck one is a short to the level
that it has; so each input is tried low, high, bouncing and noisy.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rp2040py.irq import IRQ

from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.emulated.chip_faults import ChipFaults, find_elf
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.plant import Analog, Contact, Output, Sensor, WireFault, analog

Deed = Callable[[Session], None]

SOON_MS = 400.0  # from the strike or the look that shows it to the alarm: a strike and its return
SLOW_MS = 1_500.0  # a self-test while idle, or three looks at an analog sensor in a row
TRAVEL_MS = 7_000.0  # a home switch that never comes: the whole travel


@dataclass(frozen=True)
class Fault:
    """`codes` are alarms that name it, `words` what a refusal or a reason may say instead."""

    name: str
    group: str
    deed: Deed
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    bound_ms: float = SOON_MS
    harmless: bool = False  # the session may go on as if nothing were, with right doses
    reveal: Deed | None = None  # what a person does next, at which it must be named after all
    excess_ok: str = ""  # why more than the bound may come of it


def _wire(name: Output | Sensor, fault: WireFault) -> Deed:
    return lambda session: session.rig.break_wire(name, fault, seed=7)


def _chip(kind: str, *args: object) -> Deed:
    def break_it(session: Session) -> None:
        getattr(ChipFaults(session.rig.chip, find_elf(ROOT)), kind)(*args)

    return break_it


def _open(sensor: Sensor) -> Deed:
    def do(session: Session) -> None:
        session.rig.set(sensor, False)
        session.person.wait(50)

    return do


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
    Sensor.RAIL: (("rail_dead",), ("selftest", "rail_dead"), "rail", None),
    Sensor.DRIVER_OK: (("driver_fault", "selftest"), ("driver_fault",), "driver", None),
    Sensor.NEEDLE_OUT: (("misfire",), ("misfire", "needle_stuck", "selftest"), "needle", None),
    Sensor.NEEDLE_BACK: (("needle_stuck", "selftest"), ("needle_stuck",), "needle", None),
    Sensor.CONTACT: ((), ("selftest",), "contact|skin|strike \\d was not told", None),
    Sensor.TRIGGER: ((), ("selftest", "trigger"), "trigger|strike \\d was not told", None),
    Sensor.PLUNGER_HOME: (("home_stuck", "sensor"), ("home_missing",), "home", None),
    Sensor.DEPTH_HOME: (("home_stuck", "sensor"), ("home_missing",), "home", None),
}


def inputs() -> list[Fault]:
    """Every input low, high, bouncing and noisy."""
    found: list[Fault] = []
    for sensor, (low, high, words, shows) in _ALARMS.items():
        both = tuple(dict.fromkeys((*low, *high)))
        home = sensor in (Sensor.PLUNGER_HOME, Sensor.DEPTH_HOME)
        travel = TRAVEL_MS if home else SLOW_MS
        reveal = _open(shows) if shows else None
        found += [
            Fault(f"{sensor} open or grounded", "input", _wire(sensor, WireFault.LOW), low,
                  (words,), travel, harmless=home),
            Fault(f"{sensor} shorted to 3V3", "input", _wire(sensor, WireFault.HIGH), high,
                  (words,), travel, harmless=True, reveal=reveal),
            Fault(f"{sensor} bounces", "input", _wire(sensor, WireFault.BOUNCING), both,
                  (words,), travel, harmless=True),
            Fault(f"{sensor} is noisy", "input", _wire(sensor, WireFault.NOISY), both,
                  (words,), travel, harmless=True),
        ]  # fmt: skip
    return found


_OUTPUTS = {
    Output.PLUNGER_STEP: ("steps_lost", "home_missing", "air", "free_running", "home_stuck"),
    Output.PLUNGER_DIR: ("driver_fault", "home_missing", "home_stuck", "air", "occlusion"),
    Output.DEPTH_STEP: ("home_missing", "home_stuck", "free_running", "selftest", "misfire"),
    Output.DEPTH_DIR: ("driver_fault", "home_missing", "home_stuck", "misfire"),
    Output.STRIKE: ("misfire", "needle_stuck", "selftest"),
    Output.STRIKE_PEAK: ("misfire", "needle_stuck", "selftest"),
    Output.ENABLE: ("rail_dead", "selftest"),
}


def outputs() -> list[Fault]:
    """Every output that can move something open, shorted to 3V3 and to ground."""
    return [
        Fault(f"{output} {fault}", "output", _wire(output, fault), codes,
              ("rail fell|rail is on|output",), TRAVEL_MS, harmless=True)
        for output, codes in _OUTPUTS.items()
        for fault in (WireFault.OPEN, WireFault.HIGH, WireFault.LOW)
    ]  # fmt: skip


def contacts() -> list[Fault]:
    """Each contact pair of stop and guard welded and burnt, and Q1 shorted."""
    found: list[Fault] = []
    for contact in Contact:
        switch = Sensor.STOP if "stop" in contact else Sensor.GUARD
        found += [
            Fault(f"{contact} welded", "contact", lambda s, c=contact: s.rig.injector.weld(c),
                  ("interlock", "guard_open", "stop_pulled", "selftest"), ("guard|stop",),
                  SLOW_MS, harmless=True, reveal=_open(switch)),
            Fault(f"{contact} burnt", "contact", lambda s, c=contact: s.rig.injector.burn(c),
                  ("interlock", "guard_open", "stop_pulled", "rail_dead", "selftest"),
                  ("guard|stop|interlock|rail",), SLOW_MS),
        ]  # fmt: skip
    found.append(
        Fault("Q1 shorted", "contact", lambda s: s.rig.injector.short_rail_switch(),
              ("selftest", "rail_dead"), ("rail is on",), SLOW_MS, harmless=True,
              reveal=_open(Sensor.GUARD))
    )  # fmt: skip
    return found


def _set(sensor: Analog, fault: Callable[[Analog], analog.Fault]) -> Deed:
    def do(session: Session) -> None:
        session.rig.injector.faults[sensor] = fault(sensor)

    return do


def sensors() -> list[Fault]:
    """The analog wires open, shorted to ground and to the reference."""
    ways: dict[str, Callable[[Analog], analog.Fault]] = {
        "open": analog.broken_wire,
        "grounded": lambda _: analog.shorted_to(0),
        "shorted to 3V3": lambda _: analog.shorted_to(analog.FULL),
    }
    return [
        Fault(f"{sensor} {way}", "sensor", _set(sensor, fault),
              ("sensor", "selftest", "supply_low", "over_temperature"), ("sensor|reading",),
              SLOW_MS)
        for sensor in Analog
        for way, fault in ways.items()
    ]  # fmt: skip


def machine() -> list[Fault]:
    """Drivers, motors, actuator, needle, syringe, supply."""
    plunger, depth = Output.PLUNGER_STEP, Output.DEPTH_STEP
    cases: list[tuple[str, Deed, tuple[str, ...], bool]] = [
        ("driver error", lambda s: s.rig.injector.set_driver_error(True),
         ("driver_fault", "selftest"), False),
        ("plunger motor stalls", lambda s: s.rig.injector.set_stalled(plunger, True),
         ("driver_fault", "air", "home_missing", "home_stuck"), True),
        ("depth motor stalls", lambda s: s.rig.injector.set_stalled(depth, True),
         ("driver_fault", "home_missing", "home_stuck"), True),
        ("coil misfires", lambda s: s.rig.injector.set_misfiring(True), ("misfire",), True),
        ("needle sticks", lambda s: s.rig.injector.set_sticking(True), ("needle_stuck",), True),
        ("needle blocked", lambda s: s.rig.injector.set_blocked(True), ("occlusion",), True),
        ("coil hot", lambda s: s.rig.injector.set_coil_c(70.0),
         ("over_temperature", "selftest"), False),
        ("supply sags", lambda s: s.rig.injector.set_supply_v(17.0),
         ("supply_low", "selftest", "rail_dead"), False),
        ("supply cut", lambda s: s.rig.injector.set_supply_present(False),
         ("supply_low", "selftest", "rail_dead"), False),
    ]  # fmt: skip
    return [
        Fault(name, "machine", deed, codes, ("rail|supply|hot|driver",), TRAVEL_MS,
              harmless=harmless)
        for name, deed, codes, harmless in cases
    ]  # fmt: skip


_RESET = ("restarted", "selftest", "dose_in_doubt", "host_lost", "reset")


def chip() -> list[Fault]:
    """The chip, its parts, its program, and what resets it."""
    cases: list[tuple[str, Deed, tuple[str, ...], bool]] = [
        ("core locks up", _chip("lock_up"), _RESET, False),
        ("program hangs", _chip("hang"), _RESET, False),
        ("memory full", _chip("fill_memory"), _RESET, False),
        ("pin interrupt dead", _chip("deafen", IRQ.IO_BANK0), _RESET, True),
        ("USB interrupt dead", _chip("deafen", IRQ.USBCTRL), _RESET, False),
        ("timer interrupts dead", _chip("deafen", IRQ.TIMER_3), _RESET, True),
        ("plunger's PIO machine stands", _chip("stop_machine", 0, 0),
         ("steps_lost", "misfire", *_RESET), True),
        ("strike's PIO machine stands", _chip("stop_machine", 0, 1),
         ("misfire", "needle_stuck", *_RESET), True),
        ("plunger's counter stands", _chip("stop_machine", 1, 0), ("steps_lost", *_RESET), True),
        ("dead-man stands", _chip("stop_machine", 1, 2), ("rail_dead", *_RESET), True),
        ("DMA stands", _chip("stop_dma"), ("steps_lost", *_RESET), True),
        ("RUN pin pulled", lambda s: s.rig.chip.reset(), _RESET, False),
        ("brown-out", lambda s: s.rig.chip.reset(power=True), _RESET, False),
        ("watchdog reset", _chip("bite"), _RESET, False),
    ]  # fmt: skip
    return [
        Fault(name, "chip", deed, codes, ("reset", "strike \\d was not told", "silent"),
              TRAVEL_MS, harmless=harmless)
        for name, deed, codes, harmless in cases
    ]  # fmt: skip


FAULTS: list[Fault] = [
    *inputs(),
    *outputs(),
    *contacts(),
    *sensors(),
    *machine(),
    *chip(),
]
