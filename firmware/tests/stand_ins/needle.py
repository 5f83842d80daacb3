"""The actuator and the needle's two sensors, as one machine was built."""

from injector.strike import Actuator
from stand_ins.programs import TICKS_US

# Quicker than boards/pico/drives.py plans with, as nearly every machine of a series is.
NEEDLE = Actuator(
    "as built", clearance_um=1_000, coil_m_s2=1_300, spring_m_s2=1_000, pull_in_us=200
)


class Needle:
    """`depth_um()` says where the depth stop is, below the skin's surface."""

    def __init__(self, depth_um):
        self.jams = 0  # it does not reach its stop
        self.sticks = 0  # it does not come back
        self.late_us = 0  # it reaches its stop so much later
        self.is_out = False
        self.is_back = True
        self._depth_um = depth_um
        self._out_at = None  # ticks
        self._back_at = None

    def drive(self, now):
        """The current is on."""
        self.is_back = False
        self._back_at = None
        self._out_at = now + TICKS_US * (NEEDLE.travel_us(self._depth_um()) + self.late_us)

    def release(self, now):
        """The current is off."""
        self.is_out = False
        self._out_at = None
        self._back_at = now + TICKS_US * NEEDLE.return_us(self._depth_um())

    def next_tick(self, never):
        """When it next arrives somewhere."""
        if self._out_at is not None and not self.jams:
            return self._out_at
        if self._back_at is not None and not self.sticks:
            return self._back_at
        return never

    def arrive(self):
        """It has arrived where it was on its way to."""
        if self._out_at is not None:
            self._out_at = None
            self.is_out = True
        else:
            self._back_at = None
            self.is_back = True
