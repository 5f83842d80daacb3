"""What the tests of sessions share: empty records in a real file."""

from collections.abc import Generator
from pathlib import Path

import pytest

from mesodrive.records import Records


@pytest.fixture
def records(tmp_path: Path) -> Generator[Records]:
    with Records.open(tmp_path / "records.db") as opened:
        yield opened
