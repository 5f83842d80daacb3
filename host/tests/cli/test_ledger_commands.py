"""`mesodrive ledger …` against a scripted device with a real ledger, and with real records."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mesodrive.presets import load_preset, prescribe
from mesodrive.records import LedgerMark, Records, SessionFacts, ShotReport
from mesodrive.telemetry import Shots
from mesodrive_rig.ledger_model import LedgerModel
from mesodrive_rig.scripted import INFO, info, row, scripted_terminal

from .test_commands import one_sentence

Mesodrive = Callable[..., tuple[int, str, str]]
SERIAL = "E66118604B1F2A2C"
PROFILE = 0x5F3A90C1

pytestmark = pytest.mark.requirement("R17")


@contextmanager
def plugged(device: LedgerModel) -> Generator[tuple[str, str]]:
    """The device's port, as options."""
    with scripted_terminal(info(), ledger=device) as (path, script):
        yield "--port", path
    script.finish()


@pytest.fixture
def device() -> LedgerModel:
    """A device that was reset in its second pull, which is in doubt: ten strikes at most."""
    device = LedgerModel()
    device.load(PROFILE)
    device.prime()
    device.pull(2)
    device.announce(10)
    device.boot()
    return device


def recorded_session(house: Path, *numbers: int, dose_nl: int = 10_000) -> str:
    """A session of that device, of which this host recorded these shots; its id."""
    preset = load_preset("nappage")
    facts = SessionFacts.of(preset, prescribe(preset), INFO)
    with Records.open(house / "records.db") as records:
        ledger = records.ledgers.begin(SERIAL)
        id = records.start(facts, LedgerMark(ledger.key, 0, PROFILE))
        told = Shots.of({"lost": 0, "rows": [row(n, dose_nl=dose_nl) for n in numbers]})
        reports = [
            ShotReport.of(shot, commanded_nl=10_000, commanded_depth_um=3000) for shot in told.rows
        ]
        records.add_shots(id, reports)
    return id


@pytest.fixture
def recorded(house: Path) -> str:
    """The session with five shots; its id."""
    return recorded_session(house, *range(1, 6))


def test_show_has_totals_and_what_is_in_doubt_with_what_was_recorded(
    mesodrive: Mesodrive, device: LedgerModel, recorded: str
) -> None:
    with plugged(device) as port:
        code, out, err = mesodrive("ledger", "show", *port)
    assert (code, err) == (1, "")
    for words in (
        f"Ledger of {SERIAL}",
        "120.000 µL",
        "10 strikes, 100.000 µL",
        "3 strikes, 30.000 µL, or more",
        recorded[:8],
        "is whole, up to record 7",
    ):
        assert words in out
    with plugged(device) as port:
        code, out, err = mesodrive("ledger", "show", *port, "--json")
    shown = json.loads(out)
    assert (code, err) == (1, "")
    assert shown["ledger"]["totals"]["delivered_nl"] == 120_000
    assert shown["in_doubt"] == [
        {
            "number": 6,
            "strikes": 10,
            "volume_ul": 100.0,
            "session_id": recorded,
            "recorded_strikes": 3,
            "recorded_ul": 30.0,
        }
    ]
    assert (shown["whole"], shown["flaws"]) == (True, [])


def test_fetch_keeps_and_countersigns_and_verify_needs_no_device(
    mesodrive: Mesodrive, device: LedgerModel
) -> None:
    with plugged(device) as port:
        code, out, err = mesodrive("ledger", "fetch", *port)
    assert (code, err) == (0, "")
    assert "8 records are new. Countersigned." in out
    with plugged(device) as port:
        code, out, _ = mesodrive("ledger", "fetch", *port, "--json")
    told = json.loads(out)
    assert (code, told["new_records"], told["countersigned"]) == (0, 0, False)
    code, out, _ = mesodrive("ledger", "verify", "--json")
    assert code == 0
    assert json.loads(out) == [
        {
            "serial": SERIAL,
            "sequence": 8,
            "chain": device.ledger.head[1].hex(),
            "whole": True,
            "flaws": [],
        }
    ]


def test_another_ledger_is_one_sentence_until_a_person_accepts_it(
    mesodrive: Mesodrive, device: LedgerModel
) -> None:
    with plugged(device) as port:
        mesodrive("ledger", "fetch", *port)
    other = LedgerModel(b"another")
    other.work(3)
    with plugged(other) as port:
        code, out, err = mesodrive("ledger", "fetch", *port)
    assert (code, err) == (1, "")
    assert "0 records are new." in out
    assert "The device has another ledger than the one seen before" in out
    assert mesodrive("ledger", "verify")[0] == 1
    with plugged(other) as port:
        code, out, _ = mesodrive("ledger", "fetch", *port, "--new")
    assert (code, "4 records are new. Countersigned." in out) == (0, True)
    assert mesodrive("ledger", "verify")[0] == 0


@pytest.mark.parametrize(
    ("words", "strikes", "given_nl"),
    [
        (("--as-recorded",), 7, 70_000),  # 3, two more, and those of a second
        (("--in-full",), 10, 100_000),
        (("6", "--strikes", 4, "--volume", 38.5), 4, 38_500),
    ],
    ids=["as recorded", "in full", "figures"],
)
@pytest.mark.requirement("R16")
@pytest.mark.usefixtures("recorded")
def test_resolve_says_what_it_will_do_and_does_it(
    mesodrive: Mesodrive,
    device: LedgerModel,
    words: tuple[object, ...],
    strikes: int,
    given_nl: int,
) -> None:
    with plugged(device) as port:
        code, out, err = mesodrive("ledger", "resolve", *words, *port, says="y\n")
    assert code == 0
    will = f"dose 6 gave {strikes} strikes and {given_nl / 1000:.3f} µL, of at most 10 and 100.000"
    assert will in err
    assert "Dose 6 is settled; 0 in doubt are left." in out
    assert device.in_doubt == []
    assert device.ledger.totals.delivered_nl == 20_000 + given_nl
    code, out, _ = mesodrive("ledger", "history", "--json")
    doses = json.loads(out)
    assert [(dose["number"], dose["end"]) for dose in doses] == [
        (2, "known"),
        (4, "known"),
        (6, "resolved"),
    ]
    assert (doses[-1]["strikes"], doses[-1]["given_ul"]) == (strikes, given_nl / 1000)


@pytest.mark.requirement("R16")
@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Say what was given"),
        (("--as-recorded", "--in-full"), "Say what was given"),
        (("--strikes", 4), "Give both --strikes and --volume"),
        (("--strikes", 11, "--volume", 50), "11 strikes cannot be"),
        (("--strikes", 2, "--volume", 50), "this host recorded at least 3"),
        (("--strikes", 4, "--volume", 101), "is not between 0 and 100.000"),
        (("--strikes", 4, "--volume", 5), "this host recorded 30.000"),
        (("9", "--in-full"), "Dose 9 is not in doubt; those in doubt are 6"),
    ],
)
def test_what_cannot_be_said_of_a_dose_is_one_sentence_and_changes_nothing(
    mesodrive: Mesodrive, device: LedgerModel, words: tuple[object, ...], says: str
) -> None:
    with plugged(device) as port:
        code, _, err = mesodrive("ledger", "resolve", *words, "--yes", *port)
    assert code == 1
    assert says in one_sentence(err)
    assert len(device.in_doubt) == 1


@pytest.mark.requirement("R16")
def test_a_strike_before_a_recorded_one_was_given_though_its_report_was_lost(
    mesodrive: Mesodrive, house: Path, device: LedgerModel
) -> None:
    recorded_session(house, 1, 2, 3, 4, 5, 7)
    with plugged(device) as port:
        assert "5 strikes, 50.000 µL, or more" in mesodrive("ledger", "show", *port)[1]
    fewer = ("--strikes", 4, "--volume", 50, "--yes")
    with plugged(device) as port:
        code, _, err = mesodrive("ledger", "resolve", *fewer, *port)
    assert (code, len(device.in_doubt)) == (1, 1)
    assert "this host recorded at least 5" in one_sentence(err)
    with plugged(device) as port:
        assert mesodrive("ledger", "resolve", "--as-recorded", "--yes", *port)[0] == 0
    assert device.ledger.totals.delivered_nl == 20_000 + 90_000  # four may have followed untold
    told = json.loads(mesodrive("session", "show", "last", "--json")[1])
    assert (told["uncertain_shots"], told["ledger"]["unknown_shots"]) == (5, 0)


@pytest.mark.requirement("R16")
def test_a_strike_whose_report_was_lost_may_have_given_less_than_was_planned(
    mesodrive: Mesodrive, house: Path, device: LedgerModel
) -> None:
    recorded_session(house, 1, 2, 3, 4, 5, 7)
    less = ("--strikes", 5, "--volume", 40, "--yes")
    with plugged(device) as port:
        assert mesodrive("ledger", "resolve", *less, *port)[0] == 0
    assert device.ledger.totals.delivered_nl == 20_000 + 40_000


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("way", ["--as-recorded", "--in-full"])
def test_reports_that_are_rounded_up_do_not_keep_a_dose_in_doubt(
    mesodrive: Mesodrive, house: Path, device: LedgerModel, way: str
) -> None:
    recorded_session(house, *range(1, 13), dose_nl=10_003)
    with plugged(device) as port:
        assert mesodrive("ledger", "resolve", way, "--yes", *port)[0] == 0
    assert device.ledger.totals.delivered_nl == 20_000 + 100_000


def test_a_person_who_says_no_changes_nothing(mesodrive: Mesodrive, device: LedgerModel) -> None:
    with plugged(device) as port:
        code, _, _ = mesodrive("ledger", "resolve", "--in-full", *port, says="n\n")
    assert code != 0
    assert len(device.in_doubt) == 1


def test_a_dose_that_no_session_of_this_host_made_is_said_so(
    mesodrive: Mesodrive, device: LedgerModel
) -> None:
    with plugged(device) as port:
        _, out, _ = mesodrive("ledger", "show", *port)
    assert "not of this host" in out
    with plugged(device) as port:
        code, _, err = mesodrive("ledger", "resolve", "--as-recorded", "--yes", *port)
    assert code == 1
    assert "recorded nothing of dose 6" in one_sentence(err)


def test_nothing_in_doubt_is_nothing_to_resolve(mesodrive: Mesodrive) -> None:
    with plugged(LedgerModel()) as port:
        code, _, err = mesodrive("ledger", "resolve", "--in-full", "--yes", *port)
    assert code == 1
    assert "nothing to resolve" in one_sentence(err)


def test_without_any_ledger_the_commands_say_what_to_do(mesodrive: Mesodrive) -> None:
    assert "run mesodrive ledger fetch" in mesodrive("ledger", "verify")[1]
    assert json.loads(mesodrive("ledger", "verify", "--json")[1]) == []
    assert json.loads(mesodrive("ledger", "history", "--json")[1]) == []
    code, _, err = mesodrive("ledger", "verify", "--serial", "E9")
    assert (code, "run mesodrive ledger fetch" in one_sentence(err)) == (1, True)


def test_history_is_a_table_with_the_sessions(
    mesodrive: Mesodrive, device: LedgerModel, recorded: str
) -> None:
    with plugged(device) as port:
        mesodrive("ledger", "fetch", *port)
    code, out, _ = mesodrive("ledger", "history")
    assert code == 0
    for words in (recorded[:8], "priming", "41.000", "100.000", "in doubt"):
        assert words in out
