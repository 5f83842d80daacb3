"""The host's "stop now" byte: what moves stops before anything else that was sent is read."""

from typing import Any

import pytest

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, NL_PER_MM, PRIME_UL, Operator, profile
from mesodrive_rig.plant import NeedleState, Output, Sensor
from mesodrive_wire import STOP, decode, encode, request

pytestmark = pytest.mark.hil

STOP_MS = 2.0  # the way over the cable included
IN_DOSE_STEPS = 100
# A dose of half a second; the shallowest needle is home soonest.
SLOW_DOSE = profile(depth_um=250, flow_nl_s=20_000, dwell_us=600_000, period_us=700_000)
WHY = "stopped by the host"
# How a line is on its way when the byte comes: not at all, or so much of it sent before.
PARTS = {"alone": 0.0, "after the first byte": 0.02, "in the middle": 0.5, "at the end": 0.99}


class Bench:
    """One device on the skin."""

    def __init__(self) -> None:
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self.device = self.operator.device
        self.port = self.device.client.port
        self.operator.make_ready(SLOW_DOSE)
        self.device.prime(PRIME_UL)

    def line(self, method: str) -> bytes:
        """A good request with a fresh id that is not the client's next, to be sent around it."""
        return encode(request(self.device.client.call("info")["last_id"] + 2, method))

    def arm(self) -> None:
        self.operator.disarm()
        self.device.arm()
        self.operator.touch()
        self.operator.forget()

    def begin_dose(self) -> None:
        self.edges.clear()
        self.operator.press()
        steps = Output.PLUNGER_STEP
        self.operator.wait_until(lambda: len(self.edges.rises(steps)) >= IN_DOSE_STEPS, 400)

    def stop(self) -> None:
        """Send the byte, and see what moves stop for good."""
        sent_ms = self.rig.now_ms()
        self.port.write(STOP)
        self.rig.run_for(100)
        assert self.edges.after(sent_ms - 1)  # it was moving
        assert self.edges.after(sent_ms + STOP_MS) == []

    def stands(self) -> tuple[str, str]:
        """The state and why."""
        status = self.device.status()
        return status.state, status.why


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_a_dose_stops_at_once_and_the_line_around_the_byte_is_read(bench: Bench, part: float):
    bench.arm()
    bench.begin_dose()
    line = bench.line("ping")
    cut = int(part * len(line))
    bench.port.write(line[:cut])
    bench.rig.run_for(3)
    bench.stop()
    assert bench.rig.truth().needle is NeedleState.BACK
    bench.port.write(line[cut:])
    bench.rig.run_for(50)
    heard: list[dict[str, Any]] = [decode(text) for text in bench.port.read(0.1).splitlines()]
    assert [message["result"]["state"] for message in heard if "id" in message] == ["READY"]
    assert bench.stands() == ("READY", WHY)


@pytest.mark.requirement("R24")
def test_the_position_stands_and_the_dose_is_told_as_it_was(bench: Bench):
    bench.arm()
    pushed_ul = bench.rig.truth().pushed_ul
    bench.begin_dose()
    bench.stop()
    bench.operator.wait(100)
    (shot,) = bench.operator.shots
    assert (shot.outcome, shot.why) == ("stopped", WHY)
    assert IN_DOSE_STEPS <= shot.audit < shot.steps
    assert shot.dose_nl == pytest.approx(1000 * (bench.rig.truth().pushed_ul - pushed_ul), abs=1)
    assert bench.device.status().homed
    assert bench.device.status().left_nl == pytest.approx(
        1000 * bench.rig.truth().left_ul, abs=NL_PER_MM / 3200
    )


@pytest.mark.requirement("R3")
def test_an_armed_device_is_not_armed_any_more(bench: Bench):
    bench.arm()
    bench.edges.clear()
    bench.port.write(STOP)
    bench.operator.wait(50)
    assert bench.stands() == ("READY", WHY)
    bench.operator.press()
    bench.operator.wait(200)
    assert bench.edges.edges == []


def test_a_paused_series_does_not_go_on(bench: Bench):
    bench.arm()
    bench.begin_dose()
    bench.rig.set(Sensor.TRIGGER, False)
    bench.operator.wait(100)
    assert bench.operator.state() == "PAUSED"
    bench.edges.clear()
    bench.port.write(STOP)
    bench.operator.wait(50)
    assert bench.stands() == ("READY", WHY)
    bench.operator.press()
    bench.operator.wait(200)
    assert bench.edges.edges == []


@pytest.mark.parametrize("state", ["ARMED", "DELIVERING"])
def test_the_request_to_disarm_that_follows_is_the_same_stop(bench: Bench, state: str):
    bench.arm()
    if state == "DELIVERING":
        bench.begin_dose()
    assert bench.operator.state() == state
    bench.device.disarm()
    assert bench.stands() == ("READY", "disarmed by the host")
    assert bench.device.status().homed


def test_a_device_that_does_not_move_takes_no_notice_and_no_harm(bench: Bench):
    bench.operator.disarm()
    before = bench.stands()
    bench.port.write(3 * STOP)
    bench.operator.wait(50)
    assert bench.stands() == before
    bench.arm()
    bench.begin_dose()
    bench.operator.wait_until(lambda: bool(bench.operator.shots), 1000)
    bench.operator.disarm()
    assert bench.operator.shots[0].outcome == "done"


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("part", [0.0, 0.5], ids=["alone", "in the middle"])
def test_an_axis_that_looks_for_home_stops_at_once(bench: Bench, part: float):
    bench.operator.disarm()
    bench.edges.clear()
    home = bench.line("home")
    bench.port.write(home)
    bench.rig.run_until(lambda: len(bench.edges.rises(Output.DEPTH_STEP)) > 1000, 1000)
    ping = encode(request(decode(home.rstrip(b"\n"))["id"] + 1, "ping"))  # type: ignore[operator]
    cut = int(part * len(ping))
    bench.port.write(ping[:cut])
    bench.rig.run_for(3)
    bench.stop()
    bench.port.write(ping[cut:])
    bench.rig.run_for(50)
    heard: list[dict[str, Any]] = [decode(text) for text in bench.port.read(0.1).splitlines()]
    to_home, to_ping = (message for message in heard if "id" in message)
    assert WHY in to_home["error"]["message"]
    assert to_ping["result"]["state"] == "SAFE"
    assert bench.stands() == ("SAFE", WHY)
    assert not bench.device.status().homed
    assert not bench.rig.truth().rail_on
