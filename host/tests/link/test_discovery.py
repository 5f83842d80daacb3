"""Which ports have a mesodrive, and that a doubt is a refusal that names them all."""

import os
import pty
import socket
from collections.abc import Generator
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from mesodrive.link import discovery
from mesodrive.link.discovery import NoDeviceError, choose, find_devices, hands_of

PICO = (0x2E8A, 0x0005)


def port(
    device: str,
    serial: str | None = "E1",
    ids: tuple[int, int] | None = PICO,
    product: str | None = "mesodrive injector",
) -> ListPortInfo:
    """What pyserial says of a port."""
    found = ListPortInfo(device)
    found.vid, found.pid = ids or (None, None)
    found.serial_number = serial
    found.product = product
    return found


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> list[ListPortInfo]:
    """The ports of this computer; a test puts some in."""
    plugged: list[ListPortInfo] = []
    monkeypatch.setattr(discovery.list_ports, "comports", lambda: plugged)
    monkeypatch.delenv("MESODRIVE_PORT", raising=False)
    return plugged


class Simulators:
    """Makes what `mesodrive sim` leaves where devices are looked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self._terminals: list[int] = []

    def start(self, name: str) -> socket.socket:
        master, slave = pty.openpty()
        self._terminals += [master, slave]
        link = self.folder / name
        link.symlink_to(os.ttyname(slave))
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(hands_of(link)))
        server.listen()
        return server

    def close(self) -> None:
        for terminal in self._terminals:
            os.close(terminal)


@pytest.fixture
def simulators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Simulators]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = Simulators(discovery.simulators_dir())
    yield made
    made.close()


pytestmark = pytest.mark.usefixtures("ports", "simulators")


def test_without_a_device_the_sentence_says_what_to_do() -> None:
    with pytest.raises(NoDeviceError, match=r"No mesodrive is connected; plug one in, .*--port"):
        choose()


def test_no_folder_of_simulators_is_no_simulator(simulators: Simulators) -> None:
    simulators.folder.rmdir()
    assert find_devices() == []


def test_the_one_device_is_chosen(ports: list[ListPortInfo]) -> None:
    ports += [port("/dev/ttyS0", ids=None), port("/dev/ttyACM3")]
    assert choose() == "/dev/ttyACM3"


def test_other_boards_are_not_taken_for_ours(ports: list[ListPortInfo]) -> None:
    ports += [
        port("/dev/ttyACM0", product="Board in FS mode"),
        port("/dev/ttyACM1", ids=(0x2341, 0x0043)),
    ]
    assert find_devices() == []


@pytest.mark.parametrize("product", [None, ""])
def test_where_the_system_hides_the_product_the_ids_must_do(
    ports: list[ListPortInfo], product: str | None
) -> None:
    ports.append(port("COM3", product=product))
    (found,) = find_devices()
    assert (found.port, found.usb_id, found.simulated) == ("COM3", "2e8a:0005", False)


def test_two_devices_are_refused_and_both_named(ports: list[ListPortInfo]) -> None:
    ports += [port("/dev/ttyACM1", "E2"), port("/dev/ttyACM0", "E1")]
    with pytest.raises(NoDeviceError) as error:
        choose()
    assert str(error.value) == (
        "2 devices are connected: /dev/ttyACM0 (E1), /dev/ttyACM1 (E2); "
        "say which with --serial or --port."
    )


def test_a_serial_number_picks_one_of_two(ports: list[ListPortInfo]) -> None:
    ports += [port("/dev/ttyACM1", "E2"), port("/dev/ttyACM0", "E1")]
    assert choose(serial="E2") == "/dev/ttyACM1"


def test_a_serial_number_that_two_devices_share_is_refused(ports: list[ListPortInfo]) -> None:
    ports += [port("/dev/ttyACM1", "E1"), port("/dev/ttyACM0", "E1")]
    with pytest.raises(NoDeviceError, match=r"2 devices .*ttyACM0.*ttyACM1"):
        choose(serial="E1")


def test_an_unknown_serial_number_is_refused_even_with_one_device(
    ports: list[ListPortInfo],
) -> None:
    ports.append(port("/dev/ttyACM0", "E1"))
    with pytest.raises(NoDeviceError, match="no device with the serial number E9"):
        choose(serial="E9")


def test_a_named_port_is_taken_as_it_is(ports: list[ListPortInfo]) -> None:
    ports.append(port("/dev/ttyACM0"))
    assert choose(port="/dev/other") == "/dev/other"


def test_the_environment_names_a_port_unless_the_person_does(
    ports: list[ListPortInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    ports += [port("/dev/ttyACM0", "E1"), port("/dev/ttyACM1", "E2")]
    monkeypatch.setenv("MESODRIVE_PORT", "/dev/named")
    assert choose() == "/dev/named"
    assert choose(port="/dev/other") == "/dev/other"
    assert choose(serial="E2") == "/dev/ttyACM1"


def test_simulators_are_devices_after_the_real_ones(
    ports: list[ListPortInfo], simulators: Simulators
) -> None:
    ports.append(port("/dev/ttyACM0", "E1"))
    with simulators.start("b"), simulators.start("a.2"):
        found = find_devices()
    assert [(one.serial, one.simulated) for one in found] == [
        ("E1", False),
        ("a.2", True),
        ("b", True),
    ]
    assert found[1].port == str(simulators.folder / "a.2")


def test_a_simulator_that_was_killed_is_no_device_although_its_link_leads_somewhere(
    simulators: Simulators,
) -> None:
    simulators.start("killed").close()
    assert (simulators.folder / "killed").exists()
    assert find_devices() == []
