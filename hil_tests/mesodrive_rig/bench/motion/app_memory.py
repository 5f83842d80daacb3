"""The free memory of the shipping application, and whether strikes use it up."""

from mesodrive_rig.bench.motion.app import DRY, AppBench
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.results import Metric


def measure(quick: bool, progress: Progress) -> Part:
    """Armed, and over a long dry series, with the heap collected each time."""
    bench = AppBench(progress)
    strikes = 400 if quick else 10_000
    operator = bench.operator
    operator.make_ready(DRY)
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
            bench.edges.clear()
        bench.let_go()
        return free()

    before = run(200)
    after = run(strikes)
    metrics = [
        Metric("free RAM when armed", round(armed / 1024, 1), "KiB", ">= 100"),
        Metric(f"heap growth over {strikes} strikes", before - after, "B", "<= 0"),
    ]
    return Part(metrics, {})
