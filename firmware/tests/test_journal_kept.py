"""How much the region of the real size keeps, on a device that has been in use for long."""

import board
import pytest
from stand_ins import PROFILE
from stand_ins.flash import Clock, StandInFlash
from stand_ins.job import StandInJob

from injector.journal import Journal
from injector.ledger import Ledger, record
from injector.profile import Profile

pytestmark = pytest.mark.requirement("R21")

DAY_MS = 10 * 3_600_000  # of being on
OLD = 8_000  # records of what was before: the ring has gone round
FAULTS = 1_000
DAYS = 30
A_DAY = 3  # faults, as the requirement counts them


class Device:
    """A journal on a flash of the real size; `told` counts what it was told."""

    def __init__(self):
        self.flash = StandInFlash(board.LEDGER_SIZE // 4096, 4096)
        self.clock = Clock()
        self.profile = Profile({**PROFILE, "shots": 100})
        self.command = self.told = 0
        ledger = Ledger.create(self.flash, self.clock, b"seed")
        for _ in range(OLD):
            ledger.prepare(1)
            ledger.append(record.CHANGE, what=b"old", was=0, becomes=0)
        self.journal = Journal(self.flash, self.clock)

    def start(self) -> None:
        """The device is switched on in the morning."""
        self.clock.ms = 0
        self.journal = Journal(self.flash, self.clock)
        assert self.journal.open(1, 2) is None
        self.told += 1

    def load(self) -> None:
        self.journal.loaded(self.profile)
        self.told += 3

    def pull(self, fault: str = "") -> None:
        self.command += 1
        self.journal.announce(StandInJob(2, 2_000), self.command, 2, 1_000)
        if fault:
            self.journal.faulted(fault, "DELIVERING")
        self.journal.tend(bool(fault), bool(fault))
        self.told += 3 if fault else 2

    def prime(self) -> None:
        self.command += 1
        self.journal.announce(StandInJob(2, 2_000), self.command, 0, 2_000)
        self.journal.tend(True, False)
        self.told += 2

    def countersign(self) -> None:
        self.journal.countersigned(self.journal.ledger.head[0], bytes(16), 1)
        self.told += 1

    def kept(self) -> list[tuple[int, int, int, tuple[object, ...]]]:
        """What can be read of all that was told, after one more start."""
        first = self.journal.ledger.head[0] - self.told + 1
        again = Ledger.open(self.flash, self.clock)
        assert again.damage == []
        kept = [record.read(raw) for raw in again.records(first)]
        assert len(kept) == self.told
        return kept


def test_a_thousand_faults_are_kept_with_the_session_of_each():
    device = Device()
    for number in range(FAULTS):
        if number % A_DAY == 0:
            device.start()
            device.prime()
        device.load()
        device.pull("fault %d" % number)  # noqa: UP031
    kept = device.kept()
    codes = [values[0].rstrip(b"\0") for kind, _, _, values in kept if kind == record.FAULT]
    assert codes == [b"fault %d" % number for number in range(FAULTS)]


@pytest.mark.parametrize(
    ("sessions", "pulls", "primed"),
    [
        (4, 25, True),  # a clinic's day: patients, each with a cartridge of its own, and a host
        (2, 60, False),  # the 120 pulls a day of R21; a profile has room for 100 at most
    ],
)
def test_thirty_days_of_a_clinic_are_kept(sessions: int, pulls: int, primed: bool):
    device = Device()
    for _ in range(DAYS):
        device.start()
        for _ in range(sessions):
            device.clock.ms += DAY_MS // sessions
            device.load()
            if primed:
                device.prime()
            for _ in range(pulls):
                device.pull()
            device.journal.tend(True, False)  # disarmed
            if primed:
                device.countersign()
    kept = device.kept()
    doses = DAYS * sessions * (pulls + primed)
    for kind in (record.INTENT, record.OUTCOME):
        assert sum(one[0] == kind for one in kept) == doses
    assert sum(one[0] == record.PROFILE for one in kept) == DAYS * sessions
