"""What the tests of the ledger share: a device's ledger, and empty records in a real file."""

from collections.abc import Generator
from pathlib import Path

import pytest

from mesodrive.ledger.host_key import HostKey
from mesodrive.records import Records
from mesodrive_rig.ledger_model import LedgerModel

SERIAL = "E66118604B1F2A2C"


@pytest.fixture
def records(tmp_path: Path) -> Generator[Records]:
    with Records.open(tmp_path / "records.db") as opened:
        yield opened


@pytest.fixture
def device() -> LedgerModel:
    """A device with a profile, a priming and three pulls behind it."""
    device = LedgerModel()
    device.load(0x5F3A90C1)
    device.prime()
    for _ in range(3):
        device.pull(4)
    return device


@pytest.fixture
def key() -> HostKey:
    return HostKey(bytes(range(32)))
