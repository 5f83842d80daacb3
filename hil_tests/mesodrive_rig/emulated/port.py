"""The device's serial port as the host tool holds it, in emulated time: reading lets time pass."""

from mesodrive.link.port import PortLostError
from mesodrive_rig.emulated.chip import Chip

_SLICE_NS = 500_000


class EmulatedPort:
    """A `mesodrive.link.port.Port` on an emulated chip. Closing it drops DTR."""

    name = "emulated"

    def __init__(self, chip: Chip):
        self._chip = chip
        self._open = True
        chip.open_port(self._lost)

    def now_s(self) -> float:
        return self._chip.now_ns / 1e9

    def read(self, timeout_s: float) -> bytes:
        """Return what has come; let up to `timeout_s` of emulated time pass waiting for it."""
        self._check()
        end = self._chip.now_ns + timeout_s * 1e9
        while not self._chip.received and self._chip.now_ns < end:
            self._chip.run_for(min(_SLICE_NS, end - self._chip.now_ns))
        return self._chip.take()

    def write(self, data: bytes) -> None:
        self._check()
        self._chip.send(data)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._chip.close_port()

    def _lost(self) -> None:
        self._open = False

    def _check(self) -> None:
        if not self._open:
            raise PortLostError("The emulated port is gone; connect again.")
