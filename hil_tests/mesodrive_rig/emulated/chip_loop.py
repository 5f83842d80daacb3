"""Runs the emulated chip, instruction by instruction, until it is stopped.

Half of a computer's time went into the emulator's own loop, which looks at both PIO blocks and at
its own flag after each instruction; `pio_time` wakes the blocks where they are due. `make
emulator` compiles this file with the types of `chip_loop.pxd`; it runs as it stands, too, slower.
"""

from typing import Any

_CLOCK_NS = 8  # of 125 MHz


class Loop:
    """The clock of `mcu` and its CPU, one after the other. `stop` may come from any alarm."""

    def __init__(self, mcu: Any):
        self._core = mcu.core
        self._clock = mcu.clock
        self._stopped = True

    def run(self) -> None:
        """Go on until `stop`; there must be an alarm that calls it."""
        self._stopped = False
        while not self._stopped:
            if self._core.waiting:
                self._clock.tick(self._clock.nanos_to_next_alarm)
            else:
                self._clock.tick(self._core.execute_instruction() * _CLOCK_NS)

    def stop(self) -> None:
        """Have `run` end with the instruction that it is at."""
        self._stopped = True
