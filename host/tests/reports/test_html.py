"""The report shows what the record holds, fetches nothing, and trusts no text."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mesodrive.presets import load_preset, prescribe
from mesodrive.records import (
    Records,
    SessionFacts,
    SessionOutcome,
    SessionRecord,
    ShotOutcome,
    ShotReport,
)
from mesodrive.reports import write_report
from mesodrive.reports.html import render


class Page(HTMLParser):
    """A report as a reader sees it: tags, attributes, texts, and the cells of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.rows[-1].append("")
        self._cell = tag == "td" or (self._cell and tag != "tr")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "tr")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._cell:
            self.rows[-1][-1] += data

    def row_of(self, first_cell: str) -> list[str]:
        return next(row for row in self.rows if row and row[0] == first_cell)


def words(text: str) -> str:
    """The page's text outside of tags, with single spaces."""
    return re.sub(r"\s+", " ", " ".join(Page(text).texts))


def test_a_shot_s_row_holds_the_numbers_of_the_record(complete: SessionRecord) -> None:
    page = Page(render([complete]))
    assert page.row_of("4") == [
        "4",
        "done",
        *("12.000", "12.004", "11.940", "0.004", "−0.50"),
        *("1.500", "1.496", "1.520", "+0.020"),
        *("768", "1.200", "7.8", "170.2"),
    ]


def test_without_the_virtual_injector_the_device_s_word_is_compared(
    broken_off: SessionRecord,
) -> None:
    text = render([broken_off])
    assert Page(text).row_of("3") == [
        "3",
        "stopped: the guard is <open>",
        *("12.000", "4.321", "−63.99"),
        *("1.500", "–", "–"),
        *("277 of 768", "0.800", "7.8", "–"),
    ]
    assert "virtual injector" not in text


def test_the_totals_add_up_the_record(complete: SessionRecord) -> None:
    text = words(render([complete]))
    for total in (
        "Shots done 5 of 5",
        "Commanded 60.000 µL",
        "Reported by the device 60.015 µL",
        "Measured in skin 59.650 µL",
        "Measured outside the skin 0.020 µL",
        "Greatest dose deviation −0.75 %",
        "Greatest depth deviation +0.020 mm",
        "First to last shot 1.6 s",
    ):
        assert total in text


def test_a_complete_session_says_that_nothing_is_uncertain(complete: SessionRecord) -> None:
    text = words(render([complete]))
    assert "The session is complete All shots are done." in text
    assert "5 of 5 shots are recorded; by its counted steps the device gave 60.015 µL" in text
    assert "Not certain Nothing: every shot that may have been delivered is recorded." in text


def test_a_broken_session_says_what_is_certain_and_what_is_not(broken_off: SessionRecord) -> None:
    text = words(render([broken_off]))
    assert "The link to the device was lost The port vanished in shot 4." in text
    assert "3 of 5 shots are recorded" in text
    assert "gave 28.324 µL in them. 1 shot stopped before the end." in text
    assert "Not certain Up to 1 shot and 12.000 µL may have been delivered without" in text


def test_passes_and_coverage_of_the_zone_are_among_the_totals(
    zoned: SessionRecord, complete: SessionRecord
) -> None:
    text = words(render([zoned]))
    assert "Passes over the zone 0.34 of 0.48 planned" in text
    assert "Coverage of 10.0 cm² 0.21 %" in text
    assert "over the zone" not in words(render([complete]))


def test_shots_whose_reports_are_lost_are_told_of(zoned: SessionRecord) -> None:
    text = words(render([zoned]))
    assert "2 shots more were given and the reports are lost for good." in text
    assert "Not certain Up to 2 shots and 24.000 µL" in text


def test_a_session_of_ten_thousand_strikes_is_a_page_that_can_be_opened(
    records: Records, shot: Callable[[int], ShotReport]
) -> None:
    preset = load_preset("dry-microneedling")
    info = {"product": "p", "version": "1", "board": "b", "serial": "s", "micropython": "1"}
    id = records.start(SessionFacts.of(preset, prescribe(preset, shots=10_000), info))
    dry = {"commanded_ul": 0.0, "dose_ul": 0.0}
    reports = [shot(number).model_copy(update=dry) for number in range(1, 10_001)]
    missed = {"outcome": ShotOutcome.MISFIRE, "why": "the needle was not seen out"}
    reports[6999] = reports[6999].model_copy(update=missed)
    records.add_shots(id, reports)
    text = render([records.session(id)])
    page = Page(text)
    assert text.count("<use ") < 5_000  # points in two plots
    assert page.row_of("7000")[1] == "misfire: the needle was not seen out"
    assert not any(row and row[0] == "6999" for row in page.rows)
    assert "Of 10000 shots, only such as were not done are listed" in words(text)


def test_a_killed_session_counts_all_that_was_left_as_uncertain(
    tmp_path: Path,
    records: Records,
    facts: SessionFacts,
    shot: Callable[[int], ShotReport],
) -> None:
    id = records.start(facts)
    records.add_shots(id, [shot(1)])
    with Records.open(tmp_path / "records.db") as after_the_kill:
        text = words(render([after_the_kill.session(id)]))
    assert "The session was interrupted No end was recorded" in text
    assert "1 of 5 shots is recorded" in text
    assert "up to 4 shots and 48.000 µL may have been delivered without a record" in text


@pytest.mark.parametrize(
    ("outcome", "headline"),
    [
        (SessionOutcome.RUNNING, "still running"),
        (SessionOutcome.STOPPED, "was stopped"),
        (SessionOutcome.FAULT, "ended in a fault"),
    ],
)
def test_every_outcome_has_its_headline(
    complete: SessionRecord, outcome: SessionOutcome, headline: str
) -> None:
    assert headline in words(render([complete.model_copy(update={"outcome": outcome})]))


def test_the_preset_stands_beside_what_was_made_of_it(complete: SessionRecord) -> None:
    page = Page(render([complete]))
    assert page.row_of("dose")[1:3] == ["10 µL", "12 µL"]
    assert page.row_of("depth")[1:3] == ["3 mm", "1.5 mm"]
    assert "outside the range" in page.row_of("depth")[3]
    assert "outside the range" not in page.row_of("dose")[3]
    assert page.row_of("shots")[1:3] == ["20 shots", "5 shots"]
    assert page.row_of("rate")[1:3] == ["2.5 Hz", "2.5 Hz"]
    assert page.attributes.count(("tr", "class", "changed")) == 3


def test_it_names_product_device_operator_and_that_it_is_no_medical_device(
    complete: SessionRecord,
) -> None:
    text = words(render([complete]))
    for wanted in (
        "mesodrive is not a certified medical device.",
        "E66118604B1F2A2C",
        "mesodrive pico",
        "1.25.0",
        "<i>Ann</i> & Co",
        complete.id,
    ):
        assert wanted in text


def test_text_of_people_and_devices_is_never_markup(broken_off: SessionRecord) -> None:
    page = Page(render([broken_off]))
    assert "i" not in page.tags
    assert "open" not in page.tags
    assert "script" not in page.tags


def test_nothing_is_fetched(complete: SessionRecord) -> None:
    text = render([complete])
    page = Page(text)
    fetching = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}
    assert all(value[0] == "#" for _, name, value in page.attributes if name in fetching)
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert "@import" not in text
    assert not {"link", "script", "img", "iframe", "object", "embed"} & set(page.tags)
    assert ("meta", "http-equiv", "Content-Security-Policy") in page.attributes


def test_four_plots_show_a_wet_session_and_two_a_dry_one(
    complete: SessionRecord, records: Records, shot: Callable[[int], ShotReport]
) -> None:
    assert Page(render([complete])).tags.count("svg") == 4
    preset = load_preset("dry-microneedling")
    device = complete.facts.device.model_dump()
    id = records.start(SessionFacts.of(preset, prescribe(preset), device))
    for number in (1, 2):
        dry = {"commanded_ul": 0.0, "dose_ul": 0.0}
        records.add_shots(id, [shot(number).model_copy(update=dry)])
    page = Page(render([records.session(id)]))
    assert page.tags.count("svg") == 2
    assert page.row_of("1")[4] == "–"


def test_the_plots_of_one_page_share_no_id_and_miss_none(complete: SessionRecord) -> None:
    text = render([complete])
    ids = [value for _, name, value in Page(text).attributes if name == "id"]
    assert len(ids) == len(set(ids)) > 100
    used = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', text))
    assert used
    assert used <= set(ids)


def test_a_session_without_a_shot_has_a_report(records: Records, facts: SessionFacts) -> None:
    id = records.start(facts)
    records.finish(id, SessionOutcome.STOPPED, "Nobody pulled the trigger.", 0, 0.0)
    text = render([records.session(id)])
    assert "No shot is recorded." in words(text)
    assert "<svg" not in text


def test_one_shot_and_a_long_pause_can_be_drawn(
    records: Records, facts: SessionFacts, shot: Callable[[int], ShotReport]
) -> None:
    id = records.start(facts)
    records.add_shots(id, [shot(1)])
    assert Page(render([records.session(id)])).tags.count("svg") == 3
    records.add_shots(id, [shot(2).model_copy(update={"t_ms": 600_000})])
    assert Page(render([records.session(id)])).tags.count("svg") == 4


def test_the_same_record_gives_the_same_file(complete: SessionRecord, tmp_path: Path) -> None:
    write_report([complete], tmp_path / "one.html")
    write_report([complete], tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.requirement("R17")
def test_doses_in_doubt_and_the_state_of_the_ledger_are_shown(in_doubt: SessionRecord) -> None:
    page = words(render([in_doubt]))
    assert "Up to 5 shots and 60.000 µL, dose 2 of the device's ledger" in page
    assert "They count as given until a person says otherwise." in page
    assert "Up to 3 shots and 36.000 µL may have been delivered without a record." in page
    ledger = in_doubt.ledger
    assert ledger
    assert f"record {ledger.head_sequence}, chain {ledger.head_chain}" in page
    assert "Verdict whole" in page
    assert "have no known outcome on the device" in page


@pytest.mark.requirement("R17")
def test_a_ledger_that_is_not_whole_is_shown_with_why(in_doubt: SessionRecord) -> None:
    assert in_doubt.ledger
    flawed = in_doubt.ledger.model_copy(
        update={"whole": False, "complete": False, "flaws": ("Its tail is <cut> off.",)}
    )
    page = words(render([in_doubt.model_copy(update={"ledger": flawed})]))
    assert "not whole" in page
    assert "not all of this session was fetched" in page
    assert "Its tail is <cut> off." in page


def test_a_session_whose_ledger_was_not_fetched_says_so(complete: SessionRecord) -> None:
    assert "Not fetched for this session." in words(render([complete]))
