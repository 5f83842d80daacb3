"""Writing an image to a board: by copying to its boot loader's drive, or with picotool."""

import shutil
import subprocess
from pathlib import Path

from mesodrive.errors import MesodriveError
from mesodrive.link.port import PortError

_ROOT = Path(__file__).parents[2]
_DRIVE = "RPI-RP2"  # what the RP2040's boot ROM calls its drive
_MOUNTS = ("/media", "/run/media", "/Volumes", "/mnt")


class FlashError(MesodriveError):
    """An image that was not written."""


def flash(board: str, drive: str | None = None) -> str:
    """Write the image of `board`; return what was done in one sentence.

    `drive` is the folder of the boot loader's drive, looked for when it is None. Raises
    FlashError when there is no image or no board in its boot loader.
    """
    image = _ROOT / "build" / "firmware" / board / f"mesodrive-{board}.uf2"
    if not image.is_file():
        raise FlashError(
            f"There is no image at {image}; build it with make firmware BOARD={board}."
        )
    if drive and Path(drive).exists() and not Path(drive).is_dir():
        raise PortError(
            f"{drive} is a serial port; a running mesodrive cannot be flashed through it: hold "
            "BOOTSEL while you plug the board in, then flash without a port."
        )
    folder = Path(drive) if drive else _find_drive()
    if folder:
        try:
            shutil.copy(image, folder / image.name)
        except OSError as error:
            raise FlashError(
                f"{image.name} was not copied to {folder} ({error.strerror}); hold BOOTSEL while "
                "you plug the board in, and try again."
            ) from error
        return f"{image.name} was copied to {folder}; the board restarts with it."
    picotool = shutil.which("picotool")
    if picotool:
        done = subprocess.run(
            [picotool, "load", "-v", "-x", str(image)], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return f"{image.name} was written and verified with picotool."
    raise FlashError(
        f"No board is in its boot loader; hold BOOTSEL while you plug it in, until the drive "
        f"{_DRIVE} appears, and try again."
    )


def _find_drive() -> Path | None:
    for mount in _MOUNTS:
        for depth in ("*", "*/*"):
            for folder in Path(mount).glob(depth):
                if folder.name == _DRIVE and (folder / "INFO_UF2.TXT").is_file():
                    return folder
    return None
