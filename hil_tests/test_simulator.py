"""`mesodrive sim` and the command line, end to end: real programs, real serial paths, the real
image. Times are wall-clock."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import serial

from mesodrive.link.client import Ids
from mesodrive.records import Records, SessionOutcome, SessionRecord
from mesodrive_rig.hands import RemoteHands
from mesodrive_wire import decode, encode, request

pytestmark = pytest.mark.hil

BOOT_S = 120
MESODRIVE = (sys.executable, "-m", "mesodrive")


@dataclass
class House:
    """A folder where devices are looked for, and programs that run in it."""

    folder: Path
    simulators: list["subprocess.Popen[bytes]"] = field(default_factory=list[Any])

    @property
    def env(self) -> dict[str, str]:
        own = {
            "XDG_CACHE_HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder / "data"),  # keys
            "MESODRIVE_RECORDS": str(self.folder / "records.db"),
        }
        return {**os.environ, **own, "MESODRIVE_PORT": "", "MESODRIVE_KEYS": "", "COLUMNS": "300"}

    def path(self, name: str) -> Path:
        return self.folder / "mesodrive" / "simulators" / name

    def do(self, *words: object) -> "subprocess.CompletedProcess[str]":
        """Run `mesodrive` to its end."""
        return subprocess.run(
            [*MESODRIVE, *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.env,
            check=False,
        )

    def begin(
        self,
        *words: object,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
    ) -> "subprocess.Popen[bytes]":
        """Start `mesodrive` and let it run."""
        # Tests that run under nohup would pass on that a closed terminal is ignored.
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        try:
            return subprocess.Popen(
                [*MESODRIVE, *map(str, words)],
                env=self.env,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
            )
        finally:
            signal.signal(signal.SIGHUP, before)

    def simulate(self, name: str) -> Path:
        """Start a simulator; it is up when this returns."""
        process = self.begin("sim", "--name", name)
        self.simulators.append(process)
        wait_for(self.path(name).exists, process)
        return self.path(name)

    def fails(self, *words: object) -> str:
        """The one sentence with which this command fails."""
        done = self.do(*words)
        assert done.returncode == 1
        assert done.stderr.startswith("mesodrive: ")
        assert done.stderr.count("\n") == 1
        return done.stderr

    @property
    def record(self) -> SessionRecord:
        with Records.open(self.folder / "records.db") as records:
            return records.session("last")


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + BOOT_S
    while not condition():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House]:
    """At the end it is asked of every simulator that it leaves nothing behind."""
    # A shell without job control lets what it starts in the background ignore Ctrl-C, and a
    # process passes that on to its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    made = House(tmp_path_factory.mktemp("sim"))
    yield made
    for process in made.simulators:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGKILL)
    assert list(made.path("any").parent.iterdir()) == []


@pytest.fixture(scope="module")
def booted(house: House) -> Path:
    return house.simulate("sim")


@pytest.fixture
def port(booted: Path) -> Path:
    """The serial path of a simulator with its hands at rest and no fault."""
    with RemoteHands(booted) as hands:
        for switch in ("trigger", "contact"):
            hands.set(switch, False)
        for switch in ("guard", "stop", "cartridge"):
            hands.set(switch, True)
    return booted


@dataclass
class Session:
    """A `session run --json`, and the hands of its device."""

    process: "subprocess.Popen[bytes]"
    hands: RemoteHands
    events: list[dict[str, Any]] = field(default_factory=list[Any])

    def lines(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            yield self.events[-1]

    def until(self, kind: str, **values: object) -> dict[str, Any]:
        """Read on to an event with these values; the trigger is pulled as soon as that counts."""
        for event in self.lines():
            if event.get("state") == "ARMED":
                self.hands.set("contact", True)
                self.hands.set("trigger", True)
            if {"event": kind, **values}.items() <= event.items():
                return event
        assert self.process.stderr
        why = self.process.stderr.read().decode()
        raise AssertionError(f"no {kind} with {values}: {self.events} {why}")

    def shots(self) -> list[int]:
        return [event["number"] for event in self.events if event["event"] == "shot"]

    def stands_still(self) -> bool:
        """Nothing strikes and no rail is on, now and a while later."""
        before = self.hands.status()
        time.sleep(1.0)
        after = self.hands.status()
        return not after["rail_on"] and before["strikes"] == after["strikes"]


@contextmanager
def session(house: House, port: Path, shots: int) -> Generator[Session]:
    words = ("session", "run", "nappage", "--shots", shots, "--yes", "--primed", "--json")
    with RemoteHands(port) as hands:
        left_ul = hands.status()["left_ul"]  # sessions before this one have used the same syringe
        fill = ("--fill", f"{left_ul:.3f}")
        run = house.begin(
            *words, *fill, "--port", port, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with run:
            yield Session(run, hands)
            if run.poll() is None:
                run.kill()


@contextmanager
def standing_still(process: "subprocess.Popen[bytes]") -> Generator[None]:
    """A simulator that takes no processor meanwhile."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def ask(terminal: serial.Serial, id: int, method: str) -> Any:
    terminal.write(encode(request(id, method)))
    return decode(terminal.readline().strip(b"\n"))


def seen(port: Path) -> None:
    """Wait until the simulator has looked at its port, and some time of the device has passed."""
    with RemoteHands(port) as hands:
        start_ms = hands.status()["emulated_ms"]
        while hands.status()["emulated_ms"] < start_ms + 60:
            time.sleep(0.01)


class Terminal:
    """A pseudo-terminal as a person's: keys in, text out."""

    def __init__(self) -> None:
        self.near, self.far = pty.openpty()
        self.text = ""

    def reads(self, wanted: str, within_s: float = BOOT_S) -> None:
        until = time.monotonic() + within_s
        while wanted not in self.text:
            assert time.monotonic() < until, self.text
            if select.select([self.near], [], [], 0.1)[0]:
                self.text += os.read(self.near, 4096).decode()

    def press(self, keys: bytes) -> None:
        self.text = ""
        os.write(self.near, keys)


# This and the next come first: the simulator of the others takes a processor until they end.
def test_keys_move_the_hands_and_q_takes_the_paths_away(tmp_path: Path, house: House) -> None:
    terminal, path = Terminal(), tmp_path / "device"
    far = terminal.far
    process = house.begin("sim", "--path", path, stdin=far, stdout=far, stderr=far)
    try:
        terminal.reads("k cartridge · q quit")
        assert f"Serial path: {path}" in terminal.text
        assert path.exists()
        with RemoteHands(path) as hands:
            with pytest.raises(Exception, match="No hand moves"):
                hands.set("rail", True)
            with pytest.raises(Exception, match="cannot be carried out"):
                hands.set("nose", True)
            assert hands.strike(0) is None
            assert hands.strike(-1) is None
            assert hands.status()["strikes"] == 0
            idle = hands.status()["emulated_ms"]
            before = time.monotonic()
            time.sleep(1.0)
            for key, told in ((b"g", "guard: off"), (b"g", "guard: on"), (b"t", "trigger: on")):
                terminal.press(key)
                terminal.reads(told)
            terminal.press(b"?")
            terminal.reads("0 strikes, 0.000 µL in skin, rail off")
            emulated_s = (hands.status()["emulated_ms"] - idle) / 1000
            assert 0 < emulated_s <= time.monotonic() - before + 0.1
        told = json.loads(house.do("info", "--port", path, "--json").stdout)
        assert (told["status"]["inputs"]["trigger"], told["status"]["inputs"]["guard"]) == (1, 1)
        terminal.press(b"q")
        assert process.wait(30) == 0
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.wait()
        os.close(terminal.near)
        os.close(terminal.far)


def test_a_simulator_that_is_ended_while_it_boots_leaves_nothing(
    tmp_path: Path, house: House
) -> None:
    path = tmp_path / "device"
    process = house.begin("sim", "--path", path)
    wait_for((tmp_path / "device.hands").exists, process)
    assert "is in use" in house.fails("sim", "--path", path)
    process.terminate()
    assert process.wait(30) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_plain_serial_program_reads_lines_that_a_person_can_read(port: Path) -> None:
    with serial.Serial(str(port), timeout=20) as terminal:
        terminal.write(encode(request(1, "info")))
        line = terminal.readline()
        assert line.startswith(b'{"')
        assert line.endswith(b"\n")
        assert b'"product":"mesodrive"' in line.replace(b": ", b":")
        message: Any = decode(line.strip(b"\n"))
        assert message["id"] == 1
        assert message["result"]["state"] in ("SAFE", "FAULT")
        terminal.write(b"hello?\n")
        assert b"-32700" in terminal.readline()


def test_a_request_left_half_sent_is_forgotten_when_the_program_closes_the_port(
    port: Path,
) -> None:
    with serial.Serial(str(port), timeout=20) as terminal:
        known = ask(terminal, 1, "info")
        base = max(known["result"]["last_id"], 1) if "result" in known else 0
        base = base or known["error"]["data"]["last_id"]
        terminal.write(encode(request(base + 1, "info"))[:25])
        seen(port)
    seen(port)
    with serial.Serial(str(port), timeout=20) as terminal:
        answer = ask(terminal, base + 2, "ping")
    assert (answer["id"], "result" in answer) == (base + 2, True)


def test_what_one_program_has_not_read_does_not_reach_the_next(port: Path) -> None:
    first = Ids().first()
    with serial.Serial(str(port), timeout=20) as terminal:
        for id in range(first, first + 5):
            terminal.write(encode(request(id, "info")))
        assert terminal.read(1)
        time.sleep(0.5)
    with RemoteHands(port) as hands:
        while hands.status()["port_open"]:  # a slow machine sees the port closed a little later
            time.sleep(0.05)
        noticed_ms = hands.status()["emulated_ms"] + 200  # by its own clock the device has seen it
        while hands.status()["emulated_ms"] < noticed_ms:
            time.sleep(0.05)
    # pyserial would throw away what is there; a plain open does not
    plain = os.open(port, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(plain, encode(request(first + 10, "ping")))
        with os.fdopen(os.dup(plain), "rb") as file:
            answer: Any = decode(file.readline().strip(b"\n"))
        assert answer["id"] == first + 10
    finally:
        os.close(plain)


def test_a_line_that_comes_again_at_once_does_not_keep_a_slow_device_busy(port: Path) -> None:
    line = encode(request(Ids().first(), "ping"))
    with serial.Serial(str(port), timeout=20) as terminal:
        terminal.write(line * 20)
        answer = terminal.readline()
        seen(port)
        seen(port)
        assert terminal.in_waiting == 0
        terminal.write(line)
        assert terminal.readline() == answer


def test_devices_lists_the_simulator(house: House, port: Path) -> None:
    (found,) = (
        d for d in json.loads(house.do("devices", "--json").stdout) if d["serial"] == "sim"
    )
    assert (found["port"], found["simulated"]) == (str(port), True)
    assert str(port) in house.do("devices").stdout


def test_a_second_simulator_on_the_same_path_is_refused(house: House, port: Path) -> None:
    sentence = house.fails("sim", "--name", "sim")
    assert f"{port} is in use; quit the simulator that has it" in sentence
    assert port.exists()
    assert house.do("info", "--port", port).returncode == 0


def test_a_port_that_another_program_has_open_is_refused(house: House, port: Path) -> None:
    with serial.Serial(str(port), exclusive=True):
        assert "in use by another program" in house.fails("info", "--port", port)


def test_a_session_with_hands_gives_what_it_says(house: House, port: Path) -> None:
    with session(house, port, shots=2) as run:
        before = run.hands.status()["strikes"]
        end = run.until("end")
        run.hands.set("trigger", False)
        assert run.process.wait(30) == 0
        assert (end["outcome"], end["shots"], end["uncertain_shots"]) == ("complete", 2, 0)
        strikes = [run.hands.strike(before + n) for n in (0, 1)]
        assert run.hands.status()["strikes"] == before + 2
        assert run.stands_still()
    record = house.record
    assert record.outcome is SessionOutcome.COMPLETE
    assert [shot.number for shot in record.shots] == run.shots() == [1, 2]
    for shot, strike in zip(record.shots, strikes, strict=True):
        assert strike
        assert shot.dose_ul == pytest.approx(10.0, rel=0.01)
        pushed_ul = strike["skin_ul"] + strike["lost_ul"]
        assert pushed_ul <= 10.2
        assert strike["depth_mm"] == pytest.approx(3.0, abs=0.05)
    assert json.loads(house.do("session", "list", "--json").stdout)[0]["recorded_shots"] == 2
    assert json.loads(house.do("session", "show", "last", "--json").stdout)["id"] == record.id
    report, data = house.folder / "report.html", house.folder / "session.csv"
    assert house.do("session", "report", "last", "-o", report).returncode == 0
    assert house.do("session", "export", "last", "-o", data).returncode == 0
    assert record.id[:8] in report.read_text("utf-8")
    assert len(data.read_text("utf-8").splitlines()) == 3


def test_ctrl_c_in_the_middle_disarms_and_keeps_every_shot(house: House, port: Path) -> None:
    with session(house, port, shots=20) as run:
        before = run.hands.status()["strikes"]
        run.until("shot", number=1)
        run.process.send_signal(signal.SIGINT)
        run.process.send_signal(signal.SIGINT)  # an impatient person
        end = run.until("end")
        assert run.process.wait(30) == 1
        assert end["reason"] == "A person stopped it at the host."
        assert run.stands_still()
        strikes = run.hands.status()["strikes"] - before
    record = house.record
    assert (record.outcome, record.uncertain_shots) == (SessionOutcome.STOPPED, 0)
    assert [shot.number for shot in record.shots] == list(range(1, strikes + 1)) == run.shots()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_while_homing_stops_the_axes(house: House, port: Path, end: signal.Signals) -> None:
    with session(house, port, shots=2) as run:
        run.until("state", state="HOMING")
        run.process.send_signal(end)
        assert run.until("end")["outcome"] == "stopped"
        assert run.process.wait(30) == 1
        assert run.stands_still()


def test_a_pulled_stop_is_a_fault_that_keeps_the_next_session_from_beginning(
    house: House, port: Path
) -> None:
    with session(house, port, shots=20) as run:
        run.until("shot", number=1)
        run.hands.set("stop", False)
        end = run.until("end")
        assert run.process.wait(30) == 1
        assert end["outcome"] == "fault"
        assert "stop" in run.events[[e["event"] for e in run.events].index("alarm")]["text"]
        assert run.stands_still()
        first = house.record
        again = house.fails("session", "run", "nappage", "--yes", "--port", port)
        assert "The device is in FAULT (" in again
        assert "then run mesodrive ack." in again
        assert house.record.id == first.id
        assert "stop" in house.fails("ack", "--port", port)
        run.hands.set("stop", True)
        run.hands.set("trigger", False)
        done = house.do("ack", "--port", port)
        assert (done.returncode, done.stdout) == (0, "The device is in SAFE.\n")
    assert [shot.number for shot in first.shots] == run.shots()


@pytest.fixture
def other(house: House, booted: Path) -> Generator[Path]:  # noqa: ARG001 (two are needed)
    """A second simulator, which a test may kill."""
    yield house.simulate("other")
    process = house.simulators.pop()
    process.terminate()
    process.wait(30)


def test_with_two_devices_one_must_be_named_and_a_killed_one_is_a_lost_link(
    house: House, booted: Path, other: Path
) -> None:
    sentence = house.fails("info")
    assert f"2 devices are connected: {other} (other), {booted} (sim); say which" in sentence
    told = house.do("info", "--serial", "other", "--json")
    assert json.loads(told.stdout)["status"]["state"] == "SAFE"
    assert "no device with the serial number nobody" in house.fails("info", "--serial", "nobody")

    with standing_still(house.simulators[0]):
        # All simulators have one serial number: this one's ledger is a new one of that device.
        assert house.do("ledger", "fetch", "--new", "--port", other).returncode == 0
        simulator = house.simulators[-1]
        with session(house, other, shots=20) as run:
            run.until("shot", number=2)
            strikes = run.hands.status()["strikes"]
            simulator.kill()
            simulator.wait()
            end = run.until("end")
            assert run.process.wait(30) == 1
        record = house.record
        assert (end["outcome"], record.outcome) == ("link_lost", SessionOutcome.LINK_LOST)
        assert f"The port {other} " in record.reason
        assert [shot.number for shot in record.shots] == run.shots()
        assert record.uncertain_shots is not None
        assert strikes - len(record.shots) <= record.uncertain_shots <= 20 - len(record.shots)
        assert record.uncertain_ul == record.uncertain_shots * 10.0

    assert other.is_symlink()  # what a killed simulator leaves is no device and in nobody's way
    found = json.loads(house.do("devices", "--json").stdout)
    assert [device["serial"] for device in found] == ["sim"]
    with pytest.raises(Exception, match="start one with mesodrive sim"):
        RemoteHands(other)
    house.simulators[-1] = house.begin("sim", "--name", "other")
    wait_for(other.exists, house.simulators[-1])
