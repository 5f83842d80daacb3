"""Is a fetched ledger whole, in order, and the one that was seen before?"""

import hmac
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from mesodrive.ledger.rows import Countersigned, Row

_CHAIN_SIZE = 16
_MAC_SIZE = 16
_REWRITTEN = "the ledger was changed, so keep the device out of use"


@dataclass(frozen=True)
class Head:
    """The chain at a record: it fixes that record and all before it."""

    sequence: int
    chain: bytes


class FlawKind(StrEnum):
    """What can be wrong."""

    BROKEN = "broken"
    MISSING = "missing"
    ORDER = "order"
    LINK = "link"
    CLOCK = "clock"
    CUT = "cut"
    OTHER = "other"
    MAC = "mac"


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong, at or after record `sequence`; `text` is for people."""

    kind: FlawKind
    sequence: int
    text: str


@dataclass(frozen=True)
class Verdict:
    """The rows that could be read, the head after them, and every flaw."""

    rows: tuple[Row, ...]
    head: Head | None
    flaws: tuple[Flaw, ...]

    @property
    def whole(self) -> bool:
        return not self.flaws


def countersign(head: Head, key: bytes) -> bytes:
    """The 16 bytes by which a host says that it has seen the ledger up to `head`."""
    message = struct.pack("<I", head.sequence) + head.chain
    return hmac.digest(key, message, "sha256")[:_MAC_SIZE]


def verify(
    records: Iterable[bytes],
    seen: Iterable[Head] = (),
    keys: Mapping[int, bytes] | None = None,
) -> Verdict:
    """Check records in the order in which they were fetched.

    `seen` are heads of earlier fetches: a ledger that ends before one has lost its tail, one with
    another chain there is another ledger or was rewritten. `keys` are the keys of countersigned
    records, by their number; those of other keys are not checked.
    """
    heads = {head.sequence: head.chain for head in seen}
    flaws: list[Flaw] = []
    rows: list[Row] = []
    for raw in records:
        after = rows[-1].sequence if rows else 0
        try:
            row = Row.parse(raw)
        except ValueError as error:
            flaws.append(Flaw(FlawKind.BROKEN, after, str(error)))
            continue
        if rows and row.sequence <= after:
            text = f"Record {row.sequence} comes after {after}; fetch the ledger again."
            flaws.append(Flaw(FlawKind.ORDER, row.sequence, text))
            continue
        flaws += _follows(row, rows[-1] if rows else None, heads)
        rows.append(row)
    chains = {row.sequence: row.chain for row in rows}
    flaws += _as_seen(rows, chains, heads)
    flaws += _countersigned(rows, {**heads, **chains}, keys or {})
    head = Head(rows[-1].sequence, rows[-1].chain) if rows else None
    return Verdict(tuple(rows), head, tuple(flaws))


def _follows(row: Row, before: Row | None, heads: Mapping[int, bytes]) -> Iterable[Flaw]:
    if before and row.sequence > before.sequence + 1:
        yield _missing(before.sequence + 1, row.sequence - 1, "the device cannot read them")
    if before and before.sequence + 1 == row.sequence:
        chain = before.chain
    else:
        chain = heads.get(row.sequence - 1)
    if chain is not None and sha256(chain + row.linked).digest()[:_CHAIN_SIZE] != row.chain:
        text = f"Record {row.sequence} does not follow from the one before; {_REWRITTEN}."
        yield Flaw(FlawKind.LINK, row.sequence, text)
    if before and (row.on_ms < before.on_ms or row.boot < before.boot):
        text = f"Time goes back at record {row.sequence}; {_REWRITTEN}."
        yield Flaw(FlawKind.CLOCK, row.sequence, text)


def _as_seen(
    rows: list[Row], chains: Mapping[int, bytes], heads: Mapping[int, bytes]
) -> Iterable[Flaw]:
    last = rows[-1].sequence if rows else 0
    if heads and rows and rows[0].sequence > max(heads) + 1:
        why = "they were overwritten before they were fetched, so fetch more often"
        yield _missing(max(heads) + 1, rows[0].sequence - 1, why)
    for sequence, chain in sorted(heads.items()):
        if sequence > last:
            text = f"The ledger was seen up to {sequence} and ends at {last}; its tail is cut off."
            yield Flaw(FlawKind.CUT, sequence, text)
        elif chains.get(sequence, chain) != chain:
            text = f"Record {sequence} is not the one seen before; it is another ledger's."
            yield Flaw(FlawKind.OTHER, sequence, text)


def _missing(first: int, last: int, why: str) -> Flaw:
    return Flaw(FlawKind.MISSING, first, f"Records {first} to {last} are missing; {why}.")


def _countersigned(
    rows: list[Row], chains: Mapping[int, bytes], keys: Mapping[int, bytes]
) -> Iterable[Flaw]:
    for row in rows:
        event = row.event
        if not isinstance(event, Countersigned) or event.key not in keys:
            continue
        chain = chains.get(event.sequence)
        if chain is None and event.sequence < rows[0].sequence:
            continue  # what was countersigned is older than what the device keeps
        head = Head(event.sequence, chain or b"")
        if not hmac.compare_digest(event.mac, countersign(head, keys[event.key])):
            text = f"The countersignature in record {row.sequence} does not fit; {_REWRITTEN}."
            yield Flaw(FlawKind.MAC, row.sequence, text)
