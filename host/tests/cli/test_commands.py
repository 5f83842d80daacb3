"""Every command explains itself, speaks JSON where a program may read, and fails in a sentence."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer

from mesodrive import __version__
from mesodrive.cli import app
from mesodrive.records import Records
from mesodrive_rig import sim
from mesodrive_rig.scripted import (
    INFO,
    STATUS,
    Exchange,
    info,
    refusal,
    result,
    scripted_terminal,
    status,
)
from mesodrive_wire import INTERLOCK

Mesodrive = Callable[..., tuple[int, str, str]]


def commands(group: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command by its words; Typer does not tell the type."""
    below: dict[str, Any] | None = getattr(group, "commands", None)
    if below is None:
        yield words, group
        return
    for name, command in below.items():
        yield from commands(command, *words, name)


UNITS = re.compile(r"µL|cm²|\bmm\b|\bms\b|\bHz\b|\bcP\b|[Ss]hots|[Ss]trikes|\bdoses?\b")
COMMANDS = dict(commands(typer.main.get_command(app)))


def one_sentence(err: str) -> str:
    assert re.fullmatch(r"mesodrive: [^\n]+[.?]\n", err), err
    assert "Traceback" not in err
    return err


def test_all_commands_are_there() -> None:
    assert {" ".join(words) for words in COMMANDS} == {
        "demo",
        "sim",
        "devices",
        "info",
        "selftest",
        "trace",
        "ack",
        "flash",
        "access status",
        "access claim",
        "access check",
        "access change",
        "access limit",
        "access calibrate",
        "access unlock",
        "preset list",
        "preset show",
        "preset validate",
        "session run",
        "session list",
        "session show",
        "session report",
        "session export",
        "ledger show",
        "ledger fetch",
        "ledger verify",
        "ledger history",
        "ledger resolve",
    }


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_explains_itself(
    mesodrive: Mesodrive, words: tuple[str, ...]
) -> None:
    code, out, err = mesodrive(*words, "--help")
    assert (code, err) == (0, "")
    assert "Usage: mesodrive" in out
    for option in COMMANDS[words].params:
        assert option.name == "help" or getattr(option, "help", None), option.name


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_number_is_asked_for_in_a_unit(words: tuple[str, ...]) -> None:
    for option in COMMANDS[words].params:
        if re.search(r"\b(float|int)\b", str(option.type_descriptor.annotation)):
            assert UNITS.search(option.help), option.name


def test_the_version_is_told(mesodrive: Mesodrive) -> None:
    assert mesodrive("--version") == (0, f"mesodrive {__version__}\n", "")


@pytest.mark.parametrize("words", ["", "preset", "session"])
def test_without_a_command_the_help_is_shown(mesodrive: Mesodrive, words: str) -> None:
    _, out, err = mesodrive(*words.split())
    assert "Usage: mesodrive" in out + err


@pytest.mark.parametrize("words", ["fly", "info --faster", "session run", "session show"])
def test_a_wrong_command_line_is_an_error(mesodrive: Mesodrive, words: str) -> None:
    code, out, err = mesodrive(*words.split())
    assert (code, out) == (2, "")
    assert "Traceback" not in err


# presets


def test_presets_as_json_hold_what_people_see(mesodrive: Mesodrive) -> None:
    _, table, _ = mesodrive("preset", "list")
    code, out, err = mesodrive("preset", "list", "--json")
    presets = json.loads(out)
    assert (code, err) == (0, "")
    assert len(presets) == 10
    for preset in presets:
        for word in (preset["name"], preset["mode"], preset["cartridge"], preset["syringe"]):
            assert word in table


def test_a_preset_as_json_holds_every_value_with_unit_and_source(mesodrive: Mesodrive) -> None:
    _, table, _ = mesodrive("preset", "show", "nappage")
    _, out, _ = mesodrive("preset", "show", "nappage", "--json")
    preset = json.loads(out)
    assert preset["dose"]["unit"] == "µL"
    for name in ("depth", "dose", "rate", "flow", "settle", "rest", "shots"):
        value = preset[name]
        assert f"{value['value']:g} {value['unit']}" in table
        assert " ".join(value["source"].split()[:3]) in table


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("hyaluronic-booster-9", "mode stamp: one strike at each contact while the trigger is he"),
        ("epidermic", "mode burst: a row of strikes a pull of the trigger"),
        ("nappage", "mode series: strikes while the trigger is held"),
    ],
)
def test_a_preset_says_what_a_pull_of_the_trigger_gives(
    mesodrive: Mesodrive, preset: str, words: str
) -> None:
    out = mesodrive("preset", "show", preset)[1]
    assert words in out
    if preset == "epidermic":
        assert "10 strikes" in out


def test_a_file_of_the_first_schema_says_what_to_do(mesodrive: Mesodrive, house: Path) -> None:
    (house / "mine.toml").write_text('schema = 1\nname = "mine"\n')
    code, out, _ = mesodrive("preset", "validate", "mine.toml")
    assert code == 1
    assert "schema 1 is of an older mesodrive" in out
    assert "write schema = 2." in out


def test_an_unknown_preset_is_one_sentence(mesodrive: Mesodrive) -> None:
    code, out, err = mesodrive("preset", "show", "napage")
    assert (code, out) == (1, "")
    assert "nappage" in one_sentence(err)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_wrong_preset_file_is_told_in_full_and_exits_1(
    mesodrive: Mesodrive, house: Path, as_json: bool
) -> None:
    (house / "mine.toml").write_text('schema = 2\nname = "mine"\ncolour = "[red]blue"\n')
    code, out, err = mesodrive("preset", "validate", "mine.toml", *["--json"][: int(as_json)])
    assert (code, err) == (1, "")
    assert "colour" in out
    if as_json:
        told = json.loads(out)
        assert (told["file"], told["valid"]) == ("mine.toml", False)
        assert len(told["problems"]) > 1


def test_words_in_brackets_reach_the_person(mesodrive: Mesodrive, house: Path) -> None:
    _, shown, _ = mesodrive("preset", "show", "nappage", "--json")
    preset = json.loads(shown)
    assert preset["title"] == "Nappage"
    path = Path(__file__).parents[2] / "mesodrive/presets/data/presets/nappage.toml"
    text = path.read_text("utf-8").replace("A rapid series", "[bold]A[/] [x] rapid series")
    (house / "mine[b].toml").write_text(text, "utf-8")
    _, out, _ = mesodrive("preset", "show", "mine[b].toml")
    assert "[bold]A[/] [x] rapid series" in out
    code, out, _ = mesodrive("preset", "validate", "mine[b].toml")
    assert (code, out) == (0, "mine[b].toml is a valid preset.\n")


# devices


def test_no_device_is_said_and_is_an_empty_list(mesodrive: Mesodrive) -> None:
    code, out, _ = mesodrive("devices")
    assert code == 0
    assert out.startswith("No mesodrive is connected; plug one in")
    assert json.loads(mesodrive("devices", "--json")[1]) == []


@pytest.mark.parametrize(
    "words", ["info", "selftest", "trace", "ack", "session run nappage --yes"]
)
def test_without_a_device_a_command_is_one_sentence(mesodrive: Mesodrive, words: str) -> None:
    code, _, err = mesodrive(*words.split())
    assert code == 1
    assert "No mesodrive is connected" in one_sentence(err)


@pytest.mark.parametrize(
    "words", ["info", "selftest", "trace", "ack", "session run nappage --yes"]
)
def test_a_port_that_does_not_exist_is_one_sentence(mesodrive: Mesodrive, words: str) -> None:
    code, _, err = mesodrive(*words.split(), "--port", "/dev/nothing-here")
    assert code == 1
    assert "There is no port /dev/nothing-here" in one_sentence(err)


def test_a_silent_port_is_one_sentence(mesodrive: Mesodrive) -> None:
    with scripted_terminal(Exchange("info")) as (path, _):
        code, out, err = mesodrive("info", "--port", path)
    assert (code, out) == (1, "")
    assert "does not answer" in one_sentence(err)


def never(*_: object, **__: object) -> None:
    raise AssertionError("It was not refused.")


@pytest.mark.parametrize("fill", ["nan", "inf", "-1"])
def test_a_syringe_that_cannot_be_is_not_simulated(
    mesodrive: Mesodrive, monkeypatch: pytest.MonkeyPatch, fill: str
) -> None:
    monkeypatch.setattr(sim, "Simulator", never)
    code, out, err = mesodrive("sim", "--fill", fill)
    assert (code, out) == (1, "")
    assert "a fill" in one_sentence(err)


def test_info_as_json_holds_what_people_see(mesodrive: Mesodrive) -> None:
    fault = {
        "state": "FAULT",
        "why": "The guard was opened.",
        "alarm": {"code": "guard_open", "text": "Close the guard."},
        "profile": "5f3a90c1",
        "delivered_nl": 12_345,
        "shots_done": 3,
        "shots_total": 20,
    }
    with scripted_terminal(info(), status(**fault)) as (path, script):
        code, table, _ = mesodrive("info", "--port", path)
    script.finish()
    assert code == 0
    with scripted_terminal(info(), status(**fault)) as (path, script):
        code, out, err = mesodrive("info", "--port", path, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["info"] == dict(INFO)
    assert told["status"] == {**STATUS, **fault}
    for word in (
        "E66118604B1F2A2C",
        "FAULT: The guard was opened.",
        "guard_open: Close the guard.",
    ):
        assert word in table
    assert "12.345 µL" in table
    assert "3 of 20" in table


def test_info_of_a_device_that_has_restarted_makes_up_no_figures(mesodrive: Mesodrive) -> None:
    after = {
        "session_nl": 61_000,
        "in_doubt": [{"number": 7, "strikes": 2, "dose_nl": 10_000}],
    }
    with scripted_terminal(info(), status(**after)) as (path, _):
        code, table, _ = mesodrive("info", "--port", path)
    words = " ".join(table.split())
    assert code == 0
    assert "left in the syringe" not in words
    assert "not known" in words
    assert "given in this session" in words
    assert "61.000 µL" in words
    assert "20.000 µL" in words


@pytest.mark.parametrize("passed", [True, False])
def test_a_self_test_exits_as_it_ended(mesodrive: Mesodrive, passed: bool) -> None:
    checks = [{"name": "ram", "ok": passed, "detail": "" if passed else "2 KiB are free"}]
    asked = (info(), Exchange("selftest", result({"passed": passed, "checks": checks})))
    with scripted_terminal(*asked) as (path, _):
        code, out, _ = mesodrive("selftest", "--port", path, "--json")
    assert code == int(not passed)
    assert json.loads(out) == {"passed": passed, "checks": checks}
    with scripted_terminal(*asked) as (path, _):
        code, out, _ = mesodrive("selftest", "--port", path)
    assert code == int(not passed)
    assert ("2 KiB are free" in out) is not passed


def test_an_acknowledgement_is_confirmed_or_refused(mesodrive: Mesodrive) -> None:
    with scripted_terminal(info(), Exchange("ack", result({})), status()) as (path, script):
        assert mesodrive("ack", "--port", path) == (0, "The device is in SAFE.\n", "")
    script.finish()
    open_guard = Exchange("ack", refusal(INTERLOCK, "The guard is open; put that right first."))
    with scripted_terminal(info(), open_guard) as (path, script):
        code, out, err = mesodrive("ack", "--port", path)
    assert (code, out) == (1, "")
    assert "The guard is open" in one_sentence(err)


ROWS = [[1_000_000, "state", 3], [1_004_250, "contact", 0], [1_004_300, "stop", 2]]
TRACE = Exchange("trace", result({"total": 3, "rows": ROWS}), params={"first": 0})


def test_the_last_moments_before_a_stop_are_a_table_or_json(mesodrive: Mesodrive) -> None:
    with scripted_terminal(info(), TRACE) as (path, script):
        code, table, _ = mesodrive("trace", "--port", path)
    script.finish()
    assert code == 0
    words = [line.split() for line in table.splitlines()]
    for row in (["4.300", "state", "3"], ["0.050", "contact", "0"], ["0.000", "stop", "2"]):
        assert any(set(row) <= set(line) for line in words)
    with scripted_terminal(info(), TRACE) as (path, script):
        code, out, err = mesodrive("trace", "--port", path, "--json")
    script.finish()
    assert (code, err) == (0, "")
    assert json.loads(out)[1] == {"t_us": 1_004_250, "event": "contact", "value": 0}


def test_a_device_that_never_stopped_has_no_trace(mesodrive: Mesodrive) -> None:
    empty = Exchange("trace", result({"total": 0, "rows": []}))
    with scripted_terminal(info(), empty) as (path, _):
        code, out, _ = mesodrive("trace", "--port", path)
    assert code == 0
    assert out.startswith("The device has not stopped since")
    with scripted_terminal(info(), empty) as (path, _):
        assert mesodrive("trace", "--port", path, "--json")[1] == "[]\n"


# records


@pytest.mark.parametrize("words", ["list", "show last", "report last", "export last"])
def test_records_of_a_newer_schema_are_refused(
    mesodrive: Mesodrive, house: Path, words: str
) -> None:
    newer_schema(house / "records.db")
    code, out, err = mesodrive("session", *words.split())
    assert (code, out) == (1, "")
    assert "have the schema '9999'" in one_sentence(err)


def newer_schema(path: Path) -> None:
    Records.open(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


def test_no_session_yet_is_an_empty_list(mesodrive: Mesodrive) -> None:
    assert json.loads(mesodrive("session", "list", "--json")[1]) == []
    code, _, err = mesodrive("session", "show", "last")
    assert code == 1
    assert "There is no session 'last'" in one_sentence(err)


# what is wrong with the place


@pytest.mark.parametrize(
    "words",
    [
        "session export last --out session.txt",
        "sim --path busy",
        "sim --name a/b",
        "sim --preset nonsense",
        "sim --path busy/device",
        f"sim --path {'x' * 150}",
        "demo --out busy",
        "flash --board unknown",
        "session list --records .",
        "session list --records busy/records.db",
    ],
)
def test_a_place_or_name_that_cannot_be_is_one_sentence(
    mesodrive: Mesodrive, house: Path, words: str
) -> None:
    (house / "busy").touch()
    code, _, err = mesodrive(*words.split())
    assert code == 1
    one_sentence(err)
    assert sorted(path.name for path in house.iterdir()) == ["busy"]


@pytest.mark.parametrize("words", ["preset list --json", "preset list"])
def test_a_reader_who_has_left_is_no_defect(words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "mesodrive", *words.split()]
    with os.fdopen(writer) as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_python_dash_m_is_the_same_command() -> None:
    done: Any = subprocess.run(
        [sys.executable, "-m", "mesodrive", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"mesodrive {__version__}\n"


def test_a_terminal_that_knows_no_micro_sign_is_told_the_figures() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mesodrive", "preset", "show", "nappage"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert b"10 \\xb5L" in done.stdout
    assert done.stderr == b""
