"""The report: one self-contained HTML file, for a screen, a tablet and A4 paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mesodrive import __version__
from mesodrive.records import SessionOutcome, SessionRecord, ShotOutcome, ShotRecord
from mesodrive.reports import plots
from mesodrive.reports.files import write_whole
from mesodrive.reports.totals import (
    DEPTH_BAND_MM,
    DOSE_BAND_PERCENT,
    depth_deviation_mm,
    dose_deviation_percent,
    totals,
)

_HEADLINES = {
    SessionOutcome.RUNNING: ("warn", "The session is still running"),
    SessionOutcome.COMPLETE: ("good", "The session is complete"),
    SessionOutcome.STOPPED: ("warn", "The session was stopped"),
    SessionOutcome.FAULT: ("bad", "The session ended in a fault"),
    SessionOutcome.LINK_LOST: ("bad", "The link to the device was lost"),
    SessionOutcome.INTERRUPTED: ("bad", "The session was interrupted"),
}
_UNSEEN = "\N{EN DASH}"
_MOST_ROWS = 2_000  # what a page can hold; only a dry session has more shots


def write_report(records: Sequence[SessionRecord], path: Path) -> None:
    """Write the report of one or more sessions to `path`; raises ReportError."""
    write_whole(path, render(records))


def render(records: Sequence[SessionRecord]) -> str:
    """The report of `records` as the text of an HTML page that fetches nothing."""
    return _TEMPLATE.render(
        sessions=[_session(record) for record in records],
        version=__version__,
        dose_deviation=dose_deviation_percent,
        depth_deviation=depth_deviation_mm,
        dose_band=DOSE_BAND_PERCENT,
        depth_band=DEPTH_BAND_MM,
    )


def _session(record: SessionRecord) -> dict[str, object]:
    tone, headline = _HEADLINES[record.outcome]
    return {
        "record": record,
        "tone": tone,
        "headline": headline,
        "certain": _certain(record),
        "uncertain": _uncertain(record),
        "doubts": _doubts(record),
        "totals": totals(record),
        "listed": _listed(record),
        "settings": _settings(record),
        "plots": _plots(record),
        "measured": any(shot.true_skin_ul is not None for shot in record.shots),
    }


def _listed(record: SessionRecord) -> Sequence[ShotRecord]:
    if len(record.shots) <= _MOST_ROWS:
        return record.shots
    return [shot for shot in record.shots if shot.outcome is not ShotOutcome.DONE][:_MOST_ROWS]


@dataclass(frozen=True)
class _Setting:
    name: str
    preset: str
    used: str
    source: str
    changed: bool
    beyond_range: bool


def _settings(record: SessionRecord) -> list[_Setting]:
    """Every value of the preset beside what this session used."""
    preset = record.facts.preset
    changes = {change.name: change for change in record.facts.as_run.changes}
    of_preset: dict[str, tuple[str, str]] = {}
    for name, value in preset.items():
        if isinstance(value, dict) and "value" in value and "unit" in value:
            text = f"{value['value']:g} {value['unit']}"
            of_preset[name] = (text, str(value.get("source", "")))
        elif name in ("cartridge", "syringe"):
            of_preset[name] = (str(value), "")
    for change in changes.values():
        of_preset.setdefault(change.name, (change.preset, ""))
    return [
        _Setting(
            name=name,
            preset=text,
            used=changes[name].used if name in changes else text,
            source=source,
            changed=name in changes,
            beyond_range=name in changes and changes[name].beyond_range,
        )
        for name, (text, source) in of_preset.items()
    ]


def _plots(record: SessionRecord) -> list[tuple[str, Markup]]:
    wet = any(shot.commanded_ul for shot in record.shots)
    wanted = [
        ("Dose per shot", plots.dose_per_shot, wet),
        ("Depth per shot", plots.depth_per_shot, True),
        ("Dose so far", plots.cumulative_dose, wet),
        ("Timing", plots.start_intervals, len(record.shots) > 1),
    ]
    if not record.shots:
        return []
    # Markup: matplotlib escapes what it writes, and no text of the record goes in.
    return [(title, Markup(draw(record))) for title, draw, shown in wanted if shown]


def _certain(record: SessionRecord) -> str:
    sums = totals(record)
    sentences = [
        f"{sums.recorded_shots} of {_shots(record.facts.as_run.shots)}"
        f" {'is' if sums.recorded_shots == 1 else 'are'} recorded; by its counted steps the"
        f" device gave {sums.reported_ul:.3f} µL in them."
    ]
    stopped = sum(shot.outcome is ShotOutcome.STOPPED for shot in record.shots)
    misfired = sum(shot.outcome is ShotOutcome.MISFIRE for shot in record.shots)
    if stopped:
        sentences.append(f"{_shots(stopped)} stopped before the end.")
    if misfired:
        sentences.append(f"{_shots(misfired)} misfired.")
    if record.lost_shots:
        sentences.append(
            f"{_shots(record.lost_shots)} more {'was' if record.lost_shots == 1 else 'were'} given"
            " and the reports are lost for good."
        )
    return " ".join(sentences)


def _uncertain(record: SessionRecord) -> str:
    as_run = record.facts.as_run
    if record.uncertain_shots is None or record.uncertain_ul is None:
        left = max(0, as_run.shots - len(record.shots))
        if not left:
            return "How the session ended; every planned shot is recorded."
        return (
            f"What came after the last recorded shot: up to {_shots(left)} and"
            f" {left * as_run.dose_ul:.3f} µL may have been delivered without a record."
        )
    if not record.uncertain_shots and not record.uncertain_ul:
        return "Nothing: every shot that may have been delivered is recorded."
    return (
        f"Up to {_shots(record.uncertain_shots)} and {record.uncertain_ul:.3f} µL may have been"
        f" delivered without a record."
    )


def _doubts(record: SessionRecord) -> str:
    """The doses of which the device itself does not know the end; empty when there are none."""
    ledger = record.ledger
    if ledger is None or not ledger.in_doubt_strikes:
        return ""
    doses = [dose for dose in ledger.doses if dose.end == "in_doubt" and dose.planned_strikes]
    numbers = ", ".join(str(dose.number) for dose in doses)
    return (
        f"Up to {_shots(ledger.in_doubt_strikes)} and {ledger.in_doubt_ul:.3f} µL, dose {numbers}"
        " of the device's ledger: the device was switched off or reset before it could write down"
        " what it gave. They count as given until a person says otherwise."
    )


def _shots(count: int) -> str:
    return "1 shot" if count == 1 else f"{count} shots"


def _moment(time: datetime | None) -> str:
    return "not recorded" if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _number(value: float | None, decimals: int = 3) -> str:
    return _UNSEEN if value is None else f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _signed(value: float | None, decimals: int) -> str:
    if value is None:
        return _UNSEEN
    rounded = round(value, decimals) + 0.0  # which turns -0.0 into 0.0
    return f"{rounded:+.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _template_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mesodrive.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "signed": _signed, "moment": _moment}
    return environment


_TEMPLATE = _template_environment().get_template("report.html")
