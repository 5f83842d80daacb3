"""Leaps in time while the chip idles, so that days go by in minutes.

An idle chip sleeps, wakes, looks at everything, and sleeps again, thousands of times the same. A
leap leaves such rounds out: the µs timer, its alarms, and the plant's own appointments go on as if
the time had passed. What only measures how far apart two of these rounds are stands still: the
watchdog, the dead-man and the frames of the USB, all of them served before the leap as after it.
"""

import itertools
from collections.abc import Callable
from typing import Any

from mesodrive.errors import MesodriveError

_NS_PER_US = 1000
_WRAP_US = 1 << 32
_PULSES = 0  # the PIO block whose machines make steps and strikes


class Leaps:
    """The leaps of the chip `mcu`, and the appointments that they bring nearer."""

    def __init__(self, mcu: Any):
        self.leapt_ns = 0
        self._mcu = mcu
        self._clock = mcu.clock
        self._timer: Any = next(
            part for part in mcu.peripherals.values() if type(part).__name__ == "RPTimer"
        )
        self._order = itertools.count()
        self._calls: set[Call] = set()

    def call_at(self, ns: float, callback: Callable[[], None]) -> "Call":
        """Have `callback` called at `ns`, leaps counted, or as soon as possible after."""
        call = Call(self._clock, self._calls, next(self._order), callback)
        call.due_ns = ns
        call.schedule(self.leapt_ns)
        return call

    def leap(self, ns: float) -> None:
        """Let whole µs within `ns` have gone by; what fell due meanwhile is done at once.

        Raises MesodriveError when the CPU does not sleep or something is being driven.
        """
        if not self._mcu.core.waiting:
            raise MesodriveError("The chip is at work; leap while it sleeps.")
        if any(sm.enabled and not sm.waiting for sm in self._mcu.pio[_PULSES].machines):
            raise MesodriveError("Steps or a strike are under way; leap when they are over.")
        us = int(ns) // _NS_PER_US
        timer = self._timer
        before_us = int(timer._micros())
        self.leapt_ns += us * _NS_PER_US
        timer._epoch_nanos -= us * _NS_PER_US
        for alarm in timer.alarms:
            if alarm.armed:
                left_us = (alarm.target_micros - before_us) % _WRAP_US
                late = left_us <= us
                alarm.clock_alarm.schedule(0 if late else (left_us - us) * _NS_PER_US)
        for call in sorted(self._calls, key=lambda call: (call.due_ns, call.order)):
            call.schedule(self.leapt_ns)


class Call:
    """An appointment; `cancel` calls it off."""

    def __init__(
        self, clock: Any, live: "set[Call]", order: int, callback: Callable[[], None]
    ) -> None:
        self.order = order
        self.due_ns = 0.0
        self._clock = clock
        self._live = live
        self._callback = callback
        self._alarm = clock.create_alarm(self._due)

    def schedule(self, leapt_ns: int) -> None:
        """Be called at `due_ns`, of which `leapt_ns` were leapt."""
        self._live.add(self)
        self._alarm.schedule(max(0.0, self.due_ns - leapt_ns - self._clock.nanos))

    def cancel(self) -> None:
        """Call it off; does nothing once it has run."""
        self._live.discard(self)
        self._alarm.cancel()

    def _due(self) -> None:
        self._live.discard(self)
        self._callback()
