"""MicroPython's prompt is full control of the machine: only the service jumper leads to it."""

import pytest

from mesodrive.link.port import Port
from mesodrive_rig.emulated.edges import DRIVING, EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, Operator, profile

pytestmark = pytest.mark.hil

INTERRUPT, RAW, NORMAL, RESET = b"\x03", b"\x01", b"\x02", b"\x04"
BOOT_MS = 600


def hear(port: Port, seconds: float) -> bytes:
    """All that comes within `seconds`."""
    heard = b""
    end = port.now_s() + seconds
    while port.now_s() < end:
        heard += port.read(max(0.0, end - port.now_s()))
    return heard


def lines(port: Port, seconds: float) -> list[bytes]:
    """All lines that come within `seconds`, but for the status that is told all the time."""
    heard = hear(port, seconds)
    if not heard.endswith(b"\n"):
        heard += hear(port, 0.02)
    return [line for line in heard.splitlines() if b'"method":"status"' not in line]


@pytest.fixture(scope="module")
def operator() -> Operator:
    operator = Operator(EmulatedRig(NEAR_HOME))
    operator.make_ready(profile(depth_um=250))
    return operator


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    "said",
    [
        INTERRUPT,
        RAW,
        NORMAL,
        RESET,
        INTERRUPT + RESET + RAW + NORMAL,
        b"\r" + 2 * INTERRUPT,
        b"\r" + RAW + b"import machine\r" + RESET,
        b"\x05A\x01",  # raw-paste mode
        b"help()\r\n",
        b"import machine; machine.reset()\r\n",
        b"\r\n\r\n>>> print(1)\r\n",
        bytes(range(256)),
    ],
)
def test_nothing_that_is_said_leads_to_a_prompt(operator: Operator, said: bytes):
    port = operator.device.client.port
    before = operator.device.status()
    lines(port, 0.1)  # to the end of one
    port.write(said)
    heard = lines(port, 0.1)
    # An unfinished line would swallow the next request: a host repeats it, here a newline does.
    port.write(b"\n")
    heard += lines(port, 0.1)
    assert not any(b">" in line for line in heard)
    assert all(b'"error"' in line for line in heard)
    after = operator.device.status()
    assert after.model_copy(update={"uptime_ms": before.uptime_ms}) == before
    assert after.state == "READY"


@pytest.fixture(scope="module")
def service() -> tuple[EmulatedRig, EdgeLog, Port]:
    rig = EmulatedRig(NEAR_HOME, service=True)
    edges = EdgeLog(rig, DRIVING)
    return rig, edges, rig.connect()


@pytest.mark.requirement("R28")
def test_the_service_jumper_leads_to_a_prompt_with_everything_off(
    service: tuple[EmulatedRig, EdgeLog, Port],
):
    rig, edges, port = service
    rig.run_for(BOOT_MS)
    said, prompt = hear(port, 0.1).split(b"\r\n", 1)
    assert said.startswith(b"mesodrive service mode: outputs are off.")
    assert prompt.endswith(b">>> ")
    port.write(b"1+1\r\n")
    assert b"\n2\r\n>>> " in hear(port, 0.3)
    assert edges.edges == []
    assert not rig.truth().rail_on


@pytest.mark.requirement("R28")
def test_in_service_mode_no_injector_runs(service: tuple[EmulatedRig, EdgeLog, Port]):
    rig, edges, port = service
    port.write(b'{"jsonrpc":"2.0","id":1,"method":"info"} 5bbb9c1b\r\n')
    assert b'mesodrive"' not in hear(port, 0.3)
    port.write(b"import machine; [machine.Pin(n).value() for n in (6, 7, 8)]\r\n")
    assert b"[0, 0, 0]" in hear(port, 0.3)
    assert edges.edges == []
    assert not rig.truth().rail_on
