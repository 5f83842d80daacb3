"""`mesodrive session …` against a scripted device on a pseudo-terminal, with real records."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from mesodrive.cli import output, session
from mesodrive.presets import load_preset, prescribe
from mesodrive.records import Records, SessionFacts, SessionOutcome
from mesodrive_rig.scripted import (
    EMPTY_LEDGER,
    INFO,
    PLAN,
    PROFILE_ID,
    Exchange,
    Item,
    Vanish,
    info,
    live,
    refusal,
    result,
    row,
    scripted_terminal,
    shot,
    shots,
    state,
    status,
)
from mesodrive_wire import LIMIT, WRONG_STATE

from .test_commands import newer_schema, one_sentence

Mesodrive = Callable[..., tuple[int, str, str]]

READY = result({"state": "READY", "left_nl": 1})
NOWHERE = ("--port", "/dev/nothing-here")


def armed(*items: Item) -> tuple[Exchange, ...]:
    """What a device is asked until it is armed, and then does."""
    return (
        info(),
        status(),
        Exchange("profile.load", result(PLAN)),
        Exchange("home", *state(1, "HOMING"), 0.05, *state(2, "READY"), READY),
        Exchange("prime", READY, params={"volume_nl": 41_000}),
        Exchange("arm", *state(3, "ARMED"), result({"state": "ARMED"}), 0.05, *items),
    )


DONE_LATER = (0.1, shots(5, row(1), row(2)), *state(6, "READY", "all shots are done"))
DONE = (shot(4, 1), 0.05, shot(5, 2, dose_nl=10_003), *state(6, "READY", "all shots are done"))
END = status(state="READY", why="all shots are done", profile=PROFILE_ID, shots_done=2)
RUN = ("session", "run", "nappage", "--shots", 2, "--yes")


def sessions(house: Path) -> int:
    with Records.open(house / "records.db") as records:
        return len(records.sessions())


@pytest.fixture
def done(mesodrive: Mesodrive) -> str:
    """What a person saw of a session of two shots, which is in the records now."""
    with scripted_terminal(*armed(*DONE), END) as (path, script):
        code, out, err = mesodrive(*RUN, "--port", path, "--operator", "Ann [x]")
    script.finish()
    assert (code, err) == (0, "")
    return out


def test_a_person_sees_every_shot_with_commanded_and_reported_dose(done: str) -> None:
    assert "Nappage: 2 shots, 10 µL at 3 mm, 2.5 Hz" in done
    for line in (
        "shot   1  commanded  10.000 µL at 3.000 mm  reported   9.997 µL, 3.000 mm deep",
        "shot   2  commanded  10.000 µL at 3.000 mm  reported  10.003 µL, 3.000 mm deep",
        "20.000 µL so far · 0 left",
        "complete: 2 shots, 20.000 µL. All shots are done.",
        "Recorded as session ",
    ):
        assert line in done


def test_a_program_reads_one_object_a_line(mesodrive: Mesodrive) -> None:
    with scripted_terminal(*armed(*DONE), END) as (path, script):
        code, out, err = mesodrive(*RUN, "--port", path, "--json")
    script.finish()
    assert (code, err) == (0, "")
    events: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds.count("step") == 3
    assert [event["dose_ul"] for event in events if event["event"] == "shot"] == [9.997, 10.003]
    assert [event["state"] for event in events if event["event"] == "state"][-1] == "READY"
    end = events[-1]
    assert (end["event"], end["outcome"], end["shots"]) == ("end", "complete", 2)
    assert (end["dose_ul"], end["cut_short"], end["uncertain_shots"]) == (20.0, 0, 0)


@pytest.mark.usefixtures("done")
def test_what_was_recorded_can_be_looked_at_and_taken_along(
    mesodrive: Mesodrive, house: Path
) -> None:
    (listed,) = json.loads(mesodrive("session", "list", "--json")[1])
    shown = json.loads(mesodrive("session", "show", "last", "--json")[1])
    assert listed["id"] == shown["id"]
    assert (listed["recorded_shots"], listed["reported_ul"]) == (2, 20.0)
    assert shown["facts"]["operator"] == "Ann [x]"
    assert [one["number"] for one in shown["shots"]] == [1, 2]
    short = listed["id"][:8]
    table = mesodrive("session", "list")[1]
    for word in (short, "Nappage", "2 of 2", "20.000", "complete"):
        assert word in table
    page = mesodrive("session", "show", short)[1]
    for word in ("Nappage", "9.997", "10.003", "3.000", "HOMING", "All shots are done."):
        assert word in page
    code, out, _ = mesodrive("session", "report", short)
    assert (code, out) == (0, "The report is in report.html.\n")
    assert short in (house / "report.html").read_text("utf-8")
    code, out, _ = mesodrive("session", "export", "last", "-o", "out[x].csv")
    assert (code, out) == (0, "The session is in out[x].csv.\n")
    with (house / "out[x].csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert any("µL" in name or "ul" in name for name in rows[0])
    assert mesodrive("session", "export", "last")[0] == 0
    assert json.loads((house / "session.json").read_text("utf-8"))["units"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost device is not looked for again for long."""
    monkeypatch.setattr(session, "FIND_AGAIN_S", 0.1)


@pytest.mark.requirement("R27")
@pytest.mark.usefixtures("impatient")
def test_a_lost_cable_says_what_is_not_certain_and_exits_1(
    mesodrive: Mesodrive, house: Path
) -> None:
    with scripted_terminal(*armed(shot(4, 1), 0.3, Vanish())) as (path, _):
        code, out, err = mesodrive(*RUN, "--port", path)
    assert (code, err) == (1, "")
    assert "link_lost: 1 shots, 9.997 µL. The port " in out
    assert "Not certain: up to 1 more shots (10 µL) may have been given without a report." in out
    with Records.open(house / "records.db") as records:
        record = records.session("last")
    assert (len(record.shots), record.uncertain_shots, record.uncertain_ul) == (1, 1, 10.0)
    assert "Not certain: up to 1 shots, 10.0 µL." in mesodrive("session", "show", "last")[1]


def test_a_refused_profile_is_one_sentence_and_no_record(
    mesodrive: Mesodrive, house: Path
) -> None:
    load = Exchange("profile.load", refusal(LIMIT, "depth_um is past the limit; take less."))
    with scripted_terminal(info(), status(), load) as (path, script):
        code, _, err = mesodrive(*RUN, "--port", path)
    script.finish()
    assert code == 1
    assert one_sentence(err) == "mesodrive: depth_um is past the limit; take less.\n"
    assert sessions(house) == 0


def test_a_lost_device_that_answers_again_tells_the_rest(
    mesodrive: Mesodrive, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = Exchange("shots", result({"lost": 0, "rows": [row(2)]}), params={"first": 2})
    with (
        scripted_terminal(info(), END, again) as (second, script),
        scripted_terminal(*armed(shot(4, 1), 0.3, Vanish())) as (path, _),
    ):
        ports = iter((path, "/dev/nothing-here", second))

        def choose(*_: object) -> str:
            return next(ports)

        monkeypatch.setattr(output, "choose", choose)
        code, out, err = mesodrive(*RUN)
    script.finish()
    assert (code, err) == (1, "")
    assert "The device was found again and has told the rest." in out.replace("\n", " ")
    assert "Not certain" not in out
    with Records.open(house / "records.db") as records:
        record = records.session("last")
    assert [one.number for one in record.shots] == [1, 2]


def test_reports_that_are_lost_for_good_are_told_and_kept(mesodrive: Mesodrive) -> None:
    items = (shots(4, row(1), row(40)), 0.05, *state(6, "READY", "all shots are done"))
    end = status(state="READY", why="all shots are done", profile=PROFILE_ID, shots_done=40)
    gone = Exchange("shots", result({"lost": 38, "rows": [row(40)]}), params={"first": 2})
    with scripted_terminal(*armed(*items), end, gone, end) as (path, script):
        code, out, _ = mesodrive("session", "run", "nappage", "--shots", 40, "--yes", "-p", path)
    script.finish()
    assert code == 1
    assert "38 of them were given; their reports are lost for good." in out
    assert json.loads(mesodrive("session", "show", "last", "--json")[1])["lost_shots"] == 38
    assert "38 of them were given; their reports" in mesodrive("session", "show", "last")[1]


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("words", [(), ("--json",)], ids=["person", "program"])
def test_a_ledger_that_does_not_bear_the_session_out_is_warned_of_and_exits_1(
    mesodrive: Mesodrive, words: tuple[str, ...]
) -> None:
    begun = Exchange("ledger.head", result(EMPTY_LEDGER))
    heads = Exchange("ledger.head", refusal(WRONG_STATE, "The flash is being read; wait."))
    inform, stand, *rest = armed(*DONE)
    with scripted_terminal(inform, stand, begun, *rest, END, heads) as (path, script):
        code, out, err = mesodrive(*RUN, "--port", path, *words)
    script.finish()
    assert (code, err) == (1, "")
    warning = "The device's ledger was not fetched; run mesodrive ledger fetch. The flash is"
    if words:
        end = json.loads(out.splitlines()[-1])
        assert (end["event"], end["outcome"], len(end["warnings"])) == ("end", "complete", 1)
        assert end["warnings"][0].startswith(warning)
    else:
        assert f"\nWARNING: {warning}" in out


def left_alone(path: str, wanted: Collection[str], *words: str) -> tuple[int, str]:
    """`session run` as a program of its own, of whose output nobody reads more once these were
    there: its exit code and stderr."""
    command = [sys.executable, "-m", "mesodrive", "session", "run", "nappage", "--yes"]
    with subprocess.Popen(
        [*command, "--port", path, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        missing = set(wanted)
        while missing:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            missing = {what for what in missing if what not in line}
        process.stdout.close()
        err = process.stderr.read()
    return process.returncode, err


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    ("until", "words"),
    [("shot   1", ()), ('"event": "shot"', ("--json",))],
    ids=["person", "program"],
)
def test_a_session_whose_output_nobody_reads_any_more_is_stopped_told_and_closed(
    house: Path, until: str, words: tuple[str, ...]
) -> None:
    off = Exchange("disarm", *state(6, "READY", "disarmed"), result({"state": "READY"}))
    with scripted_terminal(*armed(shot(4, 1), 1.0, shot(5, 2)), off, END) as (path, script):
        code, err = left_alone(path, [until], *words)
    script.finish()
    assert code == 1
    assert "The output could not be written (Broken pipe); session " in one_sentence(err)
    with Records.open(house / "records.db") as records:
        record = records.session("last")
    assert (record.outcome, record.uncertain_shots) == (SessionOutcome.STOPPED, 0)
    assert "its output could not be written: Broken pipe" in record.reason
    assert [one.number for one in record.shots] == [1, 2]


@pytest.mark.usefixtures("house")
def test_a_session_that_was_complete_when_its_output_failed_says_so_and_exits_1() -> None:
    begun = Exchange("ledger.head", result(EMPTY_LEDGER))
    slow = Exchange("ledger.head", 1.0, result(EMPTY_LEDGER))
    inform, stand, *rest = armed(*DONE)
    script = (inform, stand, begun, *rest, END, slow)
    wanted = ('"number": 2', "all shots are done")
    with scripted_terminal(*script) as (path, _):
        code, err = left_alone(path, wanted, "--json", "--shots", "2")
    assert code == 1
    assert "ended as complete: see mesodrive session show" in one_sentence(err)


def test_a_session_without_an_end_shows_that_what_it_gave_is_not_known(
    mesodrive: Mesodrive, house: Path
) -> None:
    preset = load_preset("nappage")
    with Records.open(house / "records.db") as records:
        records.start(SessionFacts.of(preset, prescribe(preset), INFO))
    assert "not known" in mesodrive("session", "list")[1]
    shown = mesodrive("session", "show", "last")[1]
    assert "Not known: how many shots were given beyond those recorded; connect" in shown


# the zone


def test_passes_so_far_stand_beside_the_progress_and_in_the_record(mesodrive: Mesodrive) -> None:
    items = (live(4, shots_done=1, delivered_nl=9997), *DONE_LATER)
    with scripted_terminal(*armed(*items), END) as (path, script):
        code, out, _ = mesodrive(*RUN, "--port", path, "--zone-area-cm2", 1)
    script.finish()
    assert code == 0
    assert "All shots come to 0.18 passes, 0.15 % of 1 cm²." in out
    assert "Mode series: strikes while the trigger is held." in out
    assert "0 left · 0.09 passes, 0.08 % of 1 cm²" in out
    assert "Zone: 0.18 passes, 0.15 % of 1 cm²." in mesodrive("session", "show", "last")[1]


def test_a_program_reads_the_live_status(mesodrive: Mesodrive) -> None:
    items = (live(4, shots_done=1, delivered_nl=9997), *DONE_LATER)
    with scripted_terminal(*armed(*items), END) as (path, _):
        _, out, _ = mesodrive(*RUN, "--port", path, "--zone-area-cm2", 1, "--json")
    (told,) = [one for one in map(json.loads, out.splitlines()) if one["event"] == "live"]
    assert (told["shots_done"], told["delivered_ul"], told["left_ul"]) == (1, 9.997, 1000)
    assert told["passes"] == pytest.approx(0.09)
    assert told["coverage_percent"] == pytest.approx(0.076, abs=0.001)


@pytest.mark.requirement("R29")
@pytest.mark.parametrize("says", ["n\n", ""])
def test_too_many_passes_are_asked_for_and_no_opens_nothing(
    mesodrive: Mesodrive, house: Path, says: str
) -> None:
    words = ("session", "run", "nappage", "--shots", 50, "--zone-area-cm2", 1, *NOWHERE)
    code, _, err = mesodrive(*words, says=says)
    assert code == 1
    assert "All strikes come to 4.5 passes over 1 cm² and at most 4 are advised;" in err
    assert not (house / "records.db").exists()
    assert "There is no port" in mesodrive(*words, says="y\n")[2]
    assert "There is no port" in mesodrive(*words, "--yes")[2]


def test_what_is_too_fast_to_read_has_a_line_for_what_went_wrong_only(
    mesodrive: Mesodrive,
) -> None:
    dry = {"dose_nl": 0, "steps": 0, "audit": 0}
    missed = row(2, **dry, outcome="misfire", out_us=None, why="the needle was not seen out")
    rows = [row(1, **dry), missed, row(3, **dry)]
    items = (shots(4, *rows), 0.05, *state(5, "READY", "all shots are done"))
    end = status(state="READY", why="all shots are done", profile=PROFILE_ID, shots_done=3)
    way = (
        info(),
        status(),
        Exchange("profile.load", result(PLAN)),
        Exchange("home", READY),
        Exchange("arm", *state(3, "ARMED"), result({"state": "ARMED"}), 0.05, *items),
        end,
    )
    with scripted_terminal(*way) as (path, script):
        code, out, _ = mesodrive(
            *("session", "run", "dry-microneedling", "--shots", 3, "--yes", "--port", path)
        )
    script.finish()
    assert code == 1
    assert "misfire: the needle was not seen out" in out
    assert "shot   2  commanded" in out
    assert "shot   1  commanded" not in out


# questions


def test_priming_is_asked_for_and_no_moves_nothing(mesodrive: Mesodrive, house: Path) -> None:
    with scripted_terminal(info()) as (path, script):
        code, _, err = mesodrive(*RUN[:-1], "--port", path, says="n\n")
    script.finish()
    assert code == 1
    assert "Priming pushes 41.0 µL through the needle. Is the device off the skin" in err
    assert sessions(house) == 0


def test_an_answer_on_stderr_leaves_stdout_to_the_program(mesodrive: Mesodrive) -> None:
    with scripted_terminal(*armed(*DONE), END) as (path, script):
        code, out, err = mesodrive(*RUN[:-1], "--port", path, "--json", says="y\n")
    script.finish()
    assert code == 0
    assert "Priming pushes" in err
    assert all(json.loads(line) for line in out.splitlines())


def test_a_dry_session_asks_for_the_syringe_and_no_opens_nothing(
    mesodrive: Mesodrive, house: Path
) -> None:
    words = ("session", "run", "dry-microneedling", "--shots", 3, *NOWHERE)
    code, _, err = mesodrive(*words, says="n\n")
    assert code == 1
    assert "Homing drives the pusher to where an empty syringe ends. Is the syringe out" in err
    assert not (house / "records.db").exists()
    assert "There is no port" in mesodrive(*words, says="y\n")[2]
    assert "There is no port" in mesodrive(*words, "--yes")[2]
    filled = mesodrive(*words, "--fill", 500)[2]
    assert "Homing drives" not in filled
    assert "There is no port" in filled


def test_viscosity_and_the_cartridges_number_reach_the_device(mesodrive: Mesodrive) -> None:
    prescription = prescribe(
        load_preset("nappage"), shots=2, viscosity_cp=2.0, cartridge_number="00ff1a"
    )
    profile = prescription.to_profile()
    assert profile["cartridge"] == "00ff1a"
    assert prescription.pressure_kpa == pytest.approx(
        2 * prescribe(load_preset("nappage")).pressure_kpa
    )
    stand, _, *rest = armed(*DONE)[1:]
    load = Exchange("profile.load", result(PLAN), params={"profile": profile})
    with scripted_terminal(info(), stand, load, *rest, END) as (path, script):
        code, out, _ = mesodrive(
            *(*RUN, "--viscosity", 2, "--cartridge-number", "00FF1A", "--port", path)
        )
    script.finish()
    assert code == 0
    assert "viscosity: 2 cP instead of 1 cP" in out


@pytest.mark.parametrize("number", ["12g4", "0" * 17, "lot 7"])
def test_a_cartridges_number_that_the_device_cannot_keep_is_refused(
    mesodrive: Mesodrive, number: str
) -> None:
    code, _, err = mesodrive(*RUN, "--cartridge-number", number, *NOWHERE)
    assert code == 1
    assert f"The cartridge's number is '{number}' but must be up to 16 of the digits" in err


@pytest.mark.requirement("R8", "R29")
@pytest.mark.parametrize("says", ["n\n", ""])
def test_a_value_beyond_its_range_is_asked_for_and_no_opens_nothing(
    mesodrive: Mesodrive, house: Path, says: str
) -> None:
    words = ("session", "run", "nappage", "--shots", 2, "--set", "depth=1.5", *NOWHERE)
    code, out, err = mesodrive(*words, says=says)
    assert code == 1
    assert "depth: 1.5 mm instead of 3 mm (beyond the recommended range)" in out
    assert "depth 1.5 mm: beyond the range that the preset's source gives. Go on?" in err
    assert not (house / "records.db").exists()


def test_a_value_beyond_its_range_goes_on_with_yes(mesodrive: Mesodrive) -> None:
    words = ("session", "run", "nappage", "--set", "depth=1.5", *NOWHERE)
    assert "There is no port" in mesodrive(*words, says="y\n")[2]
    assert "There is no port" in mesodrive(*words, "--yes")[2]


# what cannot be


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--set", "dose"), "--set dose lacks '='; write NAME=VALUE"),
        (("--set", "dose=much"), "--set dose=much is not NAME=VALUE"),
        (("--set", "dose="), "--set dose= is not NAME=VALUE"),
        (("--set", "=5"), "There is no value ''"),
        (("--set", "doze=5"), "There is no value 'doze'; did you mean dose"),
        (("--set", "dose=20", "--set", "dose=30"), "--set dose is given twice; give it once."),
        (("--set", "dose=nan"), "dose is nan µL but must lie from"),
        (("--set", "dose=-1"), "dose is -1 µL but must lie from"),
        (("--set", "depth=5"), "is past the 4 mm that the cartridge 'single-30g-4mm' reaches"),
        (("--set", "rate=100"), "A rate of 100 Hz leaves 10 ms a strike and one takes"),
        (("--set", "burst=5"), "is of the mode 'series' and takes no burst; leave it out"),
        (("--set", "soft_strikes=51"), "soft_strikes is 51 strikes but must lie from 0 to 50"),
        (("--set", "settle=0.5"), "A settle of 0.5 ms is too short to see that the needle is"),
        (("--set", "flow=300"), "more than the plunger can follow; set at most 208 µL/s"),
        (("--zone-area-cm2", "0"), "zone_area is 0 cm² but must lie from 0.1 to 5000 cm²"),
        (("--shots", "200"), "200 shots of 10 µL need 2000 µL and the syringe '1ml' holds"),
        (("--shots", "0"), "shots is 0 shots but must lie from 1"),
        (("--fill", "50"), "20 shots of 10 µL need 200 µL and the syringe is filled with 50"),
        (("--fill", "nan"), "A fill of nan µL is not possible"),
        (("--cartridge", "x"), "There is no cartridge named 'x'"),
        (("--syringe", "x"), "There is no syringe named 'x'"),
    ],
)
def test_what_cannot_be_given_is_one_sentence_before_anything_is_opened(
    mesodrive: Mesodrive, house: Path, words: tuple[str, ...], sentence: str
) -> None:
    code, out, err = mesodrive("session", "run", "nappage", "--yes", *words, *NOWHERE)
    assert (code, out) == (1, "")
    assert sentence in one_sentence(err)
    assert not (house / "records.db").exists()


def test_too_little_for_priming_too_is_refused_before_anything_moves(mesodrive: Mesodrive) -> None:
    with scripted_terminal(info()) as (path, script):
        code, _, err = mesodrive(*RUN, "--fill", 60, "--port", path)
    script.finish()
    assert code == 1
    assert "The shots and the priming take 61.0 µL" in one_sentence(err)


def test_records_of_a_newer_schema_are_refused_before_the_device_is_opened(
    mesodrive: Mesodrive, house: Path
) -> None:
    newer_schema(house / "records.db")
    code, _, err = mesodrive(*RUN, *NOWHERE)
    assert code == 1
    assert "have the schema '9999'" in one_sentence(err)
