"""The plots of the benchmark."""

# matplotlib leaves its **kwargs without types, which makes every drawing call "partially unknown".
# pyright: reportUnknownMemberType=false

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesodrive_rig.bench.motion.baselines import DRIVERS
from mesodrive_rig.bench.motion.pins import CLOCK_NS

Series = Mapping[str, Sequence[float]]

_INK, _GRID = "#24323e", "#e3e8ec"
_OURS = "#1f6f9f"
_THEIRS = "#c4621a"
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _GRID,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
}
_PNG: dict[str, Any] = {"dpi": 110, "bbox_inches": "tight", "metadata": {"Software": None}}
_LOADS = {"quiet": "idle", "collect": "during gc.collect()", "read": "during a USB flood"}


def draw(series: Series, folder: Path) -> list[Path]:
    """Write velocity.png, jitter.png and strike.png into `folder`; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    with mpl.rc_context(_STYLE):
        for name, plot in (("velocity", _velocity), ("jitter", _jitter), ("strike", _strike)):
            paths.append(folder / f"{name}.png")
            plot(series).savefig(paths[-1], **_PNG)
    return paths


def _velocity(series: Series) -> Figure:
    figure = Figure(figsize=(8, 3.2))
    axes = figure.add_subplot()
    speeds = [speed / 1000 for speed in series["shot.steps_s"]]
    axes.plot(series["shot.time_ms"], speeds, color=_OURS, linewidth=1.4)
    axes.set_xlabel("time after the first step, ms")
    axes.set_ylabel("steps/ms, from each interval at the pin")
    axes.set_title("A shot of 10 µL at 100 µL/s", loc="left", fontsize=10)
    axes.set_ylim(bottom=0)
    return figure


def _jitter(series: Series) -> Figure:
    drivers = {"ours": "mesodrive"} | {key: driver.name for key, driver in DRIVERS.items()}
    figure = Figure(figsize=(9, 7))
    grid: Any = figure.subplots(len(drivers), len(_LOADS), sharex=True, sharey=True)
    bins = [CLOCK_NS / 2 * 10 ** (step / 5) for step in range(38)]
    for row, (driver, name) in zip(grid, drivers.items(), strict=True):
        for axes, load in zip(row, _LOADS, strict=True):
            data = series[f"jitter_ns.{driver}.{load}"]
            seen = [max(CLOCK_NS, value) for value in data]  # nothing is seen below one clock
            color = _OURS if driver == "ours" else _THEIRS
            axes.hist(seen, bins, weights=[100 / len(seen)] * len(seen), color=color)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_ylim(0.1, 200)
            surplus = series.get(f"surplus.{driver}.{load}", [0])[0]
            if surplus:
                note = f"{surplus:g} steps too many"
                axes.text(0.96, 0.8, note, ha="right", fontsize=8, transform=axes.transAxes)
        row[0].set_title(name, loc="left", fontsize=9)
    for axes, name in zip(grid[-1], _LOADS.values(), strict=True):
        axes.set_xlabel(name)
    figure.supylabel("intervals, %", fontsize=10)
    figure.supxlabel("|interval − the one asked for|, ns; 8 ns: less than a clock", fontsize=10)
    figure.tight_layout()
    return figure


def _strike(series: Series) -> Figure:
    figure = Figure(figsize=(8, 3.2))
    axes = figure.add_subplot()
    out_ms, back_ms = series["strike.needle_ms"]
    end_ms = back_ms + 3
    lines = (
        ("STRIKE", series["strike.strike_ms"]),
        ("PEAK", series["strike.strike_peak_ms"]),
        ("needle out", (out_ms, series["strike.strike_ms"][-1])),
    )
    for row, (_, edges_ms) in enumerate(lines):
        _trace(axes, edges_ms, end_ms, len(lines) - row)
    axes.vlines(series["strike.steps_ms"], 0, 0.7, color=_OURS, linewidth=0.4)
    axes.axvline(back_ms, color=_THEIRS, linewidth=1)
    axes.annotate("needle back", (back_ms + 0.3, 0.3), fontsize=9, color=_THEIRS)
    axes.set_yticks([len(lines) - row + 0.3 for row in range(len(lines) + 1)])
    axes.set_yticklabels([*(name for name, _ in lines), "STEP"])
    axes.set_xlabel("time after the strike's start, ms")
    axes.set_title("One strike with 2 µL in its dwell", loc="left", fontsize=10)
    axes.grid(visible=False, axis="y")
    return figure


def _trace(axes: Axes, edges_ms: Sequence[float], end_ms: float, base: float) -> None:
    times = [-1.0, *edges_ms, end_ms]
    levels = [base + 0.7 * (edge % 2) for edge in range(len(times))]
    axes.step(times, [*levels[:-1], levels[-2]], where="post", color=_OURS, linewidth=1.2)
