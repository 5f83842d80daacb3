"""The command `mesodrive`: one module a group of commands, one place for errors."""

import sys
from io import TextIOWrapper

import typer

from mesodrive import __version__
from mesodrive.cli import access, demo, device, ledger, presets, session, sim
from mesodrive.errors import MesodriveError

app = typer.Typer(
    name="mesodrive",
    help="Drive a meso-injector: presets, sessions, records. Not a certified medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo.demo)
app.command()(sim.sim)
app.command()(device.devices)
app.command()(device.info)
app.command()(device.selftest)
app.command()(device.trace)
app.command()(device.ack)
app.command()(device.flash)
app.add_typer(access.app, name="access")
app.add_typer(presets.app, name="preset")
app.add_typer(session.app, name="session")
app.add_typer(ledger.app, name="ledger")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mesodrive {__version__}")
        raise typer.Exit


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction]  # typer calls it
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    del version


def main() -> None:
    """Run the command line; an error a person can mend is one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that knows no µ is still told the figure before it.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="mesodrive")
    except MesodriveError as error:
        print(f"mesodrive: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"mesodrive: {what}; put that right and try again.", file=sys.stderr)
        sys.exit(1)
