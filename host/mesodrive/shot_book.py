"""The shots of one session on their way from the device into the records.

They come in batches, up to 250 a second; a batch is on the disk before any of it is shown.
"""

import math
from collections.abc import Callable, Iterable

from mesodrive.device import Device
from mesodrive.records import Records, ShotOutcome, ShotReport
from mesodrive.telemetry import Shot

Truth = Callable[[int], tuple[float, float, float] | None]
"""What a virtual injector measured of shot n: skin_ul, depth_mm, lost_ul; None if it cannot."""


class ShotBook:
    """`lost` are the shots that were given and whose reports the device does not have any more."""

    def __init__(
        self,
        records: Records,
        *,
        dose_nl: int,
        depth_um: int,
        show: Callable[[ShotReport], None],
        truth: Truth | None,
    ):
        self.lost: set[int] = set()
        self._records = records
        self._session_id = ""
        self._dose_nl = dose_nl
        self._depth_um = depth_um
        self._show = show
        self._truth = truth
        self._given: dict[int, tuple[float, ShotOutcome]] = {}  # dose in µL, of what is recorded
        self._arrived: list[Shot] = []

    def __len__(self) -> int:
        """How many shots are recorded."""
        return len(self._given)

    @property
    def dose_ul(self) -> float:
        """What the recorded shots gave, by their counted steps."""
        return math.fsum(dose_ul for dose_ul, _ in self._given.values())

    @property
    def cut_short(self) -> int:
        """How many of the recorded shots were stopped, or no strike at all."""
        return sum(outcome is not ShotOutcome.DONE for _, outcome in self._given.values())

    def begin(self, session_id: str) -> None:
        """From here on shots belong to this session; what came before was of an earlier one."""
        self._session_id = session_id
        self._arrived.clear()

    def take(self, shots: Iterable[Shot]) -> None:
        """Keep what has arrived until `record`."""
        self._arrived += shots

    def record(self) -> None:
        """Put what has arrived on the disk, then show it. Raises RecordsError."""
        new = {shot.shot: shot for shot in self._arrived if shot.shot not in self._given}
        self._arrived.clear()
        if not new or not self._session_id:
            return
        reports = [self._report(new[number]) for number in sorted(new)]
        self._records.add_shots(self._session_id, reports)
        # In one go: Ctrl-C leaves either none of them known here, which are then asked for again
        # and recognised by the records, or all.
        self._given.update({one.number: (one.dose_ul, one.outcome) for one in reports})
        self.lost -= new.keys()
        for report in reports:
            self._show(report)

    def is_whole(self, done: int = 0) -> bool:
        """Whether each of the first `done` shots, and each before one that is recorded, is
        recorded or known to be lost."""
        return len(self._given) + len(self.lost) >= max(done, self._highest)

    def fetch(self, device: Device, done: int) -> list[int]:
        """Ask `device`, which has done that many, for what is missing; record it.

        Returns the shots that have turned out to be lost: it knew a later one when it was asked.
        What it has only just given may not be in its list yet.
        """
        self.record()
        missing = set(range(1, max(done, self._highest) + 1)) - self._given.keys() - self.lost
        if not missing:
            return []
        known = self._highest
        told = device.shots(min(missing), max(missing))
        self.take(told)
        self.record()
        later = max([known, *(shot.shot for shot in told)])
        gone = [number for number in sorted(missing - self._given.keys()) if number < later]
        self.lost.update(gone)
        return gone

    def give_up(self, done: int) -> list[int]:
        """Count as lost what of the first `done` shots is not recorded: it was asked for."""
        gone = sorted(set(range(1, done + 1)) - self._given.keys() - self.lost)
        self.lost.update(gone)
        return gone

    @property
    def _highest(self) -> int:
        return max(self._given, default=0)

    def _report(self, shot: Shot) -> ShotReport:
        report = ShotReport.of(shot, commanded_nl=self._dose_nl, commanded_depth_um=self._depth_um)
        measured = self._truth(report.number) if self._truth else None
        return report.with_truth(*measured) if measured else report
