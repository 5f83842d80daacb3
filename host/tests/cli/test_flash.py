"""An image is written to the board that waits for it, or a sentence says how to make one wait."""

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from mesodrive import flash as module
from mesodrive.errors import MesodriveError
from mesodrive.flash import flash


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built image, no drive, no picotool."""
    path = tmp_path / "build" / "firmware" / "pico" / "mesodrive-pico.uf2"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"UF2\n")
    (tmp_path / "media").mkdir()
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    monkeypatch.setattr(module, "_MOUNTS", (str(tmp_path / "media"),))
    monkeypatch.setenv("PATH", "")
    return path


def drive(tmp_path: Path, *where: str) -> Path:
    folder = tmp_path.joinpath("media", *where)
    folder.mkdir(parents=True)
    (folder / "INFO_UF2.TXT").touch()
    return folder


@pytest.mark.parametrize("where", [("RPI-RP2",), ("ann", "RPI-RP2")])
def test_the_boot_loaders_drive_is_found(
    image: Path, tmp_path: Path, where: tuple[str, ...]
) -> None:
    folder = drive(tmp_path, *where)
    assert str(folder) in flash("pico")
    assert (folder / image.name).read_bytes() == b"UF2\n"


@pytest.mark.usefixtures("image")
def test_another_drive_is_left_alone(tmp_path: Path) -> None:
    stick = drive(tmp_path, "RPI-RP2-backup")
    (tmp_path / "media" / "RPI-RP2").mkdir()  # the name alone is not enough
    with pytest.raises(MesodriveError, match="No board is in its boot loader; hold BOOTSEL"):
        flash("pico")
    assert list(stick.iterdir()) == [stick / "INFO_UF2.TXT"]


def test_a_named_drive_is_taken(image: Path, tmp_path: Path) -> None:
    folder = drive(tmp_path, "mine")
    flash("pico", str(folder))
    assert (folder / image.name).is_file()


def test_an_image_that_is_not_built_is_one_sentence(image: Path) -> None:
    image.unlink()
    with pytest.raises(MesodriveError, match="build it with make firmware BOARD=pico"):
        flash("pico")


@pytest.mark.usefixtures("image")
def test_a_serial_port_is_not_a_drive() -> None:
    with pytest.raises(MesodriveError, match=r"/dev/null is a serial port; .* hold BOOTSEL"):
        flash("pico", "/dev/null")


@pytest.mark.usefixtures("image")
def test_a_drive_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MesodriveError, match=r"was not copied to .*gone \(No such file"):
        flash("pico", str(tmp_path / "gone"))


@pytest.mark.usefixtures("image")
def test_a_full_drive_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copy", full)
    with pytest.raises(MesodriveError, match=r"was not copied .*No space left on device"):
        flash("pico", str(drive(tmp_path, "mine")))


@pytest.mark.parametrize("code", [0, 1])
def test_picotool_writes_where_there_is_one(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    tool = tmp_path / "bin" / "picotool"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexit {code}\n')
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tool.parent))
    if code:
        with pytest.raises(MesodriveError, match="boot loader"):
            flash("pico")
    else:
        assert "verified with picotool" in flash("pico")
    assert (tmp_path / "asked").read_text().split() == ["load", "-v", "-x", str(image)]
