"""A session for other programs: JSON holds all of it, CSV one row a shot."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from mesodrive import __version__
from mesodrive.records import SessionRecord, ShotRecord
from mesodrive.reports.files import write_whole
from mesodrive.reports.totals import coverage, reached_skin

JSON_FORMAT = "mesodrive.session"
JSON_FORMAT_VERSION = 1  # changes when an old reader would misunderstand a new file

# By the end of a field's name, the longest first: `flow_nl_s` is not in seconds.
_UNITS = {
    "_ul_per_mm": "µL/mm",
    "_nl_per_mm": "nL/mm",
    "_ul_s": "µL/s",
    "_nl_s": "nL/s",
    "_ul": "µL",
    "_nl": "nL",
    "_mm": "mm",
    "_um": "µm",
    "_ms": "ms",
    "_us": "µs",
    "_hz": "Hz",
    "_cp": "cP",
    "_cm2": "cm²",
    "_percent": "%",
    "_at": "ISO 8601, UTC",
}


def write_json(records: Sequence[SessionRecord], path: Path) -> None:
    """Write all of `records` to `path`, with the unit of every field; raises ReportError."""
    sessions: list[JsonValue] = [record.model_dump(mode="json") for record in records]
    covered: list[JsonValue] = [
        {
            "session_id": record.id,
            "zone_area_cm2": given.zone_area_cm2,
            "passes": given.passes,
            "coverage_percent": given.percent,
        }
        for record in records
        if (given := coverage(record))
    ]
    document = {
        "format": JSON_FORMAT,
        "format_version": JSON_FORMAT_VERSION,
        "written_by": f"mesodrive {__version__}",
        "units": _units_in([*sessions, *covered]),
        "sessions": sessions,
        "coverage": covered,
    }
    write_whole(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(records: Sequence[SessionRecord], path: Path) -> None:
    """Write one row a shot to `path`, headed by field names with units; raises ReportError.

    `passes` and `coverage_percent` are what the zone has had with that shot; empty without a zone.
    Plain RFC 4180, no comment lines; what is not about a shot is in the JSON export, found by
    `session_id`.
    """
    text = io.StringIO()
    writer = csv.DictWriter(
        text, ["session_id", "preset", *ShotRecord.model_fields, "passes", "coverage_percent"]
    )
    writer.writeheader()
    for record in records:
        strikes = 0
        for shot in record.shots:
            strikes += reached_skin(shot)
            so_far = record.facts.coverage(strikes)
            writer.writerow(
                {
                    "session_id": record.id,
                    "preset": record.facts.as_run.preset,
                    **shot.model_dump(mode="json"),
                    "passes": so_far and so_far.passes,
                    "coverage_percent": so_far and so_far.percent,
                }
            )
    write_whole(path, text.getvalue())


def _units_in(value: JsonValue) -> dict[str, str]:
    units: dict[str, str] = {}
    if isinstance(value, dict):
        for name, inner in value.items():
            unit = next((u for end, u in _UNITS.items() if name.endswith(end)), None)
            units |= {name: unit} if unit else _units_in(inner)
    elif isinstance(value, list):
        for inner in value:
            units |= _units_in(inner)
    return units
