"""Whether each strike is told once when they come fast, and when the host does not read."""

from itertools import pairwise

from mesodrive_rig.bench.motion.app import DRY, AppBench
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.results import Metric
from mesodrive_wire import encode, request

_PERIOD_US = 4_000
_PING_MS = 300


def measure(quick: bool, progress: Progress) -> Part:
    """At the top rate: with the host reading, then with it only writing."""
    bench = AppBench(progress)
    seconds = 0.5 if quick else 5
    operator, rig = bench.operator, bench.rig
    bench.progress("telemetry at the top rate, the host reading")
    bench.begin(DRY | {"period_us": _PERIOD_US})
    operator.wait(1000 * seconds)
    bench.let_go()
    metrics = [_lost(bench, "the host reading")]
    bench.progress("telemetry, the host not reading")
    bench.begin(DRY | {"period_us": _PERIOD_US})
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
    worst = max(abs(b - a - _PERIOD_US) for a, b in pairwise(bench.starts_us()))
    metrics += [
        _lost(bench, f"the host not reading for {seconds:g} s"),
        Metric("start-to-start deviation meanwhile", round(worst, 3), "µs", "<= 1"),
    ]
    return Part(metrics, {})


def _lost(bench: AppBench, how: str) -> Metric:
    told = [shot.shot for shot in bench.operator.shots]
    wanted = list(range(told[0], told[0] + len(bench.starts_us())))
    missing = len(set(wanted) - set(told)) + (len(told) - len(set(told)))
    return Metric(f"strikes lost or doubled in telemetry at 250/s, {how}", missing, "", "== 0")
