"""What is done with a ledger: a life of some days, and what comes after a cut."""

from random import Random

from mesodrive.ledger.rows import (
    Boot,
    Cartridge,
    Change,
    Countersigned,
    Event,
    Fault,
    Intent,
    ProfileLoaded,
    Syringe,
)
from mesodrive_rig.campaigns.ledger_oracle import pending
from mesodrive_rig.campaigns.ledger_work import Work

_PENDING_AT_MOST = 4  # without an outcome; then the ledger takes no further intent


def live(work: Work, steps: int, *, room: int) -> None:
    """A life of some days, from an empty flash."""
    work.create()
    work.write(Boot(1, 0x1234))
    for n in range(steps):
        if work.ledger.room < 4:
            work.prepare(room)
        if n % 29 == 28:
            work.open()
            work.prepare(2)
            work.write(Boot(n % 3, 0x1234))
        else:
            _anything(work)


def go_on_a_little(work: Work) -> None:
    """A restart, and one more dose announced."""
    work.prepare(3)
    work.write(Boot(2, 0x1234))
    if len(pending(work.entries)) < _PENDING_AT_MOST:
        work.intend(_any_intent(work.random))


def go_round(work: Work) -> None:
    """A restart, and work until the sector that is next has been written."""
    go_on_a_little(work)
    for _ in range(work.ledger.room):
        work.write(_any_event(work.random, len(work.entries)))


def go_on(work: Work) -> None:
    """A restart; the device is put in order and used again."""
    work.prepare(8)
    work.write(Boot(2, 0x1234))
    while pending(work.entries):
        work.close()
    work.intend(_any_intent(work.random))
    work.close()
    work.intend(_any_intent(work.random))


def _anything(work: Work) -> None:
    unresolved = len(pending(work.entries))
    if unresolved and work.random.random() < 0.5:
        work.close()
    elif unresolved < _PENDING_AT_MOST and work.random.random() < 0.6:
        work.intend(_any_intent(work.random))
    else:
        work.write(_any_event(work.random, len(work.entries)))


def _any_intent(random: Random) -> Intent:
    command = random.getrandbits(53)
    if random.random() < 0.2:
        return Intent(command, 0, random.randint(1, 500_000))
    dose_nl = random.choice([0, 1, random.randint(1, 100_000)])
    return Intent(command, random.choice([1, 3, 50]), dose_nl)


def _any_event(random: Random, number: int) -> Event:
    return random.choice(
        [
            ProfileLoaded(random.getrandbits(32), "series", 50, 9_000, 1_500, number % 2),
            Syringe(random.randint(0, 10_000_000), 20_000),
            Cartridge(bytes([number % 11] * 8), 9, 4_000),
            Fault("cartridge_out", "DELIVERING"),
            Change("max_dose_nl", number, number + 1),
            Countersigned(number, random.randbytes(16), 1),
        ]
    )
