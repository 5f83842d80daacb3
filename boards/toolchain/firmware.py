"""Builds the image of a board: MicroPython with our firmware frozen in, as a UF2 file."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from toolchain import micropython, sources, stamps, system, uf2
from toolchain.errors import ToolchainError
from toolchain.paths import BOARDS, BUILD, FIRMWARE, LOGS, shown
from toolchain.progress import run_step

USER_C_MODULES = FIRMWARE / "c_modules/micropython.cmake"

# RP2040: start of the flash in the address space, and the family number of the UF2 format.
_FLASH_ADDRESS = "0x10000000"
_UF2_FAMILY = "0xe48bff56"

_FROZEN_CODE = "fun_data_"  # how the names of frozen functions begin
_CMAKE_PERCENT = re.compile(r"^\[ *(\d+)%\]")


def image_path(board: str) -> Path:
    return BUILD / "firmware" / board / f"mesodrive-{board}.uf2"


def build(board: str) -> Path:
    """Build the image unless it is up to date; returns its path."""
    board_folder = _board_folder(board)
    tree = sources.get()
    system.ensure((*system.NATIVE_COMPILER, *system.ARM_COMPILER))
    micropython.build_mpy_cross(tree)

    image = image_path(board)
    stamp = image.with_suffix(".stamp")
    identity = stamps.fingerprint(
        [FIRMWARE, board_folder, Path(__file__), Path(micropython.__file__), Path(uf2.__file__)],
        tree.identity or "",
        _compiler_version(),
    )
    if tree.identity and image.is_file() and stamps.is_current(stamp, identity):
        print(f"{shown(image)} is up to date.")
        return image

    image.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    _compile(board, board_folder, tree, image)
    stamps.write(stamp, identity)
    size_kib = image.stat().st_size / 1024
    print(f"{shown(image)}: {size_kib:.0f} KiB, MicroPython {tree.version}.")
    return image


def _board_folder(board: str) -> Path:
    folder = BOARDS / board
    if not (folder / "mpconfigboard.cmake").is_file():
        known = sorted(file.parent.name for file in BOARDS.glob("*/mpconfigboard.cmake"))
        raise ToolchainError(
            f"There is no image for the board {board!r}: name one of these with BOARD=: "
            f"{', '.join(known)}."
        )
    return folder


def _compiler_version() -> str:
    answer = subprocess.run(
        ["arm-none-eabi-gcc", "--version"], capture_output=True, text=True, check=True
    )
    return answer.stdout.splitlines()[0]


def _compile(board: str, board_folder: Path, tree: sources.SourceTree, image: Path) -> None:
    out = tree.work / f"rp2-{board}"
    log = LOGS / f"firmware-{board}.log"
    log.unlink(missing_ok=True)
    environment = micropython.build_environment(tree)
    settings = {
        "MICROPY_BOARD": board,
        "MICROPY_BOARD_DIR": str(board_folder),
        "PICO_NO_PICOTOOL": "1",
        "Python3_EXECUTABLE": sys.executable,
        "USER_C_MODULES": str(USER_C_MODULES) if USER_C_MODULES.is_file() else "",
    }
    run_step(
        f"Configure the {board} image",
        [
            "cmake",
            *("-S", str(tree.path / "ports/rp2"), "-B", str(out), "-G", "Unix Makefiles"),
            *(f"-D{name}={value}" for name, value in settings.items()),
        ],
        log,
        env=environment,
    )
    run_step(
        f"Build the {board} image",
        ["cmake", "--build", str(out), "--parallel", str(os.cpu_count() or 1)],
        log,
        percent=_cmake_percent,
        env=environment,
    )
    _check_alignment(out / "firmware.elf")
    raw = out / "firmware.bin"
    packed = raw.with_suffix(".uf2")
    converter = str(tree.path / "tools/uf2conv.py")
    run_step(
        f"Pack the {board} image as UF2",
        [
            *(sys.executable, converter, "-b", _FLASH_ADDRESS, "-f", _UF2_FAMILY),
            *("-c", "-o", str(packed), str(raw)),
        ],
        log,
    )
    address = int(_FLASH_ADDRESS, 16) + _board_value(board_folder, "IMAGE_NOTE")
    if raw.stat().st_size > address - int(_FLASH_ADDRESS, 16):
        raise ToolchainError(
            f"The {board} image is {raw.stat().st_size} bytes and reaches into what the device "
            "keeps; freeze less into it."
        )
    shutil.copy2(raw, image.with_suffix(".bin"))
    image.write_bytes(uf2.with_note(packed.read_bytes(), raw.read_bytes(), address))


def _board_value(board_folder: Path, name: str) -> int:
    """A whole number that board.py gives to `name`."""
    found = re.search(rf"^{name} = (\w+)", (board_folder / "board.py").read_text(), re.MULTILINE)
    assert found, f"board.py has no {name}"
    return int(found[1], 0)


def _check_alignment(elf: Path) -> None:
    """Frozen machine code reads its constants in whole words; see c_modules/micropython.cmake."""
    symbols = subprocess.run(
        ["arm-none-eabi-nm", str(elf)], capture_output=True, text=True, check=True
    )
    crooked = crooked_functions(symbols.stdout)
    if crooked:
        raise ToolchainError(
            f"The image has machine code that would read wrong constants ({crooked[0]}): keep the "
            "alignment in firmware/c_modules/micropython.cmake."
        )


def crooked_functions(symbols: str) -> list[str]:
    """Frozen machine code that does not begin at a whole word, of what `nm` prints; bytecode
    may lie anywhere."""
    rows = [line.split() for line in symbols.splitlines()]
    return [
        row[2]
        for row in rows
        if row[1:2] == ["t"] and row[2].startswith(_FROZEN_CODE) and int(row[0], 16) % 4
    ]


def _cmake_percent(line: str) -> float | None:
    match = _CMAKE_PERCENT.match(line)
    return float(match[1]) if match else None
