"""Keys are kept for their owner alone, whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from mesodrive.keys import KeysError, KeyStore, keys_dir

pytestmark = pytest.mark.requirement("R28")
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def test_only_their_owner_may_read_them(tmp_path: Path):
    store = KeyStore(tmp_path / "keys")
    store.put("5eed", "operator", KEY)
    assert stat.S_IMODE(store.path("5eed").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_a_file_that_others_may_read_is_refused(tmp_path: Path):
    store = KeyStore(tmp_path)
    store.put("5eed", "operator", KEY)
    store.path("5eed").chmod(0o640)
    with pytest.raises(KeysError, match=r"chmod 600"):
        store.candidates("5eed", "operator")


def test_devices_and_roles_are_kept_apart(tmp_path: Path):
    store = KeyStore(tmp_path)
    store.put("5eed", "operator", KEY)
    store.put("5eed", "service", OTHER)
    assert store.candidates("5eed", "operator") == [KEY]
    assert store.candidates("5eed", "service") == [OTHER]
    assert store.candidates("feed", "operator") == []


def test_a_key_on_its_way_stands_behind_the_one_that_holds(tmp_path: Path):
    store = KeyStore(tmp_path)
    store.put("5eed", "operator", KEY)
    store.put_next("5eed", "operator", OTHER)
    assert store.candidates("5eed", "operator") == [KEY, OTHER]
    store.put("5eed", "operator", OTHER)
    assert store.candidates("5eed", "operator") == [OTHER]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"operator":"00"}', '{"operator":5}', "5"])
def test_a_file_that_holds_something_else_is_one_sentence(tmp_path: Path, text: str):
    store = KeyStore(tmp_path)
    descriptor = os.open(store.path("5eed"), os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, text.encode())
    os.close(descriptor)
    with pytest.raises(KeysError, match="holds no keys"):
        store.candidates("5eed", "operator")


@pytest.mark.parametrize("serial", ["", "../5eed", "a/b", "5eed.json", "x" * 65])
def test_a_device_does_not_choose_where_its_keys_lie(tmp_path: Path, serial: str):
    with pytest.raises(KeysError, match="cannot name a file"):
        KeyStore(tmp_path).put(serial, "operator", KEY)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MESODRIVE_KEYS", str(tmp_path))
    assert keys_dir() == tmp_path
