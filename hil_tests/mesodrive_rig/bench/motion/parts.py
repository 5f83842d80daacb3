"""The parts of the benchmark, side by side in processes of their own."""

import multiprocessing
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from queue import Empty, Queue

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mesodrive_rig.bench.motion import (
    app_memory,
    app_stops,
    app_strikes,
    app_telemetry,
    baselines,
    block,
    chip,
)
from mesodrive_rig.bench.motion.part import Part

# The longest comes first.
_PARTS = {
    "stops of the application": app_stops.measure,
    "strikes of the application": app_strikes.measure,
    "memory": app_memory.measure,
    "telemetry": app_telemetry.measure,
    "engine on the chip": chip.measure,
    "baselines": baselines.measure,
    "PIO block alone": block.measure,
}
_LOOK_S = 0.5

Said = Queue[tuple[str, str]]


def measured(quick: bool) -> list[Part]:
    """All parts, in their order; what each is at is shown meanwhile."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    context = multiprocessing.get_context("spawn")
    with (
        context.Manager() as manager,
        ProcessPoolExecutor(mp_context=context) as pool,
        Progress(*columns) as progress,
    ):
        said: Said = manager.Queue()
        running = {pool.submit(_measure, name, quick, said): name for name in _PARTS}
        tasks = {name: progress.add_task(name, total=None) for name in _PARTS}
        waiting = set(running)
        while waiting:
            done, waiting = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            while True:
                try:
                    name, text = said.get_nowait()
                except Empty:
                    break
                progress.update(tasks[name], description=f"{name}: {text}")
                if not progress.console.is_terminal:
                    progress.console.print(f"{name}: {text}")
            for future in done:
                future.result()  # or a part that failed would be told when the last has ended
                name = running[future]
                progress.update(tasks[name], description=name, total=1, completed=1)
        return [future.result() for future in running]


def _measure(name: str, quick: bool, said: Said) -> Part:
    return _PARTS[name](quick, lambda text: said.put((name, text)))
