"""The emulator compiled for this very Python.

rp2040py's wheel is compiled once for every Python; the C sources that it was made from lie in it.
Compiled for one Python alone they run more than twice as fast (docs/decisions/0080), and the two
modules of ours that run all the time make it three times that (docs/decisions/0081). What comes
out lies beside the wheel's own parts and beside our modules, and Python takes it first.
"""

import os
import sys
import sysconfig
from pathlib import Path

from toolchain import stamps, system
from toolchain.environment import PYTHON
from toolchain.errors import ToolchainError
from toolchain.paths import BOARDS, LOGS, ROOT, VENV, shown
from toolchain.progress import run_step

_RULES = BOARDS / "toolchain" / "emulator.mk"
_NATIVE = Path(sysconfig.get_path("platlib", vars={"platbase": str(VENV)})) / "rp2040py/native"
_OURS = ROOT / "hil_tests/mesodrive_rig/emulated"
_HEADERS = Path(sysconfig.get_path("include"))
_SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))

_PYTHON_HEADERS = (system.Need("python3-dev", (_HEADERS / "Python.h").is_file),)


def build() -> None:
    """Compile it unless that has been done; without a compiler it runs as it came."""
    sources = [*sorted(_NATIVE.glob("*.c")), *sorted(_OURS.glob("*.pxd"))]
    compiled = [source.with_name(source.stem + _SUFFIX) for source in sources]
    plain = [source.with_suffix(".py") for source in sources if source.parent == _OURS]
    stamp = _NATIVE / "compiled.stamp"
    identity = stamps.fingerprint([_RULES, *sources, *plain], sys.version, _SUFFIX)
    if stamps.is_current(stamp, identity) and all(part.exists() for part in compiled):
        return
    stamp.unlink(missing_ok=True)
    _remove_compiled()  # make does not know by which rules they were made
    try:
        system.ensure((*system.NATIVE_COMPILER, *_PYTHON_HEADERS))
        for folder in (_NATIVE, _OURS):
            run_step(
                f"Compile the emulator for this Python, {shown(folder)}",
                ["make", "-C", str(folder), "-f", str(_RULES), f"-j{os.cpu_count() or 1}"],
                LOGS / "emulator.log",
                env=system.without_make()
                | {"SUFFIX": _SUFFIX, "HEADERS": str(_HEADERS), "PYTHON": str(PYTHON)},
            )
    except ToolchainError as error:
        _remove_compiled()  # compiled parts and the wheel's own do not fit together
        print(f"The emulator runs at a tenth of its speed: {error}")
        return
    stamps.write(stamp, identity)


def _remove_compiled() -> None:
    for folder in (_NATIVE, _OURS):
        for part in folder.glob(f"*{_SUFFIX}"):
            part.unlink()
