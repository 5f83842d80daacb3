"""Real serial ports (pseudo-terminals): why one cannot be opened, and how one is lost."""

import os
import pty
import subprocess
import sys
import tty
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mesodrive.link.port import PortError, PortLostError, SerialPort


@dataclass
class Terminal:
    """Both ends of a serial line; the path is the end that programs open."""

    master: int
    path: str

    def cut(self) -> None:
        """Pull the cable."""
        os.close(self.master)
        self.master = -1


@pytest.fixture
def line() -> Generator[Terminal]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    terminal = Terminal(master, os.ttyname(slave))
    os.close(slave)
    yield terminal
    if terminal.master >= 0:
        terminal.cut()


def why_not(path: str) -> str:
    with pytest.raises(PortError) as error:
        SerialPort(path)
    sentence = str(error.value)
    assert path in sentence
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0
    return sentence


def test_what_is_written_and_read_goes_through_unchanged(line: Terminal) -> None:
    every = bytes(range(256))
    port = SerialPort(line.path)
    port.write(every)
    assert os.read(line.master, 300) == every
    os.write(line.master, every)
    assert port.read(1.0) == every
    port.close()


def test_a_read_waits_as_long_as_asked_and_no_longer(line: Terminal) -> None:
    port = SerialPort(line.path)
    before = port.now_s()
    assert port.read(0.1) == b""
    assert 0.1 <= port.now_s() - before < 0.5
    port.close()


def test_a_port_that_does_not_exist(tmp_path: Path) -> None:
    # a name that sounds like another cause must not be taken for it
    assert "There is no port" in why_not(str(tmp_path / "busy-lock-permission"))


LOCK = """
import sys, serial
port = serial.Serial(sys.argv[1], exclusive=True)
print("open", flush=True)
sys.stdin.read()
"""


def test_a_port_that_another_program_has_open(line: Terminal) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, line.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"open\n"
        assert "in use by another program; close that program" in why_not(line.path)
        other.communicate()
    SerialPort(line.path).close()


def test_two_hosts_cannot_have_one_device(line: Terminal) -> None:
    first = SerialPort(line.path)
    assert "in use" in why_not(line.path)
    first.write(b"still mine")
    assert os.read(line.master, 20) == b"still mine"
    first.close()
    SerialPort(line.path).close()


def test_a_port_that_this_user_may_not_open(line: Terminal) -> None:
    Path(line.path).chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        assert "You may not open the port" in why_not(line.path)
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_not_a_serial_port(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "thing"
    place.touch() if kind == "file" else place.mkdir()
    assert "cannot be opened" in why_not(str(place))


def test_an_unknown_kind_of_address() -> None:
    assert "cannot be opened" in why_not("nonsense://x")


@pytest.mark.parametrize("doing", ["read", "write"])
def test_a_port_that_vanishes_while_open(line: Terminal, doing: str) -> None:
    port = SerialPort(line.path)
    os.write(line.master, b"last words")
    assert port.read(1.0) == b"last words"
    line.cut()
    with pytest.raises(PortLostError, match=rf"^The port {line.path} .*; check the cable"):
        port.read(5.0) if doing == "read" else port.write(b"x")
    port.close()


def test_a_device_that_takes_nothing_is_not_waited_for_for_ever(line: Terminal) -> None:
    port = SerialPort(line.path)
    before = port.now_s()
    with pytest.raises(PortLostError, match="takes no more data"):
        port.write(b"x" * 1_000_000)
    assert port.now_s() - before < 4.0
    port.close()


def test_closing_twice_is_closing(line: Terminal) -> None:
    port = SerialPort(line.path)
    port.close()
    port.close()
    with pytest.raises(PortLostError):
        port.read(0)
    with pytest.raises(PortLostError):
        port.write(b"x")


def test_a_loop_needs_no_lock() -> None:
    port = SerialPort("loop://")
    port.write(b"round")
    assert port.read(1.0) == b"round"
    port.close()
