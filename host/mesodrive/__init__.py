"""The host side of mesodrive: presets, link, sessions, records, reports and the command line."""

__version__ = "0.2.0"
