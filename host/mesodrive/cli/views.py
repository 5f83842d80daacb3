"""Where a session is watched: on a screen, or by a program."""

import json
from contextlib import suppress

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mesodrive.cli.output import console
from mesodrive.presets import Coverage, Prescription
from mesodrive.records import ShotOutcome, ShotReport
from mesodrive.telemetry import LiveStatus

_READABLE_US = 200_000  # five lines a second


class TableView:
    """A session on the screen: a bar with the dose so far, and a line a shot.

    What is too fast to read has a line for those shots only that were not done.
    """

    def __init__(self, prescription: Prescription):
        self._shots = prescription.shots
        self._tells_each = prescription.period_us >= _READABLE_US
        self._done = 0
        self._dose_ul = 0.0
        self._coverage = ""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("shots · {task.fields[dose]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._progress.add_task("preparing", total=self._shots, dose="0.000 µL")

    def __enter__(self) -> "TableView":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # when nobody reads it; the session's end is told otherwise
            self._progress.stop()

    def step(self, text: str) -> None:
        self._say(text)

    def state(self, state: str, why: str) -> None:
        self._progress.update(self._task, description=state.lower())
        if state in ("PAUSED", "SAFE", "FAULT"):
            self._say(f"{state}: {why}")

    def shot(self, report: ShotReport) -> None:
        self._dose_ul += report.dose_ul
        self._done += 1
        self._show(self._done, self._dose_ul)
        if self._tells_each or report.outcome is not ShotOutcome.DONE:
            self._say(shot_line(report))

    def live(self, status: LiveStatus, coverage: Coverage | None) -> None:
        self._coverage = f" · {coverage.text}" if coverage else ""
        if status.shots_done > self._done:
            self._show(status.shots_done, status.delivered_nl / 1000)

    def alarm(self, code: str, text: str) -> None:
        self._say(f"ALARM {code}: {text}", "bold red")

    def _show(self, done: int, dose_ul: float) -> None:
        self._progress.update(
            self._task,
            completed=done,
            dose=f"{dose_ul:.3f} µL so far · {self._shots - done} left{self._coverage}",
        )

    def _say(self, text: str, style: str | None = None) -> None:
        self._progress.console.print(
            text, style=style, markup=False, highlight=False, soft_wrap=True
        )


class JsonView:
    """A session for a program: one JSON object a line."""

    def __enter__(self) -> "JsonView":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def step(self, text: str) -> None:
        _event("step", text=text)

    def state(self, state: str, why: str) -> None:
        _event("state", state=state, why=why)

    def shot(self, report: ShotReport) -> None:
        _event("shot", **report.model_dump(mode="json"))

    def live(self, status: LiveStatus, coverage: Coverage | None) -> None:
        _event(
            "live",
            state=status.state,
            shots_done=status.shots_done,
            delivered_ul=status.delivered_nl / 1000,
            left_ul=status.left_nl / 1000,
            passes=coverage.passes if coverage else None,
            coverage_percent=coverage.percent if coverage else None,
        )

    def alarm(self, code: str, text: str) -> None:
        _event("alarm", code=code, text=text)


def shot_line(report: ShotReport) -> str:
    """One shot as a line: commanded, and what was given and reached."""
    given, where = report.dose_ul, "reported"
    depth = report.depth_mm
    if report.true_skin_ul is not None:
        given, where, depth = report.true_skin_ul, "in skin", report.true_depth_mm
    reached = "needle not seen" if depth is None else f"{depth:.3f} mm deep"
    line = (
        f"shot {report.number:3d}  commanded {report.commanded_ul:7.3f} µL at "
        f"{report.commanded_depth_mm:.3f} mm  {where} {given:7.3f} µL, {reached}"
    )
    return line if report.outcome.value == "done" else f"{line}  {report.outcome}: {report.why}"


def _event(kind: str, **values: object) -> None:
    print(json.dumps({"event": kind, **values}, ensure_ascii=False), flush=True)
