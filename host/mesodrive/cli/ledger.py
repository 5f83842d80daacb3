"""Commands for the ledger: what the device itself has on record of every dose."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated

import typer

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
from mesodrive.device import Device
from mesodrive.errors import MesodriveError
from mesodrive.ledger.doses import Dose
from mesodrive.ledger.fetch import Fetched, check, fetch, sign
from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.resolve import Doubtful, Resolution, doubtful, resolution
from mesodrive.ledger.told import LedgerHead
from mesodrive.ledger.verify import Flaw
from mesodrive.records import KnownLedger, Records

app = typer.Typer(
    help="""Look at the device's own record of every dose, keep it, and settle doses in doubt.

    The device writes down what it is about to give before anything moves, and what it gave after
    it, where no power cut reaches. A dose with a beginning and no end is [bold]in doubt[/]: it
    counts as given in full, and nothing more is given before a person has said what it was.
    """,
    no_args_is_help=True,
)


@app.command()
def show(
    port: PortOption = None,
    serial: SerialOption = None,
    records: RecordsOption = None,
    json: JsonOption = False,
) -> None:
    """Show totals, what is left in the syringe, cartridges, and doses in doubt.

    What is new is fetched into this computer's records first. Exits 1 when the ledger is not
    whole or a dose is in doubt.
    """
    with Records.open(records) as book, open_device(port, serial) as device:
        fetched = _fetch(device, book, quiet=json)
        doubts = doubtful(fetched, book.ledgers)
        flaws = book.ledgers.flaws(fetched.ledger.key)
    told = fetched.told
    if json:
        print_json(
            {
                "serial": fetched.ledger.serial,
                "ledger": told.model_dump(),
                "in_doubt": [doubt.as_dict() for doubt in doubts],
                **_verdict(fetched.ledger, flaws),
            }
        )
    else:
        _show_totals(fetched.ledger, told)
        _show_doubts(doubts)
        _say_verdict(fetched.ledger, flaws)
    raise typer.Exit(1 if flaws or doubts else 0)


@app.command("fetch")
def fetch_(
    new: Annotated[
        bool,
        typer.Option(
            "--new",
            help="Accept that the device has another ledger than before, as after service has "
            "changed its board; the one before stays in the records.",
        ),
    ] = False,
    port: PortOption = None,
    serial: SerialOption = None,
    records: RecordsOption = None,
    json: JsonOption = False,
) -> None:
    """Bring this computer's records up to date with the device's ledger, and countersign it.

    Every record is checked and stored once; break it off and begin again as you like. The
    countersignature tells later that nothing before it was cut off or changed. Exits 1 when
    something is wrong with the ledger.
    """
    with Records.open(records) as book, open_device(port, serial, "operator") as device:
        fetched = _fetch(device, book, anew=new, quiet=json)
        signed = False
        if not fetched.refused:
            key = HostKey.load()
            signed = sign(device, fetched, book.ledgers, key)
            new_records = fetched.new
            if signed:
                fetched = _fetch(device, book, quiet=True)
                new_records += fetched.new
        else:
            new_records = 0
        flaws = book.ledgers.flaws(fetched.ledger.key)
    if json:
        print_json(
            {
                "serial": fetched.ledger.serial,
                "new_records": new_records,
                "countersigned": signed,
                **_verdict(fetched.ledger, flaws),
            }
        )
    else:
        say(f"{new_records} records are new.{' Countersigned.' if signed else ''}")
        _say_verdict(fetched.ledger, flaws)
    raise typer.Exit(1 if flaws else 0)


@app.command()
def verify(
    serial: SerialOption = None, records: RecordsOption = None, json: JsonOption = False
) -> None:
    """Check all records of ledgers on this computer again; needs no device.

    Each record's checksum, number and time, that each goes on from the one before, that they are
    those seen before, and this computer's countersignatures. Exits 1 unless all are whole.
    """
    with Records.open(records) as book:
        key = HostKey.load()
        found: list[tuple[KnownLedger, list[Flaw]]] = []
        for ledger in _ledgers(book, serial):
            flaws = book.ledgers.flaws(ledger.key)
            texts = {flaw.text for flaw in flaws}
            flaws += [
                flaw for flaw in check(book.ledgers, ledger, key).flaws if flaw.text not in texts
            ]
            found.append((ledger, flaws))
    if json:
        print_json([{"serial": one.serial, **_verdict(one, flaws)} for one, flaws in found])
    for ledger, flaws in found if not json else ():
        _say_verdict(ledger, flaws)
    if not found and not json:
        say("No ledger was fetched yet; connect a device and run mesodrive ledger fetch.")
    raise typer.Exit(1 if any(flaws for _, flaws in found) else 0)


@app.command()
def history(
    serial: SerialOption = None,
    last: Annotated[int, typer.Option(help="At most so many doses, the latest.")] = 50,
    records: RecordsOption = None,
    json: JsonOption = False,
) -> None:
    """List the doses of the ledgers on this computer, the latest last; needs no device."""
    with Records.open(records) as book:
        shown: list[tuple[KnownLedger, Dose, str]] = []
        for ledger in _ledgers(book, serial):
            sessions = book.ledgers.sessions(ledger.key)
            doses = book.ledgers.doses(ledger.key)
            shown += [(ledger, dose, sessions.get(dose.session, "")) for dose in doses]
    shown = shown[-last:] if last > 0 else []
    if json:
        print_json(
            [
                {
                    "serial": ledger.serial,
                    "number": dose.number,
                    "session_id": session or None,
                    "planned_strikes": dose.planned_strikes,
                    "strikes": dose.strikes,
                    "given_ul": dose.given_nl / 1000,
                    "end": _end(dose),
                }
                for ledger, dose, session in shown
            ]
        )
        return
    print_table(
        "Doses",
        ("device", "dose", "session", "what", "planned", "strikes", "µL", "end"),
        [
            (
                ledger.serial,
                str(dose.number),
                session[:8] or "not of this host",
                "priming" if dose.primes else "shots",
                str(dose.planned_strikes),
                str(dose.strikes),
                f"{dose.given_nl / 1000:.3f}",
                _end(dose).replace("_", " "),
            )
            for ledger, dose, session in shown
        ],
        right=("dose", "planned", "strikes", "µL"),
    )


@app.command()
def resolve(
    number: Annotated[
        int | None,
        typer.Argument(help="Number of the dose, as show has it; none if there is only one."),
    ] = None,
    strikes: Annotated[int | None, typer.Option(help="Strikes that were given.")] = None,
    volume_ul: Annotated[
        float | None, typer.Option("--volume", help="Volume that was given in all, µL.")
    ] = None,
    as_recorded: Annotated[
        bool,
        typer.Option(
            "--as-recorded",
            help="What this computer recorded, and in full what may have followed untold.",
        ),
    ] = False,
    in_full: Annotated[
        bool, typer.Option("--in-full", help="Take all that was announced as given.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    port: PortOption = None,
    serial: SerialOption = None,
    records: RecordsOption = None,
    json: JsonOption = False,
) -> None:
    """Say what was given of a dose in doubt, so that the device goes on.

    Look at the skin and at the syringe. Then say it with --strikes and --volume, or --as-recorded
    when this computer saw it to its end, or --in-full when nobody knows. What you say is kept in
    the ledger, counts from then on, and cannot be taken back.
    """
    with Records.open(records) as book, open_device(port, serial, "operator") as device:
        fetched = _fetch(device, book, quiet=json)
        if fetched.refused:
            raise MesodriveError(fetched.flaws[0].text)
        doubts = doubtful(fetched, book.ledgers)
        if not json:
            _show_doubts(doubts)
        chosen = resolution(
            doubts, number, strikes, volume_ul, as_recorded=as_recorded, in_full=in_full
        )
        if not yes:
            typer.confirm(f"{_planned(chosen)} Go on?", abort=True, err=True)
        device.resolve(chosen.number, chosen.strikes, chosen.given_nl)
        sign(device, _fetch(device, book, quiet=True), book.ledgers, HostKey.load())
        left = doubtful(_fetch(device, book, quiet=True), book.ledgers)
    if json:
        print_json(
            {
                "number": chosen.number,
                "strikes": chosen.strikes,
                "given_ul": chosen.given_nl / 1000,
                "in_doubt": [doubt.as_dict() for doubt in left],
            }
        )
    else:
        say(f"Dose {chosen.number} is settled; {len(left)} in doubt are left.")
        if not left:
            say("If mesodrive info says FAULT, run mesodrive ack; then the device goes on.")


def _fetch(device: Device, book: Records, *, anew: bool = False, quiet: bool) -> Fetched:
    key = HostKey.load()
    # on a forced terminal it writes to stdout, where --json has only JSON
    shown = nullcontext() if quiet else console.status("The ledger is fetched…")
    with shown as status:

        def tell(done: int, total: int) -> None:
            if status:
                status.update(f"The ledger is fetched: {done} of {total} records")

        return fetch(device, device.info.serial, book.ledgers, key, anew=anew, progress=tell)


def _ledgers(book: Records, serial: str | None) -> list[KnownLedger]:
    known = book.ledgers.known()
    found = [ledger for ledger in known if serial in (None, ledger.serial)]
    if serial and not found:
        raise MesodriveError(
            f"No ledger of a device {serial} was fetched; connect it and run mesodrive ledger"
            " fetch."
        )
    return found


def _show_totals(ledger: KnownLedger, told: LedgerHead) -> None:
    totals = told.totals
    print_table(
        f"Ledger of {ledger.serial}",
        ("", ""),
        (
            ("given, doubts in full", f"{totals.delivered_nl / 1000:.3f} µL"),
            ("in this session", f"{totals.session_nl / 1000:.3f} µL"),
            ("in the last hour", f"{totals.hour_nl / 1000:.3f} µL"),
            ("primed", f"{totals.primed_nl / 1000:.3f} µL"),
            ("in doubt", f"{totals.uncertain_nl / 1000:.3f} µL"),
            ("left in the syringe, at least", f"{totals.left_nl / 1000:.1f} µL"),
            ("cartridges used last", ", ".join(told.cartridges) or "none with a number"),
            ("starts, faults", f"{totals.boots}, {totals.faults}"),
            ("on for", f"{totals.on_ms / 3_600_000:.1f} h"),
            ("records", f"{told.first} to {told.sequence}"),
            *((f"damage: {note.what}", f"{note.first} to {note.last}") for note in told.damage),
        ),
    )


def _show_doubts(doubts: Sequence[Doubtful]) -> None:
    if not doubts:
        return
    print_table(
        "Doses in doubt",
        ("dose", "what", "at most", "this host recorded", "session"),
        [
            (
                str(doubt.number),
                "priming" if doubt.primes else "shots",
                f"{doubt.strikes} strikes, {doubt.total_nl / 1000:.3f} µL",
                doubt.recorded_text,
                doubt.session[:8] or "not of this host",
            )
            for doubt in doubts
        ],
    )


def _planned(chosen: Resolution) -> str:
    return (
        f"The ledger will say for good that dose {chosen.number} gave {chosen.strikes} strikes and"
        f" {chosen.given_nl / 1000:.3f} µL, of at most {chosen.of_strikes} and"
        f" {chosen.of_nl / 1000:.3f} µL."
    )


def _verdict(ledger: KnownLedger, flaws: Sequence[Flaw]) -> dict[str, object]:
    head = ledger.head
    return {
        "sequence": head.sequence if head else 0,
        "chain": head.chain.hex() if head else None,
        "whole": not flaws,
        "flaws": [{"kind": flaw.kind, "text": flaw.text} for flaw in flaws],
    }


def _say_verdict(ledger: KnownLedger, flaws: Sequence[Flaw]) -> None:
    head = ledger.head
    where = f"up to record {head.sequence}, chain {head.chain.hex()}" if head else "empty"
    if not flaws:
        say(f"The ledger of {ledger.serial} is whole, {where}.")
        return
    say(f"The ledger of {ledger.serial} is not whole, {where}:")
    for flaw in flaws:
        say(f"  {flaw.text}")


def _end(dose: Dose) -> str:
    return "in_doubt" if dose.in_doubt else "resolved" if dose.by_person else "known"
