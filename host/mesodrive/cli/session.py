"""Commands for sessions and their records."""

import json as jsonlib
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from mesodrive.cli.output import (
    JsonOption,
    PortOption,
    RecordsOption,
    SerialOption,
    give_up_stdout,
    name_and_value,
    open_device,
    print_json,
    print_table,
    say,
)
from mesodrive.cli.presets import PresetArgument
from mesodrive.cli.views import JsonView, TableView
from mesodrive.device import Device
from mesodrive.errors import MesodriveError
from mesodrive.keys import KeyStore
from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.keeper import LedgerKeeper
from mesodrive.login import log_in
from mesodrive.presets import ADJUSTABLE, MODES, WATER_CP, Prescription, load_preset, prescribe
from mesodrive.records import Records
from mesodrive.session import TreatmentSession
from mesodrive.session_view import Result
from mesodrive.undisturbed import ended_as_by_ctrl_c

app = typer.Typer(help="Run treatment sessions and look at their records.", no_args_is_help=True)

FIND_AGAIN_S = 5.0  # USB that was pulled and put back, or reset, is there again by then
_RETRY_S = 0.25

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
            help="Change a value: "
            + ", ".join(f"{name} ({kind.unit})" for name, kind in ADJUSTABLE.items())
            + ". Repeatable.",
        ),
    ] = None,
    cartridge: Annotated[str | None, typer.Option(help="Another cartridge.")] = None,
    syringe: Annotated[str | None, typer.Option(help="Another syringe.")] = None,
    fill_ul: Annotated[
        float | None,
        typer.Option("--fill", help="Liquid in the syringe, µL: else a full one, in dry none."),
    ] = None,
    viscosity_cp: Annotated[
        float,
        typer.Option(
            "--viscosity",
            help="Of the product, cP: a thicker one takes more pressure, which is looked after.",
        ),
    ] = WATER_CP,
    cartridge_number: Annotated[
        str,
        typer.Option(
            metavar="HEX",
            help="The number on the cartridge: a used one is refused. Digits 0 to 9, a to f.",
        ),
    ] = "",
    zone_area_cm2: Annotated[
        float | None,
        typer.Option(help="Area to be treated, cm²; then passes and coverage are counted."),
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Who treats; goes into the record.")] = None,
    primed: Annotated[
        bool, typer.Option("--primed", help="The cartridge is full already: do not prime.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Do not ask: priming, values beyond a range, too many passes, a syringe left in.",
        ),
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
        viscosity_cp=viscosity_cp,
        zone_area_cm2=zone_area_cm2,
        cartridge_number=cartridge_number,
    )
    if not json:
        _tell(prescription)
    if not yes:
        _ask_beyond_range(prescription)
        _ask_coverage(prescription)
        _ask_empty(prescription)
    with Records.open(records) as book, open_device(port, serial, "operator") as device:
        view = JsonView() if json else TableView(prescription)
        treatment = TreatmentSession(
            device,
            book,
            loaded,
            prescription,
            view,
            operator=operator,
            primed=primed,
            find_again=lambda: _found_again(port, serial),
            ledger=LedgerKeeper(book, HostKey.load()),
        )
        if treatment.prime_ul and not yes:
            _confirm(
                f"Priming pushes {treatment.prime_ul:.1f} µL through the needle. "
                "Is the device off the skin, over a tray?"
            )
        with ended_as_by_ctrl_c(), view:
            result = treatment.run()
    unread = result.unread or _tell_end(result, json=json)
    if unread:
        give_up_stdout()
        print(
            f"mesodrive: The output could not be written ({unread}); session"
            f" {result.session_id[:8]} ended as {result.outcome.value}: see mesodrive session"
            f" show {result.session_id[:8]}.",
            file=sys.stderr,
        )
    raise typer.Exit(0 if result.as_planned and not unread else 1)


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
    from mesodrive.reports.totals import coverage

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
    if record.uncertain_shots is None:
        way = "" if record.ledger else "; connect the device and run mesodrive ledger fetch"
        say(f"Not known: how many shots were given beyond those recorded{way}.")
    elif record.uncertain_shots:
        say(f"Not certain: up to {record.uncertain_shots} shots, {record.uncertain_ul} µL.")
    if record.lost_shots:
        say(f"{record.lost_shots} of them were given; their reports are lost for good.")
    if record.ledger:
        say(
            f"Device's ledger: {record.ledger.strikes} strikes, {record.ledger.given_ul:.3f} µL;"
            f" in doubt {record.ledger.in_doubt_strikes}; up to record"
            f" {record.ledger.head_sequence}, {'whole' if record.ledger.whole else 'NOT WHOLE'}."
        )
        for sentence in (*record.ledger.flaws, *record.ledger.differences):
            say(f"  {sentence}")
    if given := coverage(record):
        say(f"Zone: {given.text}.")


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
        "lost_shots": result.lost_shots,
        "warnings": result.warnings,
    }


def _tell(prescription: Prescription) -> None:
    p = prescription
    dose = f"{p.dose_ul:g} µL" if p.dose_ul else "dry"
    burst = f" in rows of {p.burst}" if p.mode == "burst" else ""
    say(
        f"{p.title}: {p.shots} shots{burst}, {dose} at {p.depth_mm:g} mm, {p.rate_hz:g} Hz, "
        f"dwell {p.dwell_us / 1000:g} ms; {p.cartridge.title}; syringe {p.syringe.title}"
    )
    say(f"Mode {p.mode}: {MODES[p.mode].gives}.")
    if planned := p.coverage(p.shots):
        say(f"All shots come to {planned.text}.")
    for change in p.changes:
        beyond = " (beyond the recommended range)" if change.beyond_range else ""
        say(f"  {change.name}: {change.used} instead of {change.preset}{beyond}")


def _tell_end(result: Result, *, json: bool) -> str:
    """Say how it ended; return why that could not be written, or nothing."""
    try:
        if json:
            print(jsonlib.dumps({"event": "end", **_result(result)}), flush=True)
        else:
            _say_end(result)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _say_end(result: Result) -> None:
    say(f"{result.outcome.value}: {result.shots} shots, {result.dose_ul:.3f} µL. {result.reason}")
    if result.uncertain_shots:
        say(
            f"Not certain: up to {result.uncertain_shots} more shots "
            f"({result.uncertain_ul:g} µL) may have been given without a report."
        )
    if result.lost_shots:
        say(f"{result.lost_shots} of them were given; their reports are lost for good.")
    for sentence in result.warnings:
        say(f"WARNING: {sentence}", "bold red")
    say(f"Recorded as session {result.session_id[:8]}.")


def _ask_beyond_range(prescription: Prescription) -> None:
    beyond = [change for change in prescription.changes if change.beyond_range]
    if beyond:
        names = ", ".join(f"{change.name} {change.used}" for change in beyond)
        _confirm(f"{names}: beyond the range that the preset's source gives. Go on?")


def _ask_coverage(prescription: Prescription) -> None:
    for sentence in prescription.warnings:
        _confirm(f"{sentence} Go on?")


def _ask_empty(prescription: Prescription) -> None:
    if not prescription.fill_ul:
        _confirm(
            "Homing drives the pusher to where an empty syringe ends. Is the syringe out, or "
            "empty?"
        )


def _found_again(port: str | None, serial: str | None) -> Device:
    """The device whose link was lost, once it is there again. Raises MesodriveError."""
    until_s = time.monotonic() + FIND_AGAIN_S
    while True:
        try:
            device = open_device(port, serial)
            break
        except MesodriveError:
            if time.monotonic() > until_s:
                raise
            time.sleep(_RETRY_S)
    with suppress(MesodriveError):  # what it gave can be asked without
        log_in(device, KeyStore(), "operator")
    return device


def _confirm(question: str) -> None:
    """Ask on stderr, for stdout may be a program's; anything but yes ends the command."""
    typer.confirm(question, abort=True, err=True)


def _changes(texts: list[str]) -> dict[str, float]:
    changes: dict[str, float] = {}
    for text in texts:
        name, value = name_and_value(text, "--set")
        if name in changes:
            raise MesodriveError(f"--set {name} is given twice; give it once.")
        changes[name] = value
    return changes
