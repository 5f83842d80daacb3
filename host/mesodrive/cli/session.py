"""Commands for sessions and their records."""

import json as jsonlib
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mesodrive.cli.output import (
    JsonOption,
    PortOption,
    RecordsOption,
    SerialOption,
    console,
    open_device,
    print_json,
    print_table,
    say,
)
from mesodrive.cli.presets import PresetArgument
from mesodrive.errors import MesodriveError
from mesodrive.presets import ADJUSTABLE, Prescription, load_preset, prescribe
from mesodrive.records import Records, ShotReport
from mesodrive.session import Result, TreatmentSession

app = typer.Typer(help="Run treatment sessions and look at their records.", no_args_is_help=True)

IdArgument = Annotated[
    str, typer.Argument(help="Session id, its beginning, or 'last'.", metavar="SESSION")
]


@app.command()
def run(
    preset: PresetArgument,
    shots: Annotated[int | None, typer.Option(help="Shots, instead of the preset's.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help=f"Change a value, in the preset's unit: {', '.join(ADJUSTABLE)}. Repeatable.",
        ),
    ] = None,
    cartridge: Annotated[str | None, typer.Option(help="Another cartridge.")] = None,
    syringe: Annotated[str | None, typer.Option(help="Another syringe.")] = None,
    fill_ul: Annotated[
        float | None, typer.Option("--fill", help="Liquid in the syringe, µL.")
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Who treats; goes into the record.")] = None,
    primed: Annotated[
        bool, typer.Option("--primed", help="The cartridge is full already: do not prime.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before priming or beyond a range.")
    ] = False,
    port: PortOption = None,
    serial: SerialOption = None,
    records: RecordsOption = None,
    json: JsonOption = False,
) -> None:
    """Run a session: home, prime, arm, then every shot as the trigger is held. Ctrl-C disarms."""
    loaded = load_preset(preset)
    prescription = prescribe(
        loaded,
        overrides=_changes(change or []),
        cartridge=cartridge,
        syringe=syringe,
        shots=shots,
        fill_ul=fill_ul,
    )
    if not json:
        _tell(prescription)
    if not yes:
        _ask_beyond_range(prescription)
    with Records.open(records) as book, open_device(port, serial) as device:
        view = JsonView() if json else TableView(prescription)
        treatment = TreatmentSession(
            device, book, loaded, prescription, view, operator=operator, primed=primed
        )
        if treatment.prime_ul and not yes:
            _confirm(
                f"Priming pushes {treatment.prime_ul:.1f} µL through the needle. "
                "Is the device off the skin, over a tray?"
            )
        with view:
            result = treatment.run()
    if json:
        print(jsonlib.dumps({"event": "end", **_result(result)}), flush=True)
    else:
        _tell_end(result)
    raise typer.Exit(0 if result.as_planned else 1)


@app.command("list")
def list_(records: RecordsOption = None, json: JsonOption = False) -> None:
    """List the recorded sessions, the latest first."""
    with Records.open(records) as book:
        sessions = book.sessions()
    if json:
        print_json([session.model_dump(mode="json") for session in sessions])
        return
    print_table(
        "Sessions",
        ("session", "started", "preset", "shots", "dose µL", "outcome", "uncertain"),
        [
            (
                s.id[:8],
                f"{s.started_at:%Y-%m-%d %H:%M:%S}",
                s.preset_title,
                f"{s.recorded_shots} of {s.planned_shots}",
                f"{s.reported_ul:.3f}",
                s.outcome.value,
                "not known" if s.uncertain_shots is None else f"{s.uncertain_shots} shots",
            )
            for s in sessions
        ],
        right=("shots", "dose µL"),
    )


@app.command()
def show(session: IdArgument, records: RecordsOption = None, json: JsonOption = False) -> None:
    """Show one session: every shot, every event, and what is not certain."""
    with Records.open(records) as book:
        record = book.session(session)
    if json:
        print_json(record.model_dump(mode="json"))
        return
    print_table(
        f"{record.facts.as_run.title}, session {record.id[:8]}: {record.outcome.value}",
        ("shot", "outcome", "commanded µL", "reported µL", "depth mm", "why"),
        [
            (
                str(s.number),
                s.outcome.value,
                f"{s.commanded_ul:.3f}",
                f"{s.dose_ul:.3f}",
                "not seen" if s.depth_mm is None else f"{s.depth_mm:.3f}",
                s.why,
            )
            for s in record.shots
        ],
        right=("shot", "commanded µL", "reported µL", "depth mm"),
    )
    print_table(
        "Events",
        ("at", "what", ""),
        [(f"{e.at:%H:%M:%S}", e.kind.value, e.text) for e in record.events],
    )
    say(record.reason)
    if record.uncertain_shots:
        say(f"Not certain: up to {record.uncertain_shots} shots, {record.uncertain_ul} µL.")


@app.command()
def report(
    session: IdArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = Path("report.html"),
    records: RecordsOption = None,
) -> None:
    """Write a session's report: one HTML file with plots that needs nothing else."""
    from mesodrive.reports import write_report

    with Records.open(records) as book:
        write_report([book.session(session)], out)
    say(f"The report is in {out}.")


@app.command()
def export(
    session: IdArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .json or .csv.")] = Path(
        "session.json"
    ),
    records: RecordsOption = None,
) -> None:
    """Write a session for other programs: JSON holds all of it, CSV one row a shot."""
    from mesodrive.reports import write_csv, write_json

    writers = {".json": write_json, ".csv": write_csv}
    writer = writers.get(out.suffix.lower())
    if writer is None:
        raise MesodriveError(f"{out} ends in neither .json nor .csv; give one of these.")
    with Records.open(records) as book:
        writer([book.session(session)], out)
    say(f"The session is in {out}.")


class TableView:
    """A session on the screen: a line a shot and a bar with the dose so far."""

    def __init__(self, prescription: Prescription):
        self._shots = prescription.shots
        self._done = 0
        self._dose_ul = 0.0
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
        self._progress.update(
            self._task,
            completed=self._done,
            dose=f"{self._dose_ul:.3f} µL so far · {self._shots - self._done} left",
        )
        self._say(shot_line(report))

    def alarm(self, code: str, text: str) -> None:
        self._say(f"ALARM {code}: {text}", "bold red")

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
    print(jsonlib.dumps({"event": kind, **values}, ensure_ascii=False), flush=True)


def _result(result: Result) -> dict[str, object]:
    return {
        "session_id": result.session_id,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "shots": result.shots,
        "dose_ul": round(result.dose_ul, 6),
        "cut_short": result.cut_short,
        "uncertain_shots": result.uncertain_shots,
        "uncertain_ul": result.uncertain_ul,
    }


def _tell(prescription: Prescription) -> None:
    p = prescription
    dose = f"{p.dose_ul:g} µL" if p.dose_ul else "dry"
    say(
        f"{p.title}: {p.shots} shots, {dose} at {p.depth_mm:g} mm, {p.rate_hz:g} Hz, "
        f"dwell {p.dwell_ms} ms; {p.cartridge.title}; syringe {p.syringe.title}"
    )
    for change in p.changes:
        beyond = " (beyond the recommended range)" if change.beyond_range else ""
        say(f"  {change.name}: {change.used} instead of {change.preset}{beyond}")


def _tell_end(result: Result) -> None:
    say(f"{result.outcome.value}: {result.shots} shots, {result.dose_ul:.3f} µL. {result.reason}")
    if result.uncertain_shots:
        say(
            f"Not certain: up to {result.uncertain_shots} more shots "
            f"({result.uncertain_ul:g} µL) may have been given without a report."
        )
    say(f"Recorded as session {result.session_id[:8]}.")


def _ask_beyond_range(prescription: Prescription) -> None:
    beyond = [change for change in prescription.changes if change.beyond_range]
    if beyond:
        names = ", ".join(f"{change.name} {change.used}" for change in beyond)
        _confirm(f"{names}: beyond the range that the preset's source gives. Go on?")


def _confirm(question: str) -> None:
    """Ask on stderr, for stdout may be a program's; anything but yes ends the command."""
    typer.confirm(question, abort=True, err=True)


def _changes(texts: list[str]) -> dict[str, float]:
    changes: dict[str, float] = {}
    for text in texts:
        name, value = _name_and_value(text)
        if name in changes:
            raise MesodriveError(f"--set {name} is given twice; give it once.")
        changes[name] = value
    return changes


def _name_and_value(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        pass
    wanted = "NAME=VALUE, e.g. dose=20"
    raise MesodriveError(
        f"--set {text} is not {wanted}." if equals else f"--set {text} lacks '='; write {wanted}."
    )
