"""The key for countersignatures is made once, for its owner alone."""

import re
from pathlib import Path

import pytest

from mesodrive.ledger.host_key import HostKey, HostKeyError, default_path

pytestmark = pytest.mark.requirement("R17")


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path):
    path = tmp_path / "data" / "countersign.key"
    key = HostKey.load(path)
    assert len(key.secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert HostKey.load(path) == key
    assert HostKey.load(tmp_path / "another.key") != key
    assert [one.name for one in path.parent.iterdir()] == ["countersign.key"]


def test_the_number_tells_keys_apart_and_not_what_they_are():
    numbers = {HostKey(bytes([n]) * 32).number for n in range(100)}
    assert len(numbers) == 100
    assert max(numbers) < 1 << 32


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "countersign.key"
    HostKey.load(path)
    path.chmod(mode)
    with pytest.raises(HostKeyError, match=r"^The key .* chmod 600.*\.$"):
        HostKey.load(path)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33])
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "countersign.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(HostKeyError, match=r"holds no key; .*\.$"):
        HostKey.load(path)


def test_a_place_where_no_key_can_be_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(HostKeyError) as refused:
        HostKey.load(tmp_path / "file" / "countersign.key")
    assert re.fullmatch(r"The key [^\n]+\.", str(refused.value))


def test_the_key_is_in_the_data_folder_or_where_one_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("MESODRIVE_HOST_KEY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path() == tmp_path / "mesodrive" / "countersign.key"
    monkeypatch.setenv("MESODRIVE_HOST_KEY", str(tmp_path / "key"))
    assert default_path() == tmp_path / "key"
