"""Commands for the device itself."""

from typing import Annotated

import typer

from mesodrive.cli.output import (
    JsonOption,
    PortOption,
    SerialOption,
    open_device,
    print_json,
    print_table,
    say,
)
from mesodrive.device import Status
from mesodrive.link.discovery import find_devices
from mesodrive.session_view import doubts


def devices(json: JsonOption = False) -> None:
    """List the devices on this computer, simulated ones included."""
    found = find_devices()
    if json:
        print_json([device.as_dict() for device in found])
        return
    if not found:
        say("No mesodrive is connected; plug one in, or start one with mesodrive sim.")
        return
    print_table(
        "Devices",
        ("port", "serial number", "product", "USB id"),
        [(d.port, d.serial, d.product, d.usb_id) for d in found],
    )


def info(port: PortOption = None, serial: SerialOption = None, json: JsonOption = False) -> None:
    """Say what the device is and how it stands."""
    with open_device(port, serial) as device:
        what, status = device.info, device.status()
    if json:
        print_json({"info": what.model_dump(), "status": status.model_dump()})
        return
    on = ", ".join(name for name, level in status.inputs.items() if level)
    print_table(
        f"{what.product} {what.version} on {what.board}",
        ("", ""),
        (
            ("serial number", what.serial),
            ("state", f"{status.state}: {status.why}"),
            ("alarm", f"{status.alarm.code}: {status.alarm.text}" if status.alarm else "none"),
            ("inputs that are on", on),
            *_loaded(status),
            ("given in this session", f"{status.session_nl / 1000:.3f} µL"),
            ("doses in doubt", doubts(status.in_doubt) if status.in_doubt else "none"),
            ("modes", ", ".join(what.modes)),
            ("MicroPython", what.micropython),
            ("free memory", f"{what.ram_free / 1024:.0f} KiB"),
        ),
    )


def _loaded(status: Status) -> tuple[tuple[str, str], ...]:
    """A device that has restarted knows no profile, and so not what its syringe holds."""
    if status.profile is None:
        return (("profile", "none is loaded, so what the syringe holds is not known"),)
    return (
        ("shots", f"{status.shots_done} of {status.shots_total}"),
        ("delivered", f"{status.delivered_nl / 1000:.3f} µL"),
        ("left in the syringe", f"{status.left_nl / 1000:.1f} µL"),
    )


def selftest(
    port: PortOption = None, serial: SerialOption = None, json: JsonOption = False
) -> None:
    """Have the device check itself. Exits 1 when a check fails."""
    with open_device(port, serial) as device:
        result = device.selftest()
    if json:
        print_json(result.model_dump())
    else:
        print_table(
            "Self-test",
            ("check", "result"),
            [(c.name, "ok" if c.ok else f"failed: {c.detail}") for c in result.checks],
        )
    raise typer.Exit(0 if result.passed else 1)


def ack(port: PortOption = None, serial: SerialOption = None) -> None:
    """Acknowledge a latched fault whose cause is gone."""
    with open_device(port, serial, "operator") as device:
        device.acknowledge()
        say(f"The device is in {device.status().state}.")


def trace(port: PortOption = None, serial: SerialOption = None, json: JsonOption = False) -> None:
    """Show the last moments before the last stop."""
    with open_device(port, serial) as device:
        events = device.trace()
    if json:
        print_json([event._asdict() for event in events])
        return
    if not events:
        say("The device has not stopped since it was switched on.")
        return
    end_us = events[-1].t_us
    print_table(
        "Before the last stop",
        ("ms before", "event", "value"),
        [(f"{(end_us - e.t_us) / 1000:.3f}", e.event, str(e.value)) for e in events],
        right=("ms before", "value"),
    )


def flash(
    board: Annotated[str, typer.Option("--board", help="Board whose image to write.")] = "pico",
    drive: Annotated[
        str | None,
        typer.Option("--port", "-p", help="Folder of the boot loader's drive, if not found."),
    ] = None,
) -> None:
    """Write the image to a board that is in its boot loader (BOOTSEL held while plugging in)."""
    from mesodrive.flash import flash as write

    say(write(board, drive))
