"""A person who waits for a device that says nothing for so long, and no longer."""

from mesodrive.link.client import DeviceSilentError
from mesodrive_rig.emulated.chip import Chip
from mesodrive_rig.emulated.port import EmulatedPort

_PATIENCE_S = 1.2


class ImpatientPort(EmulatedPort):
    """Raises DeviceSilentError when nothing at all has come for 1.2 s."""

    def __init__(self, chip: Chip):
        super().__init__(chip)
        self._heard_s = self.now_s()

    def read(self, timeout_s: float) -> bytes:
        """As an EmulatedPort."""
        data = super().read(timeout_s)
        now_s = self.now_s()
        if data:
            self._heard_s = now_s
        elif now_s - self._heard_s > _PATIENCE_S:
            raise DeviceSilentError("The device does not answer any more.")
        return data
