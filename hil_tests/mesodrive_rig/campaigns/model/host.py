"""Hosts: the real client on a modelled port. One may crash, and another may take its place."""

import math
from collections.abc import Callable
from typing import Any

from mesodrive.access import Role
from mesodrive.device import Device, DeviceError
from mesodrive.link.client import DeviceSilentError, Ids, RefusedError
from mesodrive.link.port import PortLostError
from mesodrive.telemetry import TelemetryError
from mesodrive_rig.campaigns.model import firmware
from mesodrive_rig.campaigns.model.violation import Violation
from mesodrive_rig.campaigns.model.witness import HARMLESS, Call
from mesodrive_rig.campaigns.model.world import World
from mesodrive_wire import STOP, decode

LOST = (PortLostError, DeviceSilentError)
_LATER = ("home", "prime", "dose.resolve")  # the answer tells how it has ended


class HostCrash(BaseException):
    """The host's program is gone in the middle of what it did."""


class ModelPort:
    """A host's end of the cable; the world goes on while the host waits."""

    def __init__(self, world: World):
        self.name = "model"
        self.alive = True
        self.inbox = b""
        self.crashes = False
        self.call: Call | None = None  # on whose behalf lines are sent; None: each id is one
        self._calls: dict[int, Call] = {}
        self._world = world
        world.plug(self)

    def now_s(self) -> float:
        return self._world.now_us / 1e6

    def read(self, timeout_s: float) -> bytes:
        self._must_live()
        us = math.ceil(timeout_s * 1e6)
        self._world.pass_time(us, lambda: self.inbox or not self.alive or self.crashes)
        self._must_live()
        data, self.inbox = self.inbox, b""
        return data

    def write(self, data: bytes) -> None:
        self._must_live()
        if data != STOP:
            self._world.witness.written(data, self.call or self._call_of(data))
        self._world.to_device.send(data, self._world.now_us)

    def close(self) -> None:
        if self.alive:
            self._world.unplug()

    def _call_of(self, line: bytes) -> Call:
        message = decode(line.strip())
        id, method = message["id"], message["method"]
        assert isinstance(id, int)
        return self._calls.setdefault(id, Call(0, str(method), self._world.witness.boot))

    def _must_live(self) -> None:
        if self.crashes:
            self._world.unplug()
            raise HostCrash
        if not self.alive:
            raise PortLostError("The port is gone; connect again.")


class Host:
    """One computer with the program on it, whose clock is `ahead_ms` of the others'."""

    def __init__(self, world: World, number: int, ahead_ms: int):
        self.number = number
        self.device: Device | None = None
        self.rows: list[Any] = []
        self.port: ModelPort | None = None
        self._world = world
        self._ahead_ms = ahead_ms

    def connect(self) -> None:
        """Open the port, and log in if a device answers."""
        self.close()
        self.port = ModelPort(self._world)
        if self._try("info", self._open):
            self.log_in("operator")

    def log_in(self, role: Role) -> None:
        """Prove who the host is."""
        self.ask("auth.prove", lambda device: device.login(role, firmware.KEYS[role]))

    def _open(self) -> None:
        assert self.port
        world = self._world
        ids = Ids(lambda: self._ahead_ms + world.now_us // 1_000, world.random.getrandbits)
        self.device = Device(self.port, ids=ids)

    def close(self) -> None:
        """Give the port back."""
        if self.port:
            self.port.close()
        self.port = self.device = None

    def ask(self, method: str, how: Callable[[Device], Any]) -> bool:
        """Give one command; whether it was carried out, as far as the host knows."""
        if not self.device:
            return False
        device = self.device
        return self._try(method, lambda: how(device))

    def wait(self, seconds: float) -> bool:
        """Stay connected, and be heard."""
        return self.ask("", lambda device: device.client.pump(seconds))

    def _try(self, method: str, how: Callable[[], Any]) -> bool:
        assert self.port
        witness = self._world.witness
        call = Call(self.number, method, witness.boot)
        self.port.call = call
        try:
            how()
        except RefusedError as refused:
            # A later one of its requests may be refused, and so may one whose answer a reset took.
            ran = call.effects[-1:] == [witness.boot] or method in HARMLESS
            if ran and call.ran_in == witness.boot and method not in _LATER:
                raise Violation(
                    f"{method} was carried out and is told as refused: {refused}"
                ) from refused
            return False
        except (TelemetryError, DeviceError) as error:
            raise Violation(f"{method} is answered with {error}") from error
        except LOST:
            self.close()
            return False
        except HostCrash:
            self.port = self.device = None
            return False
        if method and not call.runs and not call.perhaps:
            raise Violation(f"{method} was not carried out and is told as done")
        return True
