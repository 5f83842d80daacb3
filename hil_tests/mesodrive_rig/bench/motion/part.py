"""What one part of the benchmark hands to the composition."""

from collections.abc import Callable
from typing import NamedTuple

from mesodrive_rig.results import Metric

Progress = Callable[[str], None]
"""Told in a few words what is being measured now."""


class Part(NamedTuple):
    """Figures for the table, and raw data for the plots by name, such as `jitter_ns.ours.gc`."""

    metrics: list[Metric]
    series: dict[str, list[float]]
