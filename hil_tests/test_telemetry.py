"""What a host is told of strikes at the highest rate, and that its reading or not reading changes
nothing at the needle."""

from itertools import pairwise

import pytest

from mesodrive.telemetry import INPUTS, LiveStatus, Shots
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, Operator, profile
from mesodrive_rig.plant import Output, Sensor
from mesodrive_wire import encode, request

pytestmark = pytest.mark.hil

EXACT_MS = 1e-6
SEEN_US = 50  # an edge is noted by an interrupt this soon, and times have the grain of 1 µs
# The shallowest needle has the shortest way, so it follows the highest rate.
FAST = profile(
    mode="dry",
    shots=2000,
    depth_um=250,
    dose_nl=0,
    settle_us=0,
    dwell_us=100,
    rest_us=200,
    period_us=4_000,
)
PERIOD_MS = 4.0
PING_MS = 300
UNREAD_MS = 2000
CATCH_UP_MS = 2000  # the line takes some 500 strikes a second


class Bench:
    """One device on the skin, armed for the highest rate."""

    def __init__(self) -> None:
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self.operator.make_ready(FAST)
        self.operator.device.arm()
        self.operator.touch()
        self.told = 0  # strikes of earlier pulls

    def pull(self) -> None:
        self.told = self.operator.device.status().shots_done
        self.operator.forget()
        self.edges.clear()
        self.operator.press()

    def let_go(self) -> None:
        self.rig.set(Sensor.TRIGGER, False)
        self.operator.wait(500)

    def starts(self) -> list[float]:
        return self.edges.rises(Output.STRIKE)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def assert_nothing_was_lost_and_nothing_moved_otherwise(bench: Bench) -> None:
    starts = bench.starts()
    for before, after in pairwise(starts):
        assert after - before == pytest.approx(PERIOD_MS, abs=EXACT_MS)
    numbers = [row.shot for row in bench.operator.shots]
    assert numbers == list(range(bench.told + 1, bench.told + 1 + len(starts)))
    assert bench.operator.device.client.gaps == 0
    assert {told["lost"] for told in bench.operator.told("shots")} == {0}


@pytest.fixture(scope="module")
def read(bench: Bench) -> Bench:
    """After some strikes with a host that reads."""
    bench.pull()
    bench.operator.wait(600)
    bench.let_go()
    return bench


def test_a_host_that_reads_is_told_every_strike_once(read: Bench):
    assert len(read.starts()) > 100
    assert_nothing_was_lost_and_nothing_moved_otherwise(read)


def test_strikes_are_told_with_the_times_of_the_pins(read: Bench):
    rows, starts = read.operator.shots, read.starts()
    strikes = read.rig.truth().strikes[-len(rows) :]
    offset_us = rows[0].t_us - 1000 * starts[0]
    for row, start_ms, strike in zip(rows[:-1], starts[:-1], strikes[:-1], strict=True):
        assert row.t_us == pytest.approx(1000 * start_ms + offset_us, abs=SEEN_US)
        assert strike.out_ms
        assert strike.back_ms
        assert row.out_us == pytest.approx(1000 * (strike.out_ms - start_ms), abs=SEEN_US)
        assert row.back_us == pytest.approx(1000 * (strike.back_ms - start_ms), abs=SEEN_US)


def test_strikes_are_told_in_batches(read: Bench):
    batches = [len(Shots.of(told).rows) for told in read.operator.told("shots")]
    assert max(batches) <= 12
    assert sum(batches) / len(batches) > 6


def test_a_host_that_reads_is_told_the_status_ten_times_a_second(bench: Bench):
    bench.operator.rest()
    bench.operator.forget()
    bench.operator.wait(1000)
    heard = [LiveStatus.of(told) for told in bench.operator.told("status")]
    assert 9 <= len(heard) <= 11
    status = bench.operator.device.status()
    for live in heard:
        assert (live.state, live.shots_done) == (status.state, status.shots_done)
        assert (live.delivered_nl, live.left_nl) == (status.delivered_nl, status.left_nl)
        assert {name: int(live.on(name)) for name in INPUTS} == status.inputs
    gaps_ms = [after.uptime_ms - before.uptime_ms for before, after in pairwise(heard)]
    # a look comes every 10 ms, and one in some hundred collects memory: 27 ms
    assert gaps_ms == pytest.approx(len(gaps_ms) * [100], abs=45)


@pytest.mark.requirement("R27")
def test_a_host_that_does_not_read_gets_all_of_it_when_it_reads_again(bench: Bench):
    operator, rig = bench.operator, bench.rig
    operator.touch()
    bench.pull()
    operator.wait(100)
    number = operator.device.client.call("info")["last_id"]
    until_ms = rig.now_ms() + UNREAD_MS
    while rig.now_ms() < until_ms:  # it says that it is there, and takes nothing
        number += 1
        operator.device.client.port.write(encode(request(number, "ping")))
        rig.run_for(PING_MS)
    unread = int(UNREAD_MS / PERIOD_MS)
    assert len(bench.starts()) - len(operator.shots) > 0.9 * unread
    operator.wait(200)
    bench.let_go()
    assert len(bench.starts()) > unread
    operator.wait_until(lambda: len(operator.shots) >= len(bench.starts()), CATCH_UP_MS)
    assert_nothing_was_lost_and_nothing_moved_otherwise(bench)
