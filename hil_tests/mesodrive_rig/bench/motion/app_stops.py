"""What stops the shipping application in mid-dose, and when its last edge comes."""

import random
from collections.abc import Callable

from mesodrive_rig.bench.motion.app import AppBench
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.operator import profile
from mesodrive_rig.plant import Sensor
from mesodrive_rig.results import Metric
from mesodrive_wire import STOP

_SLOW_DOSE = profile(flow_nl_s=12_500, dwell_us=900_000, period_us=1_000_000)


def measure(quick: bool, progress: Progress) -> Part:
    """At random phases of a dose: the last edge after what should stop it."""
    bench = AppBench(progress)
    times = 3 if quick else 20
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
    return Part(metrics, {})
