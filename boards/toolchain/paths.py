"""Where the build reads and writes; everything it makes lies under `build/`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "boards"
FIRMWARE = ROOT / "firmware"
BUILD = ROOT / "build"
TOOLCHAIN = BUILD / "toolchain"
BIN = TOOLCHAIN / "bin"
LOGS = BUILD / "logs"
VENV = BUILD / "venv"


def shown(path: Path) -> str:
    """The path as a person at the top of the checkout would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
