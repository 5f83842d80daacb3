"""What was written is there under its name after a power cut, and so are the folders above it."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mesodrive.keys import KeyStore
from mesodrive.lasting import make_folder, sync_folder
from mesodrive.ledger.host_key import HostKey
from mesodrive.records import Records
from mesodrive.reports.files import write_whole

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


class Disk:
    """What a power cut would leave: files by inode, and the names that each synced folder had."""

    def __init__(self) -> None:
        self.files: set[int] = set()
        self.names: dict[int, dict[str, int]] = {}

    def fsync(self, descriptor: int) -> None:
        about = os.fstat(descriptor)
        if stat.S_ISDIR(about.st_mode):
            with os.scandir(descriptor) as entries:
                self.names[about.st_ino] = {one.name: one.inode() for one in entries}
        else:
            self.files.add(about.st_ino)

    def has(self, path: Path, below: Path) -> bool:
        """Whether `path` is there as it is now, and each folder on the way from `below`."""
        ways = [path, *(one for one in path.parents if below in one.parents)]
        return all(
            self.names.get(one.parent.stat().st_ino, {}).get(one.name) == one.stat().st_ino
            for one in ways
        )


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    return disk


def put_key(folder: Path) -> Path:
    KeyStore(folder).put("5eed", "service", KEY)
    return folder / "5eed.json"


def make_host_key(folder: Path) -> Path:
    HostKey.load(folder / "countersign.key")
    return folder / "countersign.key"


def report(folder: Path) -> Path:
    write_whole(folder / "report.html", "text")
    return folder / "report.html"


@pytest.mark.requirement("R28")
@pytest.mark.parametrize("folder", [".", "new", "new/folder"])
@pytest.mark.parametrize("write", [put_key, make_host_key, report])
def test_a_file_that_was_written_is_there_after_a_power_cut(
    tmp_path: Path, disk: Disk, write: Callable[[Path], Path], folder: str
):
    path = write(tmp_path / folder)
    assert path.stat().st_ino in disk.files
    assert disk.has(path, tmp_path)


@pytest.mark.requirement("R28")
def test_a_key_that_is_about_to_be_sent_is_there_before_it_is(tmp_path: Path, disk: Disk):
    store = KeyStore(tmp_path)
    store.put("5eed", "service", KEY)
    store.put_next("5eed", "service", OTHER)
    assert disk.has(store.path("5eed"), tmp_path)


@pytest.mark.requirement("R21")
def test_the_folder_of_the_records_is_there_after_a_power_cut(tmp_path: Path, disk: Disk):
    Records.open(tmp_path / "new" / "records.db").close()
    assert disk.has(tmp_path / "new", tmp_path)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_share_that_syncs_no_folders_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
):
    def fsync(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    make_folder(tmp_path / "new")
    sync_folder(tmp_path)
    assert (tmp_path / "new").is_dir()


def test_a_disk_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fsync(_: int) -> None:
        raise OSError(errno.EIO, "it is broken")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="broken"):
        sync_folder(tmp_path)
