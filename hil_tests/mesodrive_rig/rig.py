"""What a test may do to a device and see of it, on an emulated rig or a bench."""

from collections.abc import Sequence
from typing import Protocol

from mesodrive.link.port import Port
from mesodrive_rig.plant import Sensor, Truth


class Rig(Protocol):
    """A device with hands and eyes. Times are the rig's own: emulated, or a bench clock."""

    def connect(self) -> Port:
        """Open the device's serial port, as the host tool does."""
        ...

    def set(self, sensor: Sensor, is_true: bool, bounce_ms: Sequence[float] = ()) -> None:
        """Move one of the operator's switches: trigger, contact, guard, stop, cartridge. It
        toggles at each of `bounce_ms` (ms from now, an even number of them) before it rests."""
        ...

    def run_for(self, ms: float) -> None:
        """Let `ms` milliseconds of the rig's time pass."""
        ...

    def now_ms(self) -> float:
        """The rig's time."""
        ...

    def truth(self) -> Truth:
        """What truly happened so far: volumes, depths, edges."""
        ...

    def reset(self) -> None:
        """Take the device's power away for a moment."""
        ...
