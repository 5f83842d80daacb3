"""A session's record as something to read, print or hand on: HTML, CSV and JSON."""

from mesodrive.reports.exports import write_csv, write_json
from mesodrive.reports.files import ReportError
from mesodrive.reports.html import write_report

__all__ = ["ReportError", "write_csv", "write_json", "write_report"]
