"""The firmware's own modules, run here on the stand-ins that its unit tests use."""

import sys
from importlib import import_module
from typing import Any

from mesodrive_rig.emulated.rig import ROOT

_FOLDERS = ("firmware", "boards/pico", "firmware/tests")


def firmware(name: str) -> Any:
    """A module of the firmware, of the board or of the stand-ins."""
    for folder in _FOLDERS:
        path = str(ROOT / folder)
        if path not in sys.path:
            sys.path.append(path)
    return import_module(name)
