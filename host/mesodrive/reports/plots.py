"""The plots of a session as inline SVG, all in one plain style.

Each takes a record with at least one shot.
"""

# matplotlib leaves its **kwargs without types, which makes every drawing call "partially unknown".
# pyright: reportUnknownMemberType=false

import io
import re
from collections.abc import Sequence
from typing import Any, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mesodrive.records import SessionRecord, ShotOutcome, ShotRecord
from mesodrive.reports.totals import DEPTH_BAND_MM, DOSE_BAND_PERCENT

_T = TypeVar("_T")

_INK = "#24323e"
_GRID = "#e3e8ec"
_BAND = "#dcebe4"
_REPORTED = "#1f6f9f"
_MEASURED = "#c4621a"
_NOT_DONE = "#a61b1b"

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the page's own font
    "svg.hashsalt": "mesodrive",  # the same record gives the same file
    "font.size": 10,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "axes.axisbelow": True,
    "axes.ymargin": 0.15,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _GRID,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.handlelength": 1.4,
    "legend.columnspacing": 1.4,
    "legend.borderpad": 0,
    "lines.markersize": 4.5,
}

_HOLLOW: dict[str, Any] = {
    "marker": "D",
    "linestyle": "none",
    "color": _MEASURED,
    "markerfacecolor": "none",
    "markersize": 6.5,
}


_MOST_POINTS = 2_000  # more would be one black bar, and a page too large to open


def dose_per_shot(record: SessionRecord) -> str:
    """Dose reported and measured over the shot's number, in the band around the commanded one."""
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(record, "dose, µL")
        _band(
            axes,
            record.shots,
            [shot.commanded_ul for shot in record.shots],
            [shot.commanded_ul * DOSE_BAND_PERCENT / 100 for shot in record.shots],
            f"commanded ± {DOSE_BAND_PERCENT:g} %",
        )
        _points(
            axes,
            record.shots,
            [shot.dose_ul for shot in record.shots],
            [shot.true_skin_ul for shot in record.shots],
        )
        return _svg(figure, "dose")


def depth_per_shot(record: SessionRecord) -> str:
    """Depth reported and measured over the shot's number, in the band around the commanded one."""
    record = record.model_copy(update={"shots": _thinned(record.shots)})
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(record, "depth, mm")
        _band(
            axes,
            record.shots,
            [shot.commanded_depth_mm for shot in record.shots],
            [DEPTH_BAND_MM] * len(record.shots),
            f"commanded ± {DEPTH_BAND_MM:g} mm",
        )
        _points(
            axes,
            record.shots,
            [shot.depth_mm for shot in record.shots],
            [shot.true_depth_mm for shot in record.shots],
        )
        return _svg(figure, "depth")


def cumulative_dose(record: SessionRecord) -> str:
    """Dose so far over the shot's number: commanded, reported, measured."""
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(record, "dose so far, µL")
        numbers = [shot.number for shot in record.shots]
        commanded = _running_sum([shot.commanded_ul for shot in record.shots])
        reported = _running_sum([shot.dose_ul for shot in record.shots])
        axes.plot(numbers, commanded, color="#9fb8ac", linewidth=5, label="commanded")
        axes.plot(numbers, reported, "o-", color=_REPORTED, linewidth=1, label="reported")
        measured = [shot.true_skin_ul for shot in record.shots]
        if None not in measured:
            axes.plot(
                numbers,
                _running_sum([value or 0.0 for value in measured]),
                **_HOLLOW,
                label="measured in skin",
            )
        axes.set_ylim(bottom=0)
        return _svg(figure, "cumulative")


def start_intervals(record: SessionRecord) -> str:
    """Time from each shot's start to the next one's, and the set period."""
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(record, "since the shot before, ms")
        pairs = [
            (late.number, late.t_ms - early.t_ms)
            for early, late in zip(record.shots, record.shots[1:], strict=False)
            if late.number == early.number + 1
        ]
        pairs = _thinned(pairs)
        axes.axhline(
            record.facts.as_run.period_ms, color="#9fb8ac", linewidth=2.5, label="set period"
        )
        axes.plot(
            [number for number, _ in pairs],
            [interval_ms for _, interval_ms in pairs],
            "o",
            color=_REPORTED,
            label="between starts",
        )
        longest_ms = max([interval_ms for _, interval_ms in pairs], default=0)
        if longest_ms > 20 * record.facts.as_run.period_ms:
            axes.set_yscale("log")  # a long pause must not flatten the rest
        else:
            axes.set_ylim(0, 1.2 * max(longest_ms, record.facts.as_run.period_ms))
        return _svg(figure, "timing")


def _axes(record: SessionRecord, quantity: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.4, 2.75), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel("shot")
    axes.set_ylabel(quantity)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(length=0)
    axes.set_xlim(record.shots[0].number - 0.7, record.shots[-1].number + 0.7)
    return figure, axes


def _band(
    axes: Axes,
    shots: Sequence[ShotRecord],
    middle: Sequence[float],
    half_width: Sequence[float],
    label: str,
) -> None:
    edges = [edge for shot in shots for edge in (shot.number - 0.5, shot.number + 0.5)]
    low = [m - h for m, h in zip(middle, half_width, strict=True) for _ in range(2)]
    high = [m + h for m, h in zip(middle, half_width, strict=True) for _ in range(2)]
    axes.fill_between(edges, low, high, color=_BAND, linewidth=0, label=label)


def _points(
    axes: Axes,
    shots: Sequence[ShotRecord],
    reported: Sequence[float | None],
    measured: Sequence[float | None],
) -> None:
    rows = list(zip(shots, reported, measured, strict=True))
    done = [(s.number, y) for s, y, _ in rows if y is not None and s.outcome is ShotOutcome.DONE]
    other = [
        (s.number, y) for s, y, _ in rows if y is not None and s.outcome is not ShotOutcome.DONE
    ]
    truth = [(s.number, y) for s, _, y in rows if y is not None]
    unseen = [s.number for s, y, _ in rows if y is None]
    axes.plot(*_columns(done), "o", color=_REPORTED, label="reported")
    if other:
        axes.plot(*_columns(other), "X", color=_NOT_DONE, label="shot not done")
    if truth:
        axes.plot(*_columns(truth), **_HOLLOW, label="measured in skin")
    if unseen:
        axes.plot(
            unseen,
            [0.04] * len(unseen),
            "^",
            color=_NOT_DONE,
            transform=axes.get_xaxis_transform(),
            label="needle not seen",
        )


def _thinned(points: Sequence[_T]) -> Sequence[_T]:
    """Every n-th of `points`, so that they can be drawn."""
    return points[:: len(points) // _MOST_POINTS + 1]


def _columns(points: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _running_sum(values: Sequence[float]) -> list[float]:
    sums: list[float] = []
    for value in values:
        sums.append(value + (sums[-1] if sums else 0.0))
    return sums


def _svg(figure: Figure, name: str) -> str:
    figure.legend(loc="outside upper left", ncols=3)
    text = io.StringIO()
    unsaid = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(text, format="svg", transparent=True, metadata=unsaid)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    # ids are unique within one figure only, and all figures stand in one page
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
