"""What the tests of the command line share: the command itself, in an empty house."""

import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from mesodrive.cli import main, output
from mesodrive.keys import KeyStore
from mesodrive.link import discovery
from mesodrive_rig.scripted import INFO


@pytest.fixture
def house(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder to be in, with its own records and no device; the keys of a scripted one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MESODRIVE_RECORDS", str(tmp_path / "records.db"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("MESODRIVE_HOST_KEY", raising=False)
    monkeypatch.setenv("MESODRIVE_KEYS", str(tmp_path_factory.mktemp("keys")))
    KeyStore().put(INFO["serial"], "operator", bytes(range(32)))
    monkeypatch.delenv("MESODRIVE_PORT", raising=False)
    monkeypatch.setattr(discovery.list_ports, "comports", lambda: ())
    monkeypatch.setattr(output.console, "width", 200)
    return tmp_path


@pytest.fixture
def mesodrive(
    house: Path,  # noqa: ARG001 (no test of a command may touch the person's own)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, str]]:
    """Runs `mesodrive` with these words, `says` on its keyboard: exit code, stdout, stderr."""

    def run(*words: object, says: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mesodrive", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", StringIO(says))
        with pytest.raises(SystemExit) as leaving:
            main()
        out, err = capsys.readouterr()
        assert isinstance(leaving.value.code, int)
        return leaving.value.code, out, err

    return run
