"""A device without a chip: the firmware on its stand-in port, for tests of the host."""

from typing import Any

from mesodrive.device import Device
from mesodrive_rig.campaigns.pure_firmware import firmware

_SLICE_MS = 10


class FirmwarePort:
    """A `mesodrive.link.port.Port` whose time passes as it is read."""

    name = "stand-in"

    def __init__(self, machine: Any):
        self._machine = machine
        machine.port.set("open", True)

    def now_s(self) -> float:
        return self._machine.port.now_ms / 1000

    def read(self, timeout_s: float) -> bytes:
        self._machine.run(max(1, min(_SLICE_MS, round(timeout_s * 1000))))
        line = self._machine.port.line
        sent, line.sent = line.sent, b""
        return sent

    def write(self, data: bytes) -> None:
        self._machine.port.line.arrived += data

    def close(self) -> None:
        self._machine.port.set("open", False)
        self._machine.run(_SLICE_MS)


class Bench:
    """A device that `connect` reaches as often as one likes; `restart` is a power cut."""

    def __init__(self, *, claimed: bool):
        stand_ins = firmware("stand_ins")
        port = stand_ins.StandInPort()
        firmware("stand_ins.machine").with_ledger(port)
        if not claimed:
            port.settings_flash = stand_ins.StandInPort().settings_flash
        self._boot(port)

    def connect(self) -> Device:
        self.port = FirmwarePort(self.machine)
        return Device(self.port)

    def restart(self) -> Device:
        port = firmware("stand_ins").StandInPort()
        port.ledger_flash.data[:] = self.machine.port.ledger_flash.data
        port.settings_flash.data[:] = self.machine.port.settings_flash.data
        self._boot(port)
        return self.connect()

    def _boot(self, port: Any) -> None:
        self.machine = firmware("stand_ins").Machine(port)
        self.machine.host = None
        # what the unit tests look at would otherwise not go out on the line
        self.machine.link.tell = _say_nothing
        self.machine.boot()


def _say_nothing(*_: object) -> None:
    pass
