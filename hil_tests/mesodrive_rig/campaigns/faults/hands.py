"""Hands that tremble: a finger or the skin loses touch for some ms, again and again."""

from mesodrive_rig.campaigns.faults.fault import SLOW_MS, Deed, Fault
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import OverError, Session
from mesodrive_rig.campaigns.faults.treatment import DOSE
from mesodrive_rig.plant import Sensor
from mesodrive_rig.plant.hands import line_level

# All shorter than the 20 ms that a press, a touch, a release and a lifting must last to count.
_GAPS_MS = (2.0, 7.0, 13.0, 18.0)
_EACH_MS = 60.0  # time enough between two for a touch to count
_TREMBLING_MS = [
    edge_ms
    for place, gap_ms in enumerate(_GAPS_MS)
    for edge_ms in (3.0 + place * _EACH_MS, 3.0 + place * _EACH_MS + gap_ms)
]
_SHOT_MS = 200.0  # from the pull until the one strike is over
# Where a person can turn to another profile that begins at once.
_LOADABLE = (Phase.ARMED, Phase.PAUSED, Phase.DONE)
_NO_PRESS = "so short that it neither begins nor counts"
_WORDS = ("trigger|touch|contact|skin",)


def _trembles(sensor: Sensor) -> Deed:
    """What is held loses touch; what is not held is touched."""

    def do(session: Session) -> None:
        held = session.rig.injector.levels()[sensor] == line_level(sensor, True)
        session.rig.set(sensor, held, _TREMBLING_MS)

    return do


def _after_one_strike(mode: str, hand: Sensor) -> Deed:
    """In a `mode` that gives one strike at a time: have it, then tremble. A second is noted."""

    def do(session: Session) -> None:
        person, rig = session.person, session.rig
        session.release()
        person.disarm()
        fill_nl = int(1000 * rig.truth().left_ul)
        person.device.load(DOSE | {"mode": mode, "fill_nl": fill_nl})
        person.device.home()
        person.device.arm()
        before = len(rig.truth().strikes)
        if mode == "stamp":
            session.press()
            person.wait(_EACH_MS)
            rig.set(Sensor.CONTACT, True)
        else:
            person.touch()
            session.press()
        person.wait(_SHOT_MS)
        if len(rig.truth().strikes) != before + 1:
            raise OverError(f"no single strike came in {mode}")
        rig.set(hand, True, _TREMBLING_MS)
        person.wait(_TREMBLING_MS[-1] + _SHOT_MS)
        if len(rig.truth().strikes) != before + 1:
            session.obeyed.append("a second strike of one pull")

    return do


def hands() -> list[Fault]:
    """Nothing that is shorter than 20 ms begins a strike, whether it was held before or not."""
    codes = ("selftest", "trigger")
    pairs = (("finger", Sensor.TRIGGER, "single"), ("touch", Sensor.CONTACT, "stamp"))
    found: list[Fault] = []
    for name, sensor, mode in pairs:
        found += [
            Fault(f"{name} trembles", "hand", _trembles(sensor), codes, _WORDS, SLOW_MS,
                  harmless=True, unseen=_NO_PRESS),
            Fault(f"{name} trembles after a strike in {mode}", "hand", lambda _: None,
                  bound_ms=SLOW_MS, harmless=True, unseen=_NO_PRESS,
                  course=_after_one_strike(mode, sensor),
                  not_in=tuple(phase for phase in Phase if phase not in _LOADABLE)),
        ]  # fmt: skip
    return found
