"""What a ledger must say, worked out from what was told to it alone.

It shares nothing with the firmware's ledger: it keeps all entries and adds them up anew each time.
"""

from collections.abc import Sequence
from typing import NamedTuple

from mesodrive.ledger.rows import (
    Cartridge,
    Event,
    Fault,
    Intent,
    Outcome,
    ProfileLoaded,
    Syringe,
)

_SLICE_MS = 10 * 60 * 1000
_SLICES = 7
_CARTRIDGES = 8


class Entry(NamedTuple):
    """What one record must hold; its sequence is its place in the list, 1 the first."""

    event: Event
    boot: int
    on_ms: int


class Sums(NamedTuple):
    """What follows from the entries. An intent without an outcome counts in full."""

    boots: int
    faults: int
    strikes: int
    delivered_nl: int
    uncertain_strikes: int
    uncertain_nl: int
    primed_nl: int
    session_strikes: int
    session_nl: int
    left_nl: int
    hour_nl: int
    command: int
    cartridges: list[bytes]
    pending: list[tuple[int, int, int]]


def pending(entries: Sequence[Entry]) -> dict[int, Intent]:
    """The intents without an outcome, by their numbers."""
    open_: dict[int, Intent] = {}
    for number, entry in enumerate(entries, 1):
        if isinstance(entry.event, Intent):
            open_[number] = entry.event
        elif isinstance(entry.event, Outcome):  # or Resolved
            open_.pop(entry.event.intent, None)
    return open_


def sums(entries: Sequence[Entry], on_ms: int) -> Sums:
    """The totals after these entries, at `on_ms`."""
    unknown = pending(entries)
    uncertain_strikes = sum(intent.strikes for intent in unknown.values())
    uncertain_nl = sum(intent.strikes * intent.dose_nl for intent in unknown.values())
    uncertain_out_nl = sum(max(1, it.strikes) * it.dose_nl for it in unknown.values())
    given = [
        (place, entry.on_ms, entry.event)
        for place, entry in enumerate(entries)
        if isinstance(entry.event, Outcome)
    ]
    skin = [(place, ms, event) for place, ms, event in given if event.planned_strikes]
    session = _session(entries)
    first_slice = on_ms // _SLICE_MS - _SLICES + 1
    return Sums(
        boots=entries[-1].boot if entries else 0,
        faults=sum(isinstance(entry.event, Fault) for entry in entries),
        strikes=sum(event.strikes for _, _, event in skin) + uncertain_strikes,
        delivered_nl=sum(event.given_nl for _, _, event in skin) + uncertain_nl,
        uncertain_strikes=uncertain_strikes,
        uncertain_nl=uncertain_nl,
        primed_nl=sum(event.given_nl for _, _, event in given if not event.planned_strikes),
        session_strikes=sum(event.strikes for place, _, event in skin if place > session)
        + uncertain_strikes,
        session_nl=sum(event.given_nl for place, _, event in skin if place > session)
        + uncertain_nl,
        left_nl=max(0, _left_nl(entries) - uncertain_out_nl),
        hour_nl=sum(event.given_nl for _, ms, event in skin if ms // _SLICE_MS >= first_slice)
        + uncertain_nl,
        command=_command(entries),
        cartridges=_cartridges(entries),
        pending=[(number, it.strikes, it.dose_nl) for number, it in unknown.items()],
    )


def _session(entries: Sequence[Entry]) -> int:
    """The place of the entry with which the last session began; -1 if there is none."""
    begun = [
        place
        for place, entry in enumerate(entries)
        if isinstance(entry.event, ProfileLoaded) and entry.event.new_session
    ]
    return max(begun, default=-1)


def _command(entries: Sequence[Entry]) -> int:
    commands = [entry.event.command for entry in entries if isinstance(entry.event, Intent)]
    return commands[-1] if commands else 0


def _left_nl(entries: Sequence[Entry]) -> int:
    left_nl = 0
    for entry in entries:
        if isinstance(entry.event, Syringe):
            left_nl = entry.event.fill_nl
        elif isinstance(entry.event, Outcome):
            left_nl = max(0, left_nl - entry.event.given_nl)
    return left_nl


def _cartridges(entries: Sequence[Entry]) -> list[bytes]:
    used = [entry.event.cartridge for entry in entries if isinstance(entry.event, Cartridge)]
    used = [one for one in used if any(one)]
    last_use = {one: place for place, one in enumerate(used)}
    return sorted(last_use, key=lambda one: last_use[one])[-_CARTRIDGES:]
