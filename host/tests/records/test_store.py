"""Sessions are started, filled, finished and found again."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from mesodrive import __version__
from mesodrive.presets import load_preset, prescribe
from mesodrive.records import (
    EventKind,
    Records,
    RecordsError,
    SessionFacts,
    SessionOutcome,
    ShotReport,
    default_path,
)
from mesodrive.records import store as store_module


def test_a_whole_session_reads_back_as_it_was_written(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    second = shot.model_copy(update={"number": 2, "dose_ul": 11.98})
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_event(id, EventKind.STATE, "READY → ARMED")
        records.add_shots(id, [second.with_truth(skin_ul=11.97, depth_mm=2.99, lost_ul=0.01)])
        records.add_shots(id, [shot])
        records.finish(id, SessionOutcome.STOPPED, "The operator stopped it.", 1, 12.5)

    with Records.open(path) as records:
        session = records.session(id)
    assert session.facts == facts
    assert session.host_version == __version__
    assert (session.outcome, session.reason) == (
        SessionOutcome.STOPPED,
        "The operator stopped it.",
    )
    assert (session.uncertain_shots, session.uncertain_ul) == (1, 12.5)
    assert session.ended_at is not None
    assert session.started_at.utcoffset() == session.ended_at.utcoffset() is not None
    assert session.started_at <= session.shots[1].received_at <= session.ended_at
    assert [s.number for s in session.shots] == [1, 2]
    assert session.shots[0].model_dump(exclude={"received_at"}) == shot.model_dump()
    assert (session.shots[1].true_skin_ul, session.shots[1].true_lost_ul) == (11.97, 0.01)
    assert [(e.kind, e.text) for e in session.events] == [(EventKind.STATE, "READY → ARMED")]


def test_the_list_shows_the_latest_first_with_what_was_given(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        first = records.start(facts)
        for number in (1, 2, 3):
            records.add_shots(first, [shot.model_copy(update={"number": number})])
        second = records.start(facts)
        latest, earlier = records.sessions()
    assert (latest.id, latest.recorded_shots, latest.reported_ul) == (second, 0, 0)
    assert (earlier.id, earlier.recorded_shots, earlier.reported_ul) == (first, 3, 36.03)
    assert (earlier.preset_name, earlier.preset_title) == ("nappage", "Nappage")
    assert (earlier.operator, earlier.planned_shots) == ("A. Example", 20)
    assert earlier.device_serial == "E66118604B1F2A2C"


@pytest.mark.requirement("R27")
def test_the_same_shot_again_is_recorded_once(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    measured = shot.with_truth(skin_ul=12.0, depth_mm=3.0, lost_ul=0.0)
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_shots(id, [measured])
        records.add_shots(id, [measured])
        records.add_shots(id, [shot])  # as the device would repeat it, which knows no truth
        (recorded,) = records.session(id).shots
    assert recorded.true_skin_ul == 12.0


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("change", [{"dose_ul": 11.0}, {"back_ms": None}, {"true_skin_ul": 11.9}])
def test_another_report_under_the_same_number_is_refused(
    path: Path, facts: SessionFacts, shot: ShotReport, change: dict[str, object]
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_shots(id, [shot])
        with pytest.raises(RecordsError, match=r"Shot 1 .* already recorded with other values"):
            records.add_shots(id, [shot.model_copy(update=change)])
        (recorded,) = records.session(id).shots
    assert recorded.model_dump(exclude={"received_at"}) == shot.model_dump()


@pytest.mark.requirement("R27")
def test_a_batch_is_recorded_in_one_transaction_with_what_is_known_of_it_left_alone(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    batch = [shot.model_copy(update={"number": number}) for number in range(1, 41)]
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_shots(id, batch[5:8])
        records.add_shots(id, [*batch, batch[30]])
        records.add_shots(id, [])
        recorded = records.session(id).shots
    assert [one.number for one in recorded] == list(range(1, 41))
    assert len({one.received_at for one in recorded}) == 2


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("where", [0, 20, 39])
def test_one_wrong_report_keeps_its_whole_batch_out(
    path: Path, facts: SessionFacts, shot: ShotReport, where: int
) -> None:
    batch = [shot.model_copy(update={"number": number}) for number in range(1, 41)]
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_shots(id, [batch[where]])
        other = batch[where].model_copy(update={"dose_ul": 1.0})
        with pytest.raises(RecordsError, match=rf"Shot {where + 1} of session"):
            records.add_shots(id, [*batch[:where], other, *batch[where + 1 :]])
        assert [one.number for one in records.session(id).shots] == [where + 1]


def test_two_reports_of_one_shot_in_a_batch_must_be_the_same(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        with pytest.raises(RecordsError, match="already recorded with other values"):
            records.add_shots(id, [shot, shot.model_copy(update={"steps": 1})])
        records.add_shots(id, [shot, shot])
        assert len(records.session(id).shots) == 1


def test_the_zone_its_plan_and_what_is_lost_are_kept(path: Path) -> None:
    preset = load_preset("nappage")
    prescription = prescribe(preset, zone_area_cm2=50)
    info = {"product": "p", "version": "1", "board": "b", "serial": "s", "micropython": "1"}
    with Records.open(path) as records:
        id = records.start(SessionFacts.of(preset, prescription, info))
        records.finish(id, SessionOutcome.STOPPED, "Stopped.", 3, 30.0, lost_shots=2)
        session = records.session(id)
        (summary,) = records.sessions()
    assert session.facts.zone_area_cm2 == 50
    assert session.facts.planned_passes == pytest.approx(20 * 3**2 / 5000)
    assert (session.lost_shots, summary.lost_shots) == (2, 2)
    half = session.facts.coverage(10)
    assert half
    assert half.passes == pytest.approx(10 * 3**2 / 5000)


def test_the_record_of_an_ended_session_is_closed(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_shots(id, [shot])
        records.finish(id, SessionOutcome.COMPLETE, "All done.", 0, 0.0)
        before = records.session(id)
        with pytest.raises(RecordsError, match="has ended"):
            records.add_shots(id, [shot.model_copy(update={"number": 2})])
        with pytest.raises(RecordsError, match="has ended"):
            records.add_event(id, EventKind.NOTE, "late")
        with pytest.raises(RecordsError, match="has ended"):
            records.finish(id, SessionOutcome.FAULT, "Again.", 5, 5.0)
        records.add_shots(id, [shot])  # a repeat tells nothing new
        assert records.session(id) == before


def test_a_session_cannot_be_finished_as_running(path: Path, facts: SessionFacts) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        with pytest.raises(ValueError, match="not running"):
            records.finish(id, SessionOutcome.RUNNING, "", 0, 0.0)
        assert records.session(id).outcome is SessionOutcome.RUNNING


def test_a_session_without_an_end_is_shown_as_interrupted_and_kept_as_it_is(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_shots(id, [shot])
        assert records.sessions()[0].outcome is SessionOutcome.RUNNING
    with Records.open(path) as records:
        for shown in (records.sessions()[0], records.session(id)):
            assert shown.outcome is SessionOutcome.INTERRUPTED
            assert "killed" in shown.reason
            assert shown.ended_at is shown.uncertain_shots is shown.uncertain_ul is None
        records.finish(id, SessionOutcome.INTERRUPTED, "Closed by hand.", 3, 36.0)
        assert records.session(id).uncertain_shots == 3


def test_a_session_is_found_by_the_beginning_of_its_id_or_as_the_last(
    path: Path, facts: SessionFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = count(0xABCDEF00 << 96)
    monkeypatch.setattr(store_module, "uuid4", lambda: UUID(int=next(numbers)))
    with Records.open(path) as records:
        first, second = records.start(facts), records.start(facts)
        assert records.session("last").id == second
        assert records.session(first).id == first
        assert records.session(first.upper()).id == first
        with pytest.raises(RecordsError, match="More than one session begins with 'abcd'"):
            records.session("abcd")
    assert first[:-1] == second[:-1]


@pytest.mark.parametrize("id", ["0000", "", "%", "_", "last"])
def test_an_unknown_session_is_named_in_one_sentence(path: Path, id: str) -> None:
    with Records.open(path) as records, pytest.raises(RecordsError, match=f"no session '{id}'"):
        records.session(id)


@pytest.mark.parametrize("id", ["", "%", "_"])
def test_no_pattern_finds_a_session(path: Path, facts: SessionFacts, id: str) -> None:
    with Records.open(path) as records:
        records.start(facts)
        with pytest.raises(RecordsError, match="There is no session"):
            records.session(id)


def test_only_a_whole_id_may_be_written_to(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        for other in ("last", id[:8]):
            with pytest.raises(RecordsError, match="There is no session"):
                records.add_shots(other, [shot])


def test_programs_can_record_side_by_side(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    Records.open(path).close()

    def run_a_session(_program: int) -> None:
        with Records.open(path) as records:
            id = records.start(facts)
            for number in range(1, 31):
                records.add_shots(id, [shot.model_copy(update={"number": number})])

    with ThreadPoolExecutor(3) as programs:
        assert list(programs.map(run_a_session, range(3))) == [None] * 3
    with Records.open(path) as records:
        assert [s.recorded_shots for s in records.sessions()] == [30, 30, 30]


def test_the_records_are_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESODRIVE_RECORDS", str(tmp_path / "elsewhere.db"))
    with Records.open() as records:
        assert records.path == tmp_path / "elsewhere.db"
    assert (tmp_path / "elsewhere.db").exists()


def test_without_a_word_the_records_are_in_the_user_s_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MESODRIVE_RECORDS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path().parts[-2:] == ("mesodrive", "records.db")
