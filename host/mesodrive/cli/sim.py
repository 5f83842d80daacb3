"""The command that keeps a virtual device alive."""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from mesodrive.cli.output import console, say
from mesodrive.errors import MesodriveError
from mesodrive.keys import KeyStore
from mesodrive.link.discovery import simulators_dir
from mesodrive.presets import load_cartridge, load_preset, load_syringe

if TYPE_CHECKING:
    from mesodrive_rig.sim import Simulator

_HELP_KEYS = "t trigger · c skin contact · g guard · s stop · k cartridge · q quit"


def sim(
    preset: Annotated[
        str, typer.Option(help="Preset whose cartridge and syringe are fitted.")
    ] = "nappage",
    cartridge: Annotated[str | None, typer.Option(help="Fit this cartridge instead.")] = None,
    syringe: Annotated[str | None, typer.Option(help="Fit this syringe instead.")] = None,
    fill_ul: Annotated[
        float | None, typer.Option("--fill", help="Liquid in the syringe, µL; full if not given.")
    ] = None,
    name: Annotated[
        str, typer.Option(help="Serial number it goes by in mesodrive devices.")
    ] = "sim",
    path: Annotated[
        Path | None, typer.Option(help="Put the serial path here; devices then does not list it.")
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="A device without keys: claim it with access claim.")
    ] = False,
) -> None:
    """Keep a virtual device alive: the shipping image on an emulated chip, on a serial path.

    Any serial program can open the path. Keys move the operator's hands: trigger, skin contact,
    guard, stop, cartridge; each press of a key changes it to the other position. Its keys are put
    where this computer keeps keys, so that commands log in as with a real device.
    """
    try:
        from mesodrive_rig.sim import Simulator
        from mesodrive_rig.specs import plant_for
    except ModuleNotFoundError as error:
        raise MesodriveError(
            f"The simulator needs the package {error.name}; install mesodrive with its extra: "
            "pip install 'mesodrive[sim]'."
        ) from error
    fitted = load_preset(preset)
    spec = plant_for(
        load_cartridge(cartridge or fitted.cartridge),
        load_syringe(syringe or fitted.syringe),
        fill_ul,
    )
    if Path(name).name != name:
        raise MesodriveError(f"--name {name} cannot be a file's name; use letters and digits.")
    signal.signal(signal.SIGTERM, _leave)
    console.print("The emulated chip boots…")
    if not new:
        _keep_keys()  # first: who sees the path finds them
    simulated = Simulator(path or simulators_dir() / name, spec, claimed=not new)
    with simulated as simulator, _keys() as keyboard:
        say(f"Serial path: {simulator.path}")
        say(f"Keys: {_HELP_KEYS}")
        try:
            simulator.run(lambda: _obey(simulator, keyboard))
        except KeyboardInterrupt:
            say("The simulator has ended.")


def _keep_keys() -> None:
    from mesodrive_rig.emulated.provision import KEYS
    from mesodrive_rig.emulated.rig import EmulatedRig

    store = KeyStore()
    for role, key in KEYS.items():
        store.put(EmulatedRig.serial, role, key)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _obey(simulator: "Simulator", keyboard: int | None) -> None:
    from mesodrive_rig.sim import KEYS

    if keyboard is None or not select.select([keyboard], [], [], 0)[0]:
        return
    for key in _pressed(keyboard):
        if key == "q":
            simulator.stop()
        elif key in KEYS:
            sensor = KEYS[key]
            is_true = not simulator.positions[sensor]
            simulator.move(sensor, is_true)
            say(f"{sensor}: {'on' if is_true else 'off'}   {_account(simulator)}")
        else:
            say(f"Keys: {_HELP_KEYS}   {_account(simulator)}")


def _pressed(keyboard: int) -> str:
    try:
        return os.read(keyboard, 16).decode(errors="replace")
    except OSError:
        return "q"  # the terminal is gone


def _account(simulator: "Simulator") -> str:
    truth = simulator.rig.truth()
    return (
        f"{truth.time_ms / 1000:.1f} s, {len(truth.strikes)} strikes, "
        f"{truth.skin_ul:.3f} µL in skin, rail {'on' if truth.rail_on else 'off'}"
    )


@contextmanager
def _keys() -> Generator[int | None]:
    """The keyboard, key by key; None when there is none."""
    if not sys.stdin.isatty() or not _in_foreground():
        yield None
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard)
    try:
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _in_foreground() -> bool:
    """A program in the background that touches the terminal is stopped by the shell."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # a terminal without a shell
        return True
