"""What the commands have in common: options, tables, JSON."""

import errno
import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mesodrive.access import Role
from mesodrive.device import PING_S, Device
from mesodrive.errors import MesodriveError
from mesodrive.keys import KeyStore
from mesodrive.link.client import ANSWER_S
from mesodrive.link.discovery import choose, is_simulated
from mesodrive.link.port import SerialPort
from mesodrive.login import log_in

PortOption = Annotated[
    str | None,
    typer.Option("--port", "-p", help="Serial port, e.g. /dev/ttyACM0. Also MESODRIVE_PORT."),
]
SerialOption = Annotated[
    str | None, typer.Option("--serial", help="Serial number of the device that is meant.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
RecordsOption = Annotated[
    Path | None,
    typer.Option("--records", help="Database of sessions. Also MESODRIVE_RECORDS."),
]


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the program, and a session that is under way is to be closed first."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


console = _Console()


def open_device(port: str | None, serial: str | None, role: Role | None = None) -> Device:
    """The device that the options mean, logged in as `role`; raises NoDeviceError, PortError,
    KeysError and their like."""
    path = choose(port, serial)
    # A simulator may take seconds of a slow computer for what a device does at once.
    ping_s = ANSWER_S if is_simulated(Path(path)) else PING_S
    device = Device(SerialPort(path), ping_s=ping_s)
    if role:
        try:
            log_in(device, KeyStore(), role)
        except BaseException:
            device.close()
            raise
    return device


def print_json(value: Any) -> None:
    """`value` as one JSON document on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def say(text: str, style: str | None = None) -> None:
    """A sentence for people; what it quotes (paths, names, the device's words) stays as it is."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def give_up_stdout() -> None:
    """Nobody reads stdout; what is left to be written must not fail again when the program
    leaves."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """A table for people; the columns in `right` hold numbers."""
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column == columns[0],  # it is what a person copies
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def name_and_value(text: str, option: str = "") -> tuple[str, float]:
    """What NAME=VALUE says; `option` goes before it in the sentence that refuses anything else."""
    name, equals, value = text.partition("=")
    said = f"{option} {text}".strip()
    try:
        return name.strip(), float(value)
    except ValueError:
        pass
    wanted = "NAME=VALUE, e.g. dose=20"
    raise MesodriveError(
        f"{said} is not {wanted}." if equals else f"{said} lacks '='; write {wanted}."
    )
