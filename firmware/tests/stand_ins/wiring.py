"""What a person holds, and the rail: the wired AND of all that must agree to it."""

import board
import drives

from stand_ins.programs import TICKS_US

_TICKS_MS = 1_000 * TICKS_US
_RAIL_UP = 3 * _TICKS_MS
_RAIL_HOLD = 200 * _TICKS_MS


class Wiring:
    """`now` is in ticks; whoever lets time pass sets it."""

    def __init__(self):
        self.now = 0
        self.hands = {"guard": 1, "stop": 1, "cartridge": 1, "contact": 0, "trigger": 0}
        self.hands["driver_ok"] = 1
        self.supply = 1
        self.rail_stays = False  # its switch is shorted
        self.supply_mv = drives.SUPPLY_MV
        self.coil_dc = 250
        self.force_mn = 2_000  # at rest
        self.push_mn = 0  # more while a dose is pushed
        self.counts = {}  # "coil", "supply", "force": what a broken sensor gives instead
        self.alarm = (0, 0, 0)  # red, yellow, buzzer
        self._asked_at = 0  # tick at which the rail was asked for
        self._held_until = 0  # tick until which it is
        self._hand_bits = self._wired()

    def move_hand(self, name, state):
        self.hands[name] = state
        self._hand_bits = self._wired()

    @property
    def enable(self):
        return self.now < self._held_until

    def hold_rail(self):
        if not self.enable:
            self._asked_at = self.now
        self._held_until = self.now + _RAIL_HOLD

    def drop_rail(self):
        self._held_until = self.now

    def set_alarm(self, red, yellow, buzzer):
        self.alarm = (int(red), int(yellow), int(buzzer))

    def analog(self):
        supply_mv = self.supply_mv if self.supply else 0
        counts = {
            "coil": _coil_count(self.coil_dc),
            "supply": drives.SUPPLY_SENSOR.count(supply_mv),
            "force": drives.FORCE_SENSOR.count(self.force_mn + self._pushing * self.push_mn),
        }
        counts.update(self.counts)
        return [counts["coil"], counts["supply"], counts["force"]]

    @property
    def _pushing(self):
        return False

    @property
    def must_hold(self):
        """Whether all that a strike needs is there."""
        return all(self.hands.values()) and self.rail

    @property
    def rail(self):
        """Power for motors and strike: what the wired AND lets through."""
        if self.rail_stays:
            return True
        up = self.enable and self.now - self._asked_at >= _RAIL_UP
        return bool(up and self.supply and self.hands["guard"] and self.hands["stop"])

    def rail_tick(self, never):
        """When the rail comes up or falls by itself, or `never`."""
        ticks = [self._held_until, self._asked_at + _RAIL_UP]
        return min([tick for tick in ticks if tick > self.now] + [never])

    def wired_bits(self):
        """All inputs that hang on hands and rail."""
        return self._hand_bits | (self.rail << board.RAIL)

    def _wired(self):
        hands = dict(self.hands)
        hands["interlock"] = hands["guard"] and hands["stop"]
        hands.setdefault("trigger_2", hands["trigger"])
        return sum([1 << getattr(board, name.upper()) for name, on in hands.items() if on])


_COIL_COUNTS = {}  # by tenths of °C: looking for one takes a while


def _coil_count(tenths):
    """The highest count at which the sensor says `tenths` of °C or more."""
    if tenths not in _COIL_COUNTS:
        _COIL_COUNTS[tenths] = _find_coil_count(tenths)
    return _COIL_COUNTS[tenths]


def _find_coil_count(tenths):
    sensor = drives.COIL_SENSOR
    low, high = sensor.least, sensor.most
    while low < high:
        middle = (low + high + 1) // 2
        if sensor.value(middle) >= tenths:
            low = middle
        else:
            high = middle - 1
    return low
