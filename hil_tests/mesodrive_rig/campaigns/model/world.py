"""Time, the device with its power and its flash, the cable, and whoever holds its other end."""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Any

from mesodrive_rig.campaigns.model import firmware
from mesodrive_rig.campaigns.model.flash import Flash, PowerCut
from mesodrive_rig.campaigns.model.link import CALM, Direction, Weather
from mesodrive_rig.campaigns.model.violation import Violation
from mesodrive_rig.campaigns.model.witness import Witness
from mesodrive_wire import STOP

_DRIVES = firmware.quick_drives()
NEEDLE_RETURNS_US = 60_000  # how long the power is off at least: the spring is that quick


class Line:
    """The device's end of the cable."""

    def __init__(self, send: Callable[[bytes], None]):
        self.open = False
        self.arrived = b""
        self._send = send

    def connected(self) -> bool:
        return self.open

    def readinto(self, buffer: bytearray) -> int:
        part = self.arrived[: len(buffer)]
        buffer[: len(part)] = part
        self.arrived = self.arrived[len(part) :]
        return len(part)

    def write(self, part: memoryview) -> int:
        if not self.open:
            return 0
        self._send(bytes(part))
        return len(part)

    def discard(self) -> None:
        self.arrived = b""


class Memory:
    """The heap: freed only while nothing moves."""

    def __init__(self, port: Any):
        self._port = port

    def collect(self) -> None:
        if self._port.moving:
            raise Violation("memory is being freed while something moves")

    def mem_free(self) -> int:
        return 1 << 20


class World:
    """Everything but the host's program. `flashes` are images by the port's attribute."""

    def __init__(self, random: Random, flashes: dict[str, tuple[bytes, int]]):
        self.random = random
        self.now_us = 0
        self.witness = Witness()
        self.to_device = Direction(random, self._device_hears)
        self.to_host = Direction(random, self._host_hears)
        self.plugged: Any = None  # the host's port
        self.machine: Any = None
        self._flashes = {
            name: Flash(data, sector, random, self._may_write)
            for name, (data, sector) in flashes.items()
        }
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._planned = 0
        self._port: Any = None
        self._off_until_us: int | None = 0
        self._look_us = 0
        self.power_on()

    # time

    def at(self, in_us: int, action: Callable[[], None]) -> None:
        """Have something happen so much later."""
        self._planned += 1
        heappush(self._due, (self.now_us + in_us, self._planned, action))

    def pass_time(self, us: int, enough: Callable[[], object] = lambda: False) -> None:
        """Let time pass, or until it is `enough`."""
        until = self.now_us + us
        while True:
            self._do_due()
            if enough() or self.now_us >= until:
                return
            if self.machine and (self.now_us >= self._look_us or self._port.line.arrived):
                self._look()
            self._advance_to(min(until, *self._next()))

    def forget_plans(self) -> None:
        """What was to happen later does not; but a device that is off comes on again."""
        self._due = [one for one in self._due if one[2] == self.power_on]

    def rest(self, us: int) -> None:
        """Much time passes at once, with nothing live: nobody looks meanwhile."""
        if self.machine and self.machine.controller.state in ("SAFE", "FAULT"):
            self._advance_to(self.now_us + us)
            self.witness.nobody_looks(us)
        self.pass_time(20_000)

    def _next(self) -> list[int]:
        times = [self.now_us + 200_000]
        if self.machine:
            times.append(self.now_us + 500 if self._port.line.arrived else self._look_us)
        if self._due:
            times.append(self._due[0][0])
        for direction in (self.to_device, self.to_host):
            if direction.next_us is not None:
                times.append(direction.next_us)
        return [max(time, self.now_us + 1) for time in times]

    def _do_due(self) -> None:
        self.to_device.arrive(self.now_us)
        self.to_host.arrive(self.now_us)
        while self._due and self._due[0][0] <= self.now_us:
            heappop(self._due)[2]()

    def _advance_to(self, us: int) -> None:
        if self.machine:
            self._port.advance_us(us - self.now_us)
        self.now_us = self.witness.now_us = us

    def _look(self) -> None:
        try:
            self.machine.look()
        except PowerCut:
            self.reset(unplug=False)
            return
        except Violation:
            raise
        except Exception as error:
            raise Violation(f"the firmware ends with {error!r}") from error
        self._look_us = self.now_us + 1_000 * self.machine.controller.pace_ms
        self.witness.look()

    # power

    def reset(self, *, unplug: bool, off_us: int = 0) -> None:
        """The device starts anew, by its watchdog or by its supply; `unplug`: the host sees it."""
        if not self.machine:
            return
        self.witness.power_off()
        self._port.on_strike = lambda: None
        self._port.off()
        self._port.advance_us(NEEDLE_RETURNS_US)
        self.machine = None
        if unplug:
            self.unplug()
        self.at(NEEDLE_RETURNS_US + off_us, self.power_on)

    def power_on(self) -> None:
        """The firmware starts, in the place where things have come to be."""
        old, port = self._port, firmware.stand_ins.StandInPort()
        if old:
            port.at = old.at
            port.hands = old.hands
            for name, state in old.hands.items():
                port.move_hand(name, state)
        port.line = Line(lambda data: self.to_host.send(data, self.now_us))
        port.line.open = self.plugged is not None
        port.random = self.random.randbytes
        for name, flash in self._flashes.items():
            setattr(port, name, flash)
        self._port = port
        uptime = firmware.stand_in_machine.Uptime(port)
        try:
            machine = firmware.machine.Machine(
                port, firmware.board, _DRIVES, uptime, Memory(port), "model"
            )
            self.witness.power_on(machine)
            self.machine = machine
            machine.start()
            self.witness.started()
        except PowerCut:
            if self.machine:
                self.reset(unplug=False)
            else:
                self.at(NEEDLE_RETURNS_US, self.power_on)
        self._look_us = self.now_us

    def cut_at_flash(self, operations: int) -> None:
        """Power goes in the middle of the flash operation that is so many ahead."""
        for flash in self._flashes.values():
            flash.cut_in = operations

    def _may_write(self) -> None:
        if self._port.moving:
            raise Violation("flash is written while something moves")

    # the cable

    def plug(self, port: Any) -> None:
        """A host opens the port."""
        self.plugged = port
        self.witness.closed_us = None
        if self.machine:
            self._port.set("open", True)

    def unplug(self) -> None:
        """The host closes the port, or its cable is pulled."""
        if self.plugged is None:
            return
        self.plugged.alive = False
        self.plugged = None
        self.witness.closed_us = self.now_us
        if self.machine:
            self._port.set("open", False)

    @property
    def misfortunes(self) -> int:
        return self.to_device.misfortunes + self.to_host.misfortunes

    def set_weather(self, weather: Weather) -> None:
        self.to_device.weather = self.to_host.weather = weather

    def calm(self) -> None:
        """The weather is calm, and nothing old is under way."""
        self.set_weather(CALM)
        self.to_device.clear()
        self.to_host.clear()

    def _device_hears(self, data: bytes) -> None:
        if not self.machine or not self._port.line.open:
            return
        if STOP in data:
            self._port.host_stop()
        self._port.line.arrived += data

    def _host_hears(self, data: bytes) -> None:
        if self.plugged is not None:
            self.plugged.inbox += data

    # hands

    def move_hand(self, name: str, state: int) -> None:
        """A person presses, lifts, opens … whether the device has power or not."""
        self.witness.hand_moves(name, state)
        self._port.set(name, state)

    def pull(self, hold_us: int, touch_us: int = 32_000) -> None:
        """A person lets go, sets the device on skin, pulls, and lets go after a while; if it is
        set on skin that late, the trigger is held before."""
        self.move_hand("trigger", 0)
        self.at(touch_us, lambda: self.move_hand("contact", 1))
        self.at(34_000, lambda: self.move_hand("trigger", 1))
        self.at(34_000 + hold_us, lambda: self.move_hand("trigger", 0))
        self.at(35_000 + hold_us, lambda: self.move_hand("contact", 0))

    def tremble(self, name: str, at_us: int, gap_us: int) -> None:
        """A hand loses touch for a moment, `at_us` from now."""
        self.at(at_us, lambda: self.move_hand(name, 0))
        self.at(at_us + gap_us, lambda: self.move_hand(name, 1))


def new_world(seed: int) -> World:
    """A device as a site has it, with its ledger, keys and limits; nobody is connected."""
    random = Random(seed)
    # Some sites allow little, so that limits are met often.
    limits = {
        "session_nl": random.choice((60_000, 600_000, firmware.limits.MAX_SESSION_NL)),
        "hour_nl": random.choice((90_000, 900_000, firmware.limits.MAX_HOUR_NL)),
    }
    world = World(random, firmware.flashes_at_a_site(limits))
    world.witness.most_session_nl = limits["session_nl"]
    world.witness.most_hour_nl = limits["hour_nl"]
    return world
