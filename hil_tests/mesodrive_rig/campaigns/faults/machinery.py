"""Analog sensors, drivers, motors, actuator, needle, syringe, motor supply."""

from collections.abc import Callable

from mesodrive_rig.campaigns.faults.fault import SLOW_MS, TRAVEL_MS, Deed, Fault
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.plant import Analog, Output, analog

_NOISE_COUNTS = 40  # 1 % of the range
_NOISE_NS = 1_000_000
_BLINK_MS = 30.0


def _set(sensor: Analog, fault: Callable[[Analog], analog.Fault]) -> Deed:
    def do(session: Session) -> None:
        session.rig.injector.faults[sensor] = fault(sensor)

    return do


def _freeze(sensor: Analog) -> Deed:
    def do(session: Session) -> None:
        count = session.rig.injector.count(sensor)
        session.rig.injector.faults[sensor] = analog.shorted_to(count)

    return do


def _noisy(_: Analog) -> analog.Fault:
    """Up and down by 1 % of the range, in a pattern that is the same each time."""

    def noise(true: int, now_ns: float) -> int:
        turn = int(now_ns) // _NOISE_NS * 7919 % (2 * _NOISE_COUNTS + 1)
        return max(0, min(analog.FULL, true + turn - _NOISE_COUNTS))

    return noise


# sensor → what the device calls it, the alarm of a wire that is broken where its 0 V may be true,
# and those of a reading that may be true and is not
_SENSORS = {
    Analog.COIL_TEMP: ("coil temperature", None, ("over_temperature",)),
    Analog.SUPPLY: ("motor supply", "supply_low", ("supply_low",)),
    Analog.FORCE: ("plunger force", None, ("occlusion", "stalled", "air")),
}
_OF_A_SENSOR = ("sensor", "selftest")


def sensors() -> list[Fault]:
    """The analog wires open, shorted to ground and to the reference, noisy, and stuck at what
    they say: that cannot be told from a sensor that is right, and takes a second fault to harm."""
    ways: dict[str, tuple[Callable[[Analog], analog.Fault], bool]] = {
        "open": (analog.broken_wire, True),
        "grounded": (lambda _: analog.shorted_to(0), True),
        "shorted to 3V3": (lambda _: analog.shorted_to(analog.FULL), False),
    }
    found: list[Fault] = []
    for sensor, (name, at_0_v, untrue) in _SENSORS.items():
        words = (f"{name} sensor",)
        found += [
            Fault(f"{sensor} {way}", "sensor", _set(sensor, fault),
                  (at_0_v,) if at_0_v and is_0_v else _OF_A_SENSOR, words, SLOW_MS)
            for way, (fault, is_0_v) in ways.items()
        ]  # fmt: skip
        if sensor is Analog.FORCE:
            words += ("pressure|resist|felt",)
        found += [
            Fault(f"{sensor} is noisy", "sensor", _set(sensor, _noisy), (*_OF_A_SENSOR, *untrue),
                  words, SLOW_MS, harmless=True, unseen="less than what any limit leaves"),
            Fault(f"{sensor} is stuck", "sensor", _freeze(sensor), (*_OF_A_SENSOR, *untrue),
                  words, SLOW_MS, harmless=True,
                  unseen="cannot be told from one that is right; it takes a second fault to harm"),
        ]  # fmt: skip
    return found


def _blink(session: Session) -> None:
    """The supply is away for a moment."""
    injector, chip = session.rig.injector, session.rig.chip
    injector.set_supply_present(False)
    chip.call_at(chip.now_ns + _BLINK_MS * 1e6, lambda: injector.set_supply_present(True))


def machine() -> list[Fault]:
    """What can break outside the board."""
    plunger, depth = Output.PLUNGER_STEP, Output.DEPTH_STEP
    cases: list[tuple[str, Deed, tuple[str, ...], bool]] = [
        ("driver error", lambda s: s.rig.injector.set_driver_error(True),
         ("driver_fault", "selftest"), False),
        ("plunger motor stalls", lambda s: s.rig.injector.set_stalled(plunger, True),
         ("driver_fault", "air", "stalled", "home_missing", "home_stuck"), True),
        ("depth motor stalls", lambda s: s.rig.injector.set_stalled(depth, True),
         ("driver_fault", "home_missing", "home_stuck", "misfire"), True),
        ("coil misfires", lambda s: s.rig.injector.set_misfiring(True), ("misfire",), True),
        ("needle sticks", lambda s: s.rig.injector.set_sticking(True), ("needle_stuck",), True),
        ("needle blocked", lambda s: s.rig.injector.set_blocked(True), ("occlusion",), True),
        ("syringe empty", lambda s: s.rig.injector.take_syringe_out(),
         ("air", "stalled"), True),
        ("syringe at its end", lambda s: s.rig.injector.end_syringe(), ("occlusion",), True),
        ("coil hot", lambda s: s.rig.injector.set_coil_c(70.0),
         ("over_temperature", "selftest"), False),
        ("supply sags", lambda s: s.rig.injector.set_supply_v(17.0),
         ("supply_low", "selftest", "rail_dead"), False),
        ("supply blinks", _blink, ("supply_low", "selftest", "rail_dead"), True),
        ("supply cut", lambda s: s.rig.injector.set_supply_present(False),
         ("supply_low", "selftest", "rail_dead"), False),
    ]  # fmt: skip
    bites_in = {"depth motor stalls": (Phase.DEPTH_FAST,)}
    return [
        Fault(name, "machine", deed, codes, ("rail|supply|strike coil|driver|syringe|fill",),
              TRAVEL_MS, harmless=harmless, bites_in=bites_in.get(name, ()))
        for name, deed, codes, harmless in cases
    ]  # fmt: skip
