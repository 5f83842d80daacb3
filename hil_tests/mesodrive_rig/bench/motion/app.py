"""The shipping application as a host and its needle see it: strikes, stops, memory, telemetry."""

import random
from collections.abc import Callable
from itertools import pairwise

from mesodrive_rig.bench.motion.part import Part
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, Operator, profile
from mesodrive_rig.plant import Output, Sensor
from mesodrive_rig.results import Metric
from mesodrive_wire import STOP, encode, request

# The shallowest needle has the shortest way, so it follows the highest rate.
_DRY = profile(
    mode="dry",
    dose_nl=0,
    shots=100_000,
    depth_um=250,
    settle_us=0,
    dwell_us=100,
    rest_us=200,
    period_us=4_000,
)
_FULL_RATE_US = 4_000
# 2 µL, pushed as fast as the plunger's jerk allows in so short a way.
_DOSED = profile(
    shots=400,
    dose_nl=2_000,
    flow_nl_s=190_000,
    settle_us=1_000,
    dwell_us=32_000,
    rest_us=1_000,
    period_us=40_000,
)
_SLOW_DOSE = profile(flow_nl_s=12_500, dwell_us=900_000, period_us=1_000_000)
_PING_MS = 300


class _Bench:
    def __init__(self, progress: Callable[[str], None]):
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self.progress = progress

    def begin(self, values: dict[str, object]) -> None:
        """Armed with a fresh profile, on the skin, trigger pulled."""
        self.operator.make_ready(values)
        self.operator.device.arm()
        self.operator.touch()
        self.operator.forget()
        self.edges.clear()
        self.operator.press()

    def go_on(self) -> None:
        """After a stop: whatever a person has to do until the next strike has begun."""
        self.operator.rest()
        if self.operator.state() == "SAFE":
            self.operator.device.home()
        if self.operator.state() == "READY":
            self.operator.device.arm()
        self.operator.touch()
        self.edges.clear()
        self.operator.press()
        self.operator.wait_until(lambda: bool(self.starts_us()), 3000)

    def let_go(self) -> None:
        self.rig.set(Sensor.TRIGGER, False)
        self.operator.wait(200)

    def starts_us(self) -> list[float]:
        return [ms * 1000 for ms in self.edges.rises(Output.STRIKE)]


def measure(quick: bool, progress: Callable[[str], None]) -> Part:
    """Boot the image and use it; all times are read at the pins."""
    bench = _Bench(progress)
    metrics: list[Metric] = []
    series: dict[str, list[float]] = {}
    for rate_hz in (1, 20, 100, 250):
        metrics.append(_dry(bench, rate_hz, 3 if quick else 20, series))
    metrics += _dosed(bench, 5 if quick else 60, series)
    metrics += _stops(bench, 3 if quick else 20)
    metrics += _telemetry(bench, 0.5 if quick else 5)
    metrics += _memory(bench, 400 if quick else 10_000)
    return Part(metrics, series)


def _dry(bench: _Bench, rate_hz: int, count: int, series: dict[str, list[float]]) -> Metric:
    bench.progress(f"dry strikes at {rate_hz}/s")
    bench.begin(_DRY | {"period_us": 1_000_000 // rate_hz})
    strikes = count if rate_hz < 50 else 25 * count
    bench.operator.wait_until(lambda: len(bench.starts_us()) > strikes, 2000 * strikes)
    bench.let_go()
    intervals = [b - a for a, b in pairwise(bench.starts_us())]
    series[f"dry.{rate_hz}"] = intervals
    worst = max(abs(us - 1e6 / rate_hz) for us in intervals)
    return Metric(
        f"dry strikes at {rate_hz}/s: worst start-to-start deviation",
        round(worst, 3),
        "µs",
        "<= 1",
    )


def _dosed(bench: _Bench, shots: int, series: dict[str, list[float]]) -> list[Metric]:
    bench.progress("dosed strikes")
    plan = bench.operator.make_ready(_DOSED)
    period_us = plan.min_period_us
    bench.begin(_DOSED | {"period_us": period_us})
    bench.operator.wait_until(lambda: len(bench.operator.shots) >= shots, 2000 * shots)
    bench.let_go()
    starts = bench.starts_us()
    worst = max(abs(b - a - period_us) for a, b in pairwise(starts))
    given = [shot for shot in bench.operator.shots if shot.outcome == "done"]
    wrong = sum(shot.audit != shot.steps for shot in given)
    series["strike.timing_ms"] = [
        edge.time_ms - starts[0] / 1000
        for edge in bench.edges.edges
        if edge.time_ms < starts[1] / 1000
    ]
    return [
        Metric(
            "dosed strikes, 2 µL",
            round(1e6 * (len(starts) - 1) / (starts[-1] - starts[0]), 1),
            "1/s",
            ">= 20",
        ),
        Metric("dosed strikes: worst start-to-start deviation", round(worst, 3), "µs", "<= 1"),
        Metric("dosed strikes whose counted steps differ from the plan", wrong, "", "== 0"),
    ]


def _stops(bench: _Bench, times: int) -> list[Metric]:
    """In mid-dose, at random phases: the last edge after what should stop it."""
    rig, operator = bench.rig, bench.operator
    causes: dict[str, Callable[[], None]] = {
        "stop byte from the host (sent over USB)": lambda: operator.device.client.port.write(STOP),
        "trigger released": lambda: rig.set(Sensor.TRIGGER, False),
        "skin contact lost": lambda: rig.set(Sensor.CONTACT, False),
        "guard opened": lambda: rig.set(Sensor.GUARD, False),
    }
    chance = random.Random(1)
    metrics: list[Metric] = []
    for name, cause in causes.items():
        bench.progress(f"stop: {name}")
        bench.begin(_SLOW_DOSE)
        worst = 0.0
        for _ in range(times):
            operator.wait(100 + chance.uniform(0, 400))
            at = rig.now_ms()
            cause()
            rig.run_for(10)
            late = bench.edges.after(at)
            worst = max(worst, late[-1].time_ms - at if late else 0.0)
            bench.go_on()
        metrics.append(Metric(f"{name} → last edge", round(worst, 4), "ms", "<= 2"))
    return metrics


def _telemetry(bench: _Bench, seconds: float) -> list[Metric]:
    operator, rig = bench.operator, bench.rig
    bench.progress("telemetry at the top rate, the host reading")
    bench.begin(_DRY)
    operator.wait(1000 * seconds)
    bench.let_go()
    metrics = [_lost(bench, "the host reading")]
    bench.progress("telemetry, the host not reading")
    bench.begin(_DRY)
    operator.wait(100)
    port = operator.device.client.port
    end = rig.now_ms() + 1000 * seconds
    number = operator.device.client.call("info")["last_id"]
    while rig.now_ms() < end:
        number += 1
        port.write(encode(request(number, "ping")))
        rig.run_for(min(_PING_MS, max(0.01, end - rig.now_ms())))
    bench.let_go()
    operator.wait(500 + 1000 * seconds)  # it has that much to catch up on
    worst = max(abs(b - a - _FULL_RATE_US) for a, b in pairwise(bench.starts_us()))
    return [
        *metrics,
        _lost(bench, f"the host not reading for {seconds:g} s"),
        Metric("start-to-start deviation meanwhile", round(worst, 3), "µs", "<= 1"),
    ]


def _lost(bench: _Bench, how: str) -> Metric:
    told = [shot.shot for shot in bench.operator.shots]
    wanted = list(range(told[0], told[0] + len(bench.starts_us())))
    missing = len(set(wanted) - set(told)) + (len(told) - len(set(told)))
    return Metric(f"strikes lost or doubled in telemetry at 250/s, {how}", missing, "", "== 0")


def _memory(bench: _Bench, strikes: int) -> list[Metric]:
    operator = bench.operator
    operator.make_ready(_DRY)
    operator.device.arm()
    operator.touch()

    def free() -> int:
        # The answers that the device keeps for a repeated question are then all of one kind.
        for _ in range(16):
            operator.device.ping()
        return operator.device.client.call("info")["ram_free"]

    armed = free()

    def run(count: int) -> int:
        operator.press()
        done = operator.device.status().shots_done
        while (now := operator.device.status().shots_done - done) < count:
            bench.progress(f"heap: {now} of {count} strikes")
            operator.wait(100)
            operator.forget()
        bench.let_go()
        return free()

    before = run(200)
    after = run(strikes)
    return [
        Metric("free RAM when armed", round(armed / 1024, 1), "KiB", ">= 100"),
        Metric(f"heap growth over {strikes} strikes", before - after, "B", "<= 0"),
    ]
