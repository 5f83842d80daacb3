"""Commands for who may do what: keys, limits of the site, calibration, the lock."""

import math
from typing import Annotated

import typer

from mesodrive.access import ROLES, Role
from mesodrive.cli.output import (
    JsonOption,
    PortOption,
    SerialOption,
    name_and_value,
    open_device,
    print_json,
    print_table,
    say,
)
from mesodrive.errors import MesodriveError
from mesodrive.keys import KeyStore
from mesodrive.login import change as change_key
from mesodrive.login import claim as claim_device
from mesodrive.login import log_in

app = typer.Typer(
    help="Say who may do what: claim a device, change keys, lower limits, unlock.\n\n"
    "A device moves only for an operator who proves to have its key. Service's key changes keys, "
    "limits and calibration, and unlocks. Both are made by [bold]claim[/] and stay on this "
    "computer; commands that need one log in by themselves.",
    no_args_is_help=True,
)

# name here → (name on the wire, wire units in one of ours, our unit)
_LIMITS = {
    "depth": ("depth_um", 1000, "mm"),
    "dose": ("dose_nl", 1000, "µL"),
    "drip": ("drip_nl", 1000, "µL"),
    "prime": ("prime_nl", 1000, "µL"),
    "shots": ("shots", 1, ""),
    "session": ("session_nl", 1000, "µL"),
    "hour": ("hour_nl", 1000, "µL"),
}
_POSITIONS = {
    "surface": ("depth_surface_um", 1000, "mm"),
    "empty": ("plunger_empty_um", 1000, "mm"),
}


@app.command()
def status(port: PortOption = None, serial: SerialOption = None, json: JsonOption = False) -> None:
    """Say whether the device has keys, which of them are here, what is locked and lowered."""
    store = KeyStore()
    with open_device(port, serial) as device:
        info = device.info
    here = [role for role in ROLES if store.candidates(info.serial, role)]
    if json:
        print_json(
            {
                "serial": info.serial,
                "claimed": info.claimed,
                "locked": info.locked,
                "keys_here": here,
                "key_file": store.path(info.serial),
                "limits": info.limits,
                "calibration": info.calibration,
            }
        )
        return
    told = info.limits | info.calibration
    print_table(
        f"Access to {info.serial}",
        ("", ""),
        (
            ("has keys", "yes" if info.claimed else "no: mesodrive access claim"),
            ("locked", "yes: mesodrive access unlock" if info.locked else "no"),
            ("keys on this computer", ", ".join(here) or "none"),
            ("in the file", str(store.path(info.serial))),
            *(
                (f"{kind} {name}", f"{told[wire] / scale:g} {unit}".strip())
                for kind, names in (("at most:", _LIMITS), ("measured:", _POSITIONS))
                for name, (wire, scale, unit) in names.items()
                if wire in told
            ),
        ),
    )


@app.command()
def claim(port: PortOption = None, serial: SerialOption = None) -> None:
    """Give a new device its keys and keep them on this computer.

    From then on it moves only for who has them. A device that has no ledger is given one. Run it
    again if it was cut short.
    """
    store = KeyStore()
    with open_device(port, serial) as device:
        claim_device(device, store)
        path = store.path(device.info.serial)
        alarm = device.status().alarm
        if alarm and alarm.code == "ledger" and device.status().state == "FAULT":
            say("It has no ledger yet; one is being made, which takes seconds.")
            log_in(device, store, "service")
            device.create_ledger()
    say(
        f"The device {device.info.serial} is yours. Its keys are in {path}: keep a copy where "
        "nobody else gets at it, for without them only a service jumper helps."
    )


@app.command()
def check(
    role: Annotated[str, typer.Argument(help="operator or service.")] = "operator",
    port: PortOption = None,
    serial: SerialOption = None,
) -> None:
    """Log in with the key of this computer, and out again: exits 0 when the device takes it."""
    with open_device(port, serial) as device:
        log_in(device, KeyStore(), _role(role))
        device.leave()
    say(f"The device {device.info.serial} takes this computer's {role} key.")


@app.command()
def change(
    role: Annotated[str, typer.Argument(help="operator or service.")],
    port: PortOption = None,
    serial: SerialOption = None,
) -> None:
    """Give a role a new key, as when a computer was lost; takes service's key."""
    store = KeyStore()
    with open_device(port, serial) as device:
        change_key(device, store, _role(role))
        path = store.path(device.info.serial)
    say(f"The {role} key is a new one. Copy {path} to the other computers that need it.")


@app.command()
def limit(
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE…",
            help=", ".join(f"{name} {unit}".strip() for name, (*_, unit) in _LIMITS.items()),
        ),
    ],
    port: PortOption = None,
    serial: SerialOption = None,
) -> None:
    """Lower what the device gives at most, e.g. dose=20 depth=4; takes service's key.

    No limit goes above the one that is built in.
    """
    _set(values, _LIMITS, port, serial)


@app.command()
def calibrate(
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE…",
            help="surface: where the depth axis brings a struck needle just to the skin (mm); "
            "empty: where the pusher has emptied the syringe (mm).",
        ),
    ],
    port: PortOption = None,
    serial: SerialOption = None,
) -> None:
    """Tell the device positions that were measured on it, e.g. surface=1.05; takes service's key.

    They count from the next homing on.
    """
    _set(values, _POSITIONS, port, serial)


@app.command()
def unlock(port: PortOption = None, serial: SerialOption = None) -> None:
    """Unlock a device in which the same alarm came three times; takes service's key.

    Find the cause first. Then acknowledge with mesodrive ack.
    """
    with open_device(port, serial, "service") as device:
        was_locked = device.info.locked
        device.unlock()
    said = "The device is unlocked; acknowledge with mesodrive ack."
    say(said if was_locked else "The device was not locked; its alarms are counted anew.")


def _set(
    texts: list[str],
    names: dict[str, tuple[str, int, str]],
    port: str | None,
    serial: str | None,
) -> None:
    wanted: list[tuple[str, int]] = []
    for text in texts:
        name, value = name_and_value(text)
        if name not in names:
            raise MesodriveError(f"There is no {name} here; it is one of {', '.join(names)}.")
        if not math.isfinite(value * names[name][1]):
            raise MesodriveError(f"{text} is no number; write NAME=VALUE, e.g. dose=20.")
        wire, scale, _ = names[name]
        wanted.append((wire, round(value * scale)))
    with open_device(port, serial, "service") as device:
        for wire, value in wanted:
            device.set_value(wire, value)
    say("Set: " + ", ".join(texts) + ".")


def _role(name: str) -> Role:
    for role in ROLES:
        if role == name:
            return role
    raise MesodriveError(f"There is no role {name}; it is {' or '.join(ROLES)}.")
