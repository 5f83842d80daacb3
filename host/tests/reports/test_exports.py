"""What goes out as JSON and CSV is what the records hold, to the last digit."""

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesodrive import __version__
from mesodrive.records import Records, SessionFacts, SessionRecord, ShotRecord, ShotReport
from mesodrive.reports import write_csv, write_json

finite = st.floats(allow_nan=False, allow_infinity=False)
amount = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
whole = st.integers(0, 2**53 - 1)
report = st.builds(
    ShotReport,
    number=st.integers(1, 2**53 - 1),
    t_ms=amount,
    commanded_ul=amount,
    dose_ul=finite,
    commanded_depth_mm=amount,
    depth_mm=st.none() | finite,
    steps=whole,
    audit=st.integers(1 - 2**53, 2**53 - 1),
    out_ms=st.none() | amount,
    back_ms=st.none() | amount,
    true_skin_ul=st.none() | finite,
    true_depth_mm=st.none() | finite,
    true_lost_ul=st.none() | finite,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(reports=st.lists(report, max_size=5, unique_by=lambda shot: shot.number))
def test_any_shots_come_through_records_and_json_unchanged(reports: list[ShotReport]) -> None:
    facts = SessionFacts.model_validate_json(_FACTS)
    with TemporaryDirectory() as folder:
        with Records.open(Path(folder) / "records.db") as records:
            id = records.start(facts)
            records.add_shots(id, reports)
            session = records.session(id)
        write_json([session], Path(folder) / "session.json")
        document = json.loads((Path(folder) / "session.json").read_text("utf-8"))
    back = SessionRecord.model_validate(document["sessions"][0])
    assert back == session
    assert back.facts == facts
    assert [shot.model_dump(exclude={"received_at"}) for shot in back.shots] == [
        shot.model_dump() for shot in sorted(reports, key=lambda shot: shot.number)
    ]


def test_the_json_says_what_it_is_and_in_which_units(
    complete: SessionRecord, tmp_path: Path
) -> None:
    write_json([complete], tmp_path / "session.json")
    document = json.loads((tmp_path / "session.json").read_text("utf-8"))
    assert document["format"] == "mesodrive.session"
    assert document["format_version"] == 1
    assert document["written_by"] == f"mesodrive {__version__}"
    units = document["units"]
    assert units["dose_ul"] == units["true_skin_ul"] == units["uncertain_ul"] == "µL"
    assert units["commanded_depth_mm"] == "mm"
    assert units["flow_ul_s"] == "µL/s"
    assert units["flow_nl_s"] == "nL/s"
    assert units["syringe_nl_per_mm"] == "nL/mm"
    assert units["back_ms"] == "ms"
    assert units["started_at"] == "ISO 8601, UTC"
    assert document["sessions"][0]["started_at"].endswith("Z")


def test_every_number_of_a_shot_has_a_unit_or_is_a_count(
    complete: SessionRecord, tmp_path: Path
) -> None:
    write_json([complete], tmp_path / "session.json")
    document = json.loads((tmp_path / "session.json").read_text("utf-8"))
    numbers = {
        k for k, v in document["sessions"][0]["shots"][0].items() if isinstance(v, int | float)
    }
    assert numbers - document["units"].keys() == {"number", "steps", "audit"}


def test_the_csv_has_one_plain_row_a_shot(broken_off: SessionRecord, tmp_path: Path) -> None:
    write_csv([broken_off], tmp_path / "shots.csv")
    with (tmp_path / "shots.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("session_id", "preset"),
        *ShotRecord.model_fields,
        *("passes", "coverage_percent"),
    ]
    assert {(row["session_id"], row["preset"]) for row in rows} == {(broken_off.id, "nappage")}
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    last = rows[2]
    assert (last["outcome"], last["why"]) == ("stopped", "the guard is <open>")
    assert float(last["dose_ul"]) == 4.321
    assert last["depth_mm"] == last["back_ms"] == last["true_skin_ul"] == ""
    assert last["received_at"] == f"{broken_off.shots[2].received_at:%Y-%m-%dT%H:%M:%S.%fZ}"


def test_the_zone_s_coverage_goes_out_with_every_shot_and_in_all(
    zoned: SessionRecord, complete: SessionRecord, tmp_path: Path
) -> None:
    per_strike = 12 * 2.0**2 / 1000  # passes over 10 cm²
    write_csv([zoned, complete], tmp_path / "shots.csv")
    with (tmp_path / "shots.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    passes = [row["passes"] for row in rows]
    assert [float(text) for text in passes[:6]] == pytest.approx(
        [strikes * per_strike for strikes in (1, 2, 3, 3, 4, 5)]  # the fourth missed
    )
    assert set(passes[6:]) == {""}
    write_json([zoned, complete], tmp_path / "session.json")
    document = json.loads((tmp_path / "session.json").read_text("utf-8"))
    (given,) = document["coverage"]
    assert (given["session_id"], given["zone_area_cm2"]) == (zoned.id, 10)
    assert given["passes"] == pytest.approx(7 * per_strike)  # with the two lost ones
    assert float(rows[5]["coverage_percent"]) * 7 / 5 == pytest.approx(given["coverage_percent"])
    units = document["units"]
    assert (units["zone_area_cm2"], units["coverage_percent"]) == ("cm²", "%")


_FACTS = """{
 "preset": {"name": "any", "dose": {"value": 10, "unit": "µL", "source": "a test"}},
 "as_run": {
  "preset": "any", "title": "Any", "technique": "any", "mode": "series", "depth_mm": 3,
  "dose_ul": 10, "rate_hz": 2.5, "flow_ul_s": 100, "settle_ms": 20, "dwell_ms": 140,
  "rest_ms": 50, "period_ms": 400, "shots": 20, "fill_ul": 1000, "viscosity_cp": 1,
  "cartridge": {}, "syringe": {}, "changes": []
 },
 "profile": {"version": 1, "dose_nl": 10000},
 "device": {"product": "p", "version": "1", "board": "b", "serial": "s", "micropython": "1.25"}
}"""


@pytest.mark.requirement("R17")
def test_what_is_in_doubt_and_where_the_ledger_ended_go_into_json(
    in_doubt: SessionRecord, tmp_path: Path
) -> None:
    write_json([in_doubt], tmp_path / "session.json")
    document = json.loads((tmp_path / "session.json").read_text("utf-8"))
    (session,) = document["sessions"]
    assert SessionRecord.model_validate(session) == in_doubt
    ledger = session["ledger"]
    assert (ledger["in_doubt_strikes"], ledger["in_doubt_ul"], ledger["whole"]) == (5, 60.0, True)
    assert [dose["end"] for dose in ledger["doses"]] == ["in_doubt"]
    assert len(bytes.fromhex(ledger["head_chain"])) == 16
    assert document["units"]["in_doubt_ul"] == "µL"
