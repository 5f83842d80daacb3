"""What the shots of a session come to, and how far each is from what was asked."""

import math
from dataclasses import dataclass

from mesodrive.presets import Coverage
from mesodrive.records import SessionRecord, ShotOutcome, ShotReport

DOSE_BAND_PERCENT = 2.0
DEPTH_BAND_MM = 0.05


@dataclass(frozen=True)
class Totals:
    """Sums over all recorded shots, and the greatest deviations among those that were done.

    The `true_…` sums are None unless every shot was measured by the virtual injector; a deviation
    is None when no shot has one.
    """

    recorded_shots: int
    done_shots: int
    commanded_ul: float
    reported_ul: float
    true_skin_ul: float | None
    true_lost_ul: float | None
    worst_dose_percent: float | None
    worst_depth_mm: float | None
    duration_s: float
    coverage: Coverage | None


def totals(record: SessionRecord) -> Totals:
    """Add up `record`; `duration_s` runs from the first shot's start to the last one's."""
    shots = record.shots
    done = [shot for shot in shots if shot.outcome is ShotOutcome.DONE]
    return Totals(
        recorded_shots=len(shots),
        done_shots=len(done),
        commanded_ul=math.fsum(shot.commanded_ul for shot in shots),
        reported_ul=math.fsum(shot.dose_ul for shot in shots),
        true_skin_ul=_sum_of_all([shot.true_skin_ul for shot in shots]),
        true_lost_ul=_sum_of_all([shot.true_lost_ul for shot in shots]),
        worst_dose_percent=_worst([dose_deviation_percent(shot) for shot in done]),
        worst_depth_mm=_worst([depth_deviation_mm(shot) for shot in done]),
        duration_s=(shots[-1].t_ms - shots[0].t_ms) / 1000 if shots else 0.0,
        coverage=coverage(record),
    )


def coverage(record: SessionRecord) -> Coverage | None:
    """What the zone has had; None without a zone. Strikes whose reports are lost count as given,
    and those whose needle was not seen out do not."""
    strikes = sum(map(reached_skin, record.shots)) + (record.lost_shots or 0)
    return record.facts.coverage(strikes)


def reached_skin(shot: ShotReport) -> bool:
    """Whether the needle was seen out, and so made its hole."""
    return shot.out_ms is not None


def dose_deviation_percent(shot: ShotReport) -> float | None:
    """Dose given against dose commanded, in % of the latter; None for a dry strike.

    The dose given is what the virtual injector measured, or else what the device reported.
    """
    given_ul = shot.dose_ul if shot.true_skin_ul is None else shot.true_skin_ul
    return (given_ul / shot.commanded_ul - 1) * 100 if shot.commanded_ul else None


def depth_deviation_mm(shot: ShotReport) -> float | None:
    """Depth reached against depth commanded, in mm; None when nobody saw the needle."""
    reached_mm = shot.depth_mm if shot.true_depth_mm is None else shot.true_depth_mm
    return None if reached_mm is None else reached_mm - shot.commanded_depth_mm


def _sum_of_all(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known and len(known) == len(values) else None


def _worst(deviations: list[float | None]) -> float | None:
    return max((d for d in deviations if d is not None), key=abs, default=None)
