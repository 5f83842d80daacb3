"""A virtual device that stays alive on a serial path which any serial program can open.

The path is one end of a pseudo-terminal; the image on the emulated chip is at the other. A second
path beside it, ending in `.hands`, is a socket for programs: one JSON object a line, answered by
one line. A person has the same hands on the keyboard.
"""

import contextlib
import json
import os
import pty
import select
import socket
import termios
import time
import tty
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mesodrive.errors import MesodriveError
from mesodrive.link.discovery import hands_of, is_simulated
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.plant import PlantSpec, Sensor
from mesodrive_rig.plant.hands import AT_REST

_BOOT_MS = 600
_SLICE_MS = 2.0
_REPEAT_MS = 100.0
_CHUNK = 4096
_FOLLOWS_S = 0.02

KEYS = {
    "t": Sensor.TRIGGER,
    "c": Sensor.CONTACT,
    "g": Sensor.GUARD,
    "s": Sensor.STOP,
    "k": Sensor.CARTRIDGE,
}


class Simulator:
    """An emulated rig served at `path`, a symbolic link to a pseudo-terminal; a context manager.

    Emulated time never runs ahead of the wall clock, and falls behind when the machine is slow.
    """

    def __init__(self, path: Path, spec: PlantSpec, *, claimed: bool = True):
        """Raises MesodriveError when `path` is taken by a running simulator or something else."""
        self.path = path
        self.positions = {sensor: AT_REST[sensor] for sensor in KEYS.values()}
        self._hands: dict[socket.socket, bytes] = {}
        self._server = _take(path)
        self._master, slave = pty.openpty()
        tty.setraw(slave)  # or the terminal would echo what the device says
        self._slave_name = os.ttyname(slave)
        os.close(slave)  # held open, nobody could tell whether a program has the port
        os.set_blocking(self._master, False)
        self._open = False
        self._out = b""
        self._line = b""  # the last one from the program, and when it came
        self._line_ms = 0.0
        self._running = True
        try:
            self.rig = EmulatedRig(spec, claimed=claimed)
            self.rig.run_for(_BOOT_MS)  # a program that opens the path finds a device that answers
            path.symlink_to(self._slave_name)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Simulator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, each_slice: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`; `each_slice` is called a few hundred times a second."""
        started, emulated = time.monotonic(), self.rig.now_ms()
        while self._running:
            self._serve_port()
            self._serve_hands()
            each_slice()
            self.rig.run_for(_SLICE_MS)
            ahead_s = (self.rig.now_ms() - emulated) / 1000 - (time.monotonic() - started)
            if ahead_s > 0:
                self._wait(ahead_s)
            else:  # lost time is not caught up in a burst later
                started, emulated = time.monotonic(), self.rig.now_ms()

    def stop(self) -> None:
        """Let `run` return."""
        self._running = False

    def move(self, sensor: Sensor, is_true: bool) -> None:
        """Move one of the operator's switches."""
        self.rig.set(sensor, is_true)
        self.positions[sensor] = is_true

    def close(self) -> None:
        """Take the paths away."""
        if self.path.is_symlink() and str(self.path.readlink()) == self._slave_name:
            self.path.unlink()
        hands_of(self.path).unlink(missing_ok=True)
        for connection in (self._server, *self._hands):
            connection.close()
        os.close(self._master)

    def _wait(self, at_most_s: float) -> None:
        # A closed port would count as readable all the time.
        port = [self._master] if self._open else []
        select.select([self._server, *port, *self._hands], [], [], at_most_s)

    def _serve_port(self) -> None:
        poller = select.poll()
        poller.register(self._master, select.POLLIN)
        events = dict(poller.poll(0)).get(self._master, 0)
        is_open = not events & select.POLLHUP
        if is_open != self._open:
            self._open = is_open
            if is_open:
                self.rig.chip.open_port()
            else:
                self.rig.chip.close_port()
                self._forget()
        if not is_open:
            return
        if events & select.POLLIN:
            with contextlib.suppress(OSError):  # closed just now: seen at the next look
                self._pass_on(os.read(self._master, _CHUNK))
        # What the program does not read stays with the device, as on a real port.
        if not self._out:
            self._out = self.rig.chip.take()
        if self._out:
            with contextlib.suppress(BlockingIOError, OSError):
                self._out = self._out[os.write(self._master, self._out) :]

    def _pass_on(self, data: bytes) -> None:
        """Hand `data` to the device, but for a line that comes again too soon by its clock.

        A host that waits repeats its line by the wall clock. For a device that falls behind,
        those would become so many that it falls behind further.
        """
        for line in data.splitlines(keepends=True):
            now_ms = self.rig.now_ms()
            if line == self._line and now_ms < self._line_ms + _REPEAT_MS:
                continue
            self._line = line if line.endswith(b"\n") else b""
            self._line_ms = now_ms
            self.rig.chip.send(line)

    def _forget(self) -> None:
        """What one program has half sent, not read or set does not reach the next."""
        self._out = self._line = b""
        with contextlib.suppress(OSError):  # there is no more
            while os.read(self._master, _CHUNK):
                pass
        slave = os.open(self._slave_name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(slave, termios.TCSAFLUSH)
        # What did not fit into the terminal's own 4 KiB is not flushed: it follows into them.
        while select.select([slave], [], [], _FOLLOWS_S)[0]:
            os.read(slave, _CHUNK)
        os.close(slave)

    def _serve_hands(self) -> None:
        readable, _, _ = select.select([self._server, *self._hands], [], [], 0)
        for ready in readable:
            if ready is self._server:
                connection, _ = self._server.accept()
                self._hands[connection] = b""
            else:
                self._serve_connection(ready)

    def _serve_connection(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            del self._hands[connection]
            connection.close()
            return
        *lines, self._hands[connection] = (self._hands[connection] + data).split(b"\n")
        for line in lines:
            answer = json.dumps(self._obey(line)) + "\n"
            with contextlib.suppress(OSError):
                connection.sendall(answer.encode())

    def _obey(self, line: bytes) -> dict[str, Any]:
        try:
            order: dict[str, Any] = json.loads(line)
            if "set" in order:
                self.move(Sensor(order["set"]), bool(order["on"]))
                return {"ok": True}
            if "strike" in order:
                strikes = self.rig.truth().strikes
                number = int(order["strike"])
                known = 0 <= number < len(strikes)
                return {"strike": asdict(strikes[number]) if known else None}
            if "status" in order:
                truth = self.rig.truth()
                return {
                    "emulated_ms": self.rig.now_ms(),
                    "strikes": len(truth.strikes),
                    "skin_ul": truth.skin_ul,
                    "lost_ul": truth.lost_ul,
                    "left_ul": truth.left_ul,
                    "rail_on": truth.rail_on,
                    "port_open": self._open,
                }
            if "quit" in order:
                self.stop()
                return {"ok": True}
        except (ValueError, KeyError, TypeError, MesodriveError) as error:
            return {"error": f"The order cannot be carried out ({error}); see docs/rig.md."}
        return {"error": "The order is none of set, strike, status, quit."}


def _take(path: Path) -> socket.socket:
    """Make `path` this process's own; return the listening socket beside it, which says so."""
    hands = hands_of(path)
    if not is_simulated(path):
        if path.is_symlink() and (hands.is_socket() or not path.exists()):
            path.unlink()  # left by a simulator that was killed
        if not (path.exists() or path.is_symlink()):
            return _listen(hands)
    raise MesodriveError(
        f"{path} is in use; quit the simulator that has it or choose another --path."
    )


def _listen(hands: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        hands.parent.mkdir(parents=True, exist_ok=True)
        hands.unlink(missing_ok=True)
        server.bind(str(hands))
        server.listen()
        server.setblocking(False)
    except OSError as error:
        server.close()
        raise MesodriveError(
            f"The simulator cannot put its paths at {hands.parent} ({error.strerror or error}); "
            "choose another --path."
        ) from error
    return server
