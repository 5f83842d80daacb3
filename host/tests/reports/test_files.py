"""A file is written whole or not at all."""

import resource
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from mesodrive.records import SessionRecord
from mesodrive.reports import ReportError, write_csv, write_json, write_report
from mesodrive.reports.files import write_whole


@pytest.fixture
def full_disk() -> Generator[None]:
    """No file may grow past 200 bytes: writing fails half-way, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("write", [write_report, write_json, write_csv])
def test_a_report_makes_its_folder_and_leaves_nothing_else_there(
    complete: SessionRecord, tmp_path: Path, write: Callable[[list[SessionRecord], Path], None]
) -> None:
    path = tmp_path / "new" / "folder" / "out"
    write([complete], path)
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_size > 200


def test_a_folder_is_no_place_for_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportError, match=r"^\. is a folder; give the name of a file\.$"):
        write_whole(Path(), "text")
    (tmp_path / "reports").mkdir()
    with pytest.raises(ReportError, match="reports was not written"):
        write_whole(tmp_path / "reports", "text")
    assert [one.name for one in tmp_path.iterdir()] == ["reports"]


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"report\.html was not written .*; free some space"):
        write_whole(tmp_path / "report.html", "x" * 1000)
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stays_when_the_new_one_does_not_fit(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "report.html"
    write_whole(path, "the old report")
    request.getfixturevalue("full_disk")
    with pytest.raises(ReportError):
        write_whole(path, "x" * 1000)
    assert path.read_text() == "the old report"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ReportError, match="choose another place"):
        write_whole(tmp_path / "report.html", "text")
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match="choose another place"):
        write_whole(tmp_path / "file" / "report.html", "text")
