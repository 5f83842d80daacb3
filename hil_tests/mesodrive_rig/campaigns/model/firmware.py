"""The image's own modules, run here."""

import sys
from copy import copy
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from mesodrive_rig.emulated.rig import ROOT


def _module(name: str) -> Any:
    for folder in ("firmware", "firmware/tests", "firmware/shared", "boards/pico"):
        path = str(ROOT / folder)
        if path not in sys.path:
            sys.path.append(path)
    return import_module(name)


board = _module("board")
drives = _module("drives")
limits = _module("injector.limits")
errors = _module("injector.errors")
machine = _module("injector.machine")
settings = _module("injector.settings")
stand_ins = _module("stand_ins")
stand_in_machine = _module("stand_ins.machine")
KEYS: dict[str, bytes] = stand_ins.KEYS


def quick_drives() -> Any:
    """Mechanics that home in less time: the model is about what comes in between."""
    made = SimpleNamespace(**vars(drives))
    made.DEPTH = copy(drives.DEPTH)
    made.DEPTH.limits = drives.PLUNGER.limits
    made.DEPTH.speed_um_s = drives.DEPTH.speed_um_s * 2
    made.HOME_SLOW_UM_S = 4_000
    return made


def flashes_at_a_site(values: dict[str, int]) -> dict[str, tuple[bytes, int]]:
    """By the port's attribute: what is in the flash, and the size of a sector. `values` are what
    the site has set."""
    port: Any = stand_in_machine.with_ledger(stand_ins.StandInPort())
    made = settings.Settings(port.settings_flash)
    made.open()
    made.keys = dict(KEYS)
    made.values = values
    made.save()
    flashes: dict[str, Any] = {
        "ledger_flash": port.ledger_flash,
        "settings_flash": port.settings_flash,
    }
    return {name: (bytes(flash.data), flash.sector) for name, flash in flashes.items()}
