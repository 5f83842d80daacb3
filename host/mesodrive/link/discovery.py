"""Which ports have a mesodrive on them, and which of them is meant."""

import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs
from serial.tools import list_ports

from mesodrive.errors import MesodriveError

USB_IDS = {(0x2E8A, 0x0005)}  # Raspberry Pi's vendor id, MicroPython's product id on the RP2040
USB_PRODUCT = "mesodrive injector"  # boards/*/mpconfigboard.h; other MicroPython boards differ


class NoDeviceError(MesodriveError):
    """No device, or more than one where one is wanted."""


@dataclass(frozen=True)
class Found:
    """A port with a device. `simulated` ones are kept alive by `mesodrive sim`."""

    port: str
    serial: str
    product: str
    usb_id: str
    simulated: bool

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def simulators_dir() -> Path:
    """Where running simulators leave a link to their serial path, named by serial number."""
    return platformdirs.user_cache_path("mesodrive", appauthor=False) / "simulators"


def hands_of(port: Path) -> Path:
    """The socket beside a simulator's serial path, for programs that move its hands."""
    return port.with_name(port.name + ".hands")


def is_simulated(port: Path) -> bool:
    """Whether a running simulator serves `port`.

    One that was killed leaves its link, and what that points to may be another terminal by now.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(hands_of(port)))
        except OSError:
            return False
    return True


def find_devices() -> list[Found]:
    """All devices on this computer, real ones first, each in order of its serial number."""
    real = [
        Found(
            port.device,
            port.serial_number or "",
            port.product or "",
            f"{port.vid:04x}:{port.pid:04x}",
            simulated=False,
        )
        for port in list_ports.comports()
        # Some systems do not tell the product; then the ids must do, and info will tell.
        if (port.vid, port.pid) in USB_IDS and port.product in (USB_PRODUCT, None, "")
    ]
    return sorted(real, key=_by_serial) + sorted(_simulators(), key=_by_serial)


def choose(port: str | None = None, serial: str | None = None) -> str:
    """The port to open: `port` itself, or the one device (with `serial`, if given).

    MESODRIVE_PORT stands for `port` when neither is given. Raises NoDeviceError.
    """
    if port:
        return port
    if not serial and os.environ.get("MESODRIVE_PORT"):
        return os.environ["MESODRIVE_PORT"]
    found = find_devices()
    if serial:
        found = [device for device in found if device.serial == serial]
        if not found:
            raise NoDeviceError(
                f"There is no device with the serial number {serial}; list what there is with "
                "mesodrive devices."
            )
    if not found:
        raise NoDeviceError(
            "No mesodrive is connected; plug one in, name its port with --port, or start one "
            "with mesodrive sim."
        )
    if len(found) > 1:
        ports = ", ".join(f"{device.port} ({device.serial})" for device in found)
        raise NoDeviceError(
            f"{len(found)} devices are connected: {ports}; say which with --serial or --port."
        )
    return found[0].port


def _simulators() -> list[Found]:
    folder = simulators_dir()
    if not folder.is_dir():
        return []
    return [
        Found(str(link), link.name, "mesodrive injector (simulated)", "", simulated=True)
        for link in folder.iterdir()
        if link.is_symlink() and is_simulated(link)
    ]


def _by_serial(device: Found) -> tuple[str, str]:
    return device.serial, device.port
