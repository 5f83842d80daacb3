"""Serial ports: what the link needs of one, and the real ones through pyserial."""

import errno
import time
from typing import Protocol

import serial

from mesodrive.errors import MesodriveError


class PortError(MesodriveError):
    """A port that cannot be opened."""


class PortLostError(MesodriveError):
    """A port that was open and is gone: cable pulled, device restarted, program closed it."""


class Port(Protocol):
    """An open serial port, and the time that passes on it (an emulated port has its own)."""

    name: str

    def now_s(self) -> float:
        """Seconds on the port's clock, which never runs backwards."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; waits up to `timeout_s` for it. Raises PortLostError."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`. Raises PortLostError."""
        ...

    def close(self) -> None:
        """Give the port back; the device sees DTR fall and stops."""
        ...


class SerialPort:
    """A real port. Opening it takes it for this process alone."""

    def __init__(self, path: str):
        """Open `path` (a device path or a pyserial URL). Raises PortError."""
        self.name = path
        try:
            self._serial = serial.serial_for_url(path, do_not_open=True, timeout=0)
            self._serial.write_timeout = 2
            if not path.startswith(("socket:", "loop:")):
                self._serial.exclusive = True
            self._serial.open()
        except (serial.SerialException, ValueError, OSError) as error:
            raise PortError(_why_not(path, error)) from error

    def now_s(self) -> float:
        return time.monotonic()

    def read(self, timeout_s: float) -> bytes:
        try:
            self._serial.timeout = timeout_s
            first = self._serial.read(1)
            return first + self._serial.read(self._serial.in_waiting) if first else b""
        except (serial.SerialException, OSError, TypeError) as error:
            # pyserial raises TypeError when the port is closed while it reads
            raise PortLostError(
                f"The port {self.name} is gone; check the cable and connect again."
            ) from error

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise PortLostError(
                f"The port {self.name} takes no more data; check the cable and connect again."
            ) from error

    def close(self) -> None:
        self._serial.close()


def _why_not(path: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN):  # the second: another process has locked it
        return f"The port {path} is in use by another program; close that program and try again."
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"You may not open the port {path}; join the group that owns it (often dialout) "
            "and log in again."
        )
    if number == errno.ENOENT:
        return (
            f"There is no port {path}; plug the device in, or list what there is with "
            "mesodrive devices."
        )
    return (
        f"The port {path} cannot be opened ({error}); list what there is with mesodrive devices."
    )
