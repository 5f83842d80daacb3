"""A device to be claimed, and a place for its keys."""

from pathlib import Path

import pytest

from mesodrive.keys import KeyStore
from mesodrive.login import claim
from mesodrive_rig.stand_in_bench import Bench


@pytest.fixture
def new() -> Bench:
    """A device without keys."""
    return Bench(claimed=False)


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


@pytest.fixture
def owned(new: Bench, keys: KeyStore) -> tuple[Bench, KeyStore]:
    """A device that this computer has claimed."""
    with new.connect() as device:
        claim(device, keys)
    return new, keys
