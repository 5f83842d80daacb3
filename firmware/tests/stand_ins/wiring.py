"""What a person holds, and the rail: the wired AND of all that must agree to it."""

import board

from stand_ins.programs import TICKS_US

_TICKS_MS = 1_000 * TICKS_US
_RAIL_UP = 3 * _TICKS_MS
_RAIL_HOLD = 200 * _TICKS_MS


class Wiring:
    """`now` is in ticks; whoever lets time pass sets it."""

    def __init__(self):
        self.now = 0
        self.hands = {"guard": 1, "stop": 1, "cartridge": 1, "contact": 0, "trigger": 0}
        self.supply = 1
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

    @property
    def must_hold(self):
        """Whether all that a strike needs is there."""
        return all(self.hands.values()) and self.rail

    @property
    def rail(self):
        """Power for motors and strike: what the wired AND lets through."""
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
        return sum([1 << getattr(board, name.upper()) for name, on in hands.items() if on])
