"""From the device's ledger into the records: each record once, none that does not follow.

It goes on from the last record that is here, and stores a page at a time, each in one transaction;
so it can end anywhere and be begun again. A ledger that is not the one seen before is told in one
sentence, and nothing of it is stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.rows import Countersigned, Row
from mesodrive.ledger.told import LedgerHead
from mesodrive.ledger.verify import Flaw, FlawKind, Head, Verdict, countersign, verify
from mesodrive.records import KnownLedger, LedgerStore

_OUT = "keep the device out of use until service has looked at it"


class Source(Protocol):
    """A ledger that can be asked, as that of mesodrive.device.Device."""

    def ledger_head(self) -> LedgerHead: ...
    def ledger_records(self, first: int) -> list[bytes]: ...
    def countersign(self, sequence: int, mac: bytes, key: int) -> None: ...


@dataclass(frozen=True)
class Fetched:
    """What a fetch came to. `told` is how the ledger stands by the device itself, `flaws` is what
    was wrong this time; `refused` says that this is not the ledger seen before."""

    ledger: KnownLedger
    told: LedgerHead
    new: int
    flaws: tuple[Flaw, ...]
    refused: bool

    @property
    def whole(self) -> bool:
        return not self.flaws


def fetch(
    source: Source,
    serial: str,
    store: LedgerStore,
    key: HostKey | None = None,
    *,
    anew: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Fetched:
    """Bring the records of the device `serial` up to date; `key` checks our countersignatures.

    With `anew` a ledger that is not the one seen before is accepted as another one; the one
    before stays in the records. Raises RecordsError and what the link raises.
    """
    told = source.ledger_head()
    ledger = store.begin(serial)
    flaw = _exchanged(source, told.head, ledger, store)
    if flaw and anew:
        ledger, flaw = store.begin(serial, anew=True), None
    if flaw:
        store.note_flaws(ledger.key, [flaw])
        return Fetched(ledger, told, 0, (flaw,), True)
    new, flaws, refused = _take(source, told, ledger, store, key, progress)
    known = store.begin(serial)
    if known.head and not refused and known.head.sequence >= told.sequence:
        store.see(ledger.key, known.head)
    return Fetched(known, told, new, flaws, refused)


def sign(source: Source, fetched: Fetched, store: LedgerStore, key: HostKey) -> bool:
    """Have the device record that this host has seen its ledger up to where it was fetched.

    False, and nothing is done, when there is something wrong with it or nothing new in it.
    """
    head = fetched.ledger.head
    if fetched.refused or head is None or _is_signature(store, fetched.ledger.key, head, key):
        return False
    source.countersign(head.sequence, countersign(head, key.secret), key.number)
    store.countersign(fetched.ledger.key, head, key.number)
    return True


def check(store: LedgerStore, ledger: KnownLedger, key: HostKey | None) -> Verdict:
    """All records of a ledger that are here, verified again; needs no device."""
    seen = [one.head for one in store.heads(ledger.key)]
    return verify(store.raws(ledger.key), seen, {key.number: key.secret} if key else {})


def _take(
    source: Source,
    told: LedgerHead,
    ledger: KnownLedger,
    store: LedgerStore,
    key: HostKey | None,
    progress: Callable[[int, int], None],
) -> tuple[int, tuple[Flaw, ...], bool]:
    """Store page after page. Returns how many records were new, what was wrong, and whether that
    was such that the rest was not stored."""
    last, new = ledger.head, 0
    begun = last.sequence if last else max(0, told.first - 1)
    found: list[Flaw] = []
    while last is None or last.sequence < told.sequence:
        raws = source.ledger_records(last.sequence + 1 if last else 1)
        if not raws:
            if told.sequence:
                first = last.sequence + 1 if last else told.first
                found.append(_unreadable(first, told.sequence))
                store.note_flaws(ledger.key, found[-1:])
            break
        seen = [last] if last else []
        verdict = verify(raws, [*seen, *_signed(store, ledger.key, raws, key)], _keys(key))
        found += verdict.flaws
        if any(flaw.kind is not FlawKind.MISSING for flaw in verdict.flaws):
            store.note_flaws(ledger.key, verdict.flaws)
            return new, tuple(found), True
        new += store.add(ledger.key, raws, verdict.flaws)
        last = verdict.head
        assert last is not None
        progress(last.sequence - begun, max(told.sequence, last.sequence) - begun)
        if last.sequence == told.sequence and last != told.head:
            found.append(_contradicts(told.sequence))
            store.note_flaws(ledger.key, found[-1:])
            return new, tuple(found), True
    return new, tuple(found), False


def _exchanged(source: Source, told: Head, ledger: KnownLedger, store: LedgerStore) -> Flaw | None:
    """Whether the device's ledger is another one than that in the records, or was cut."""
    last = ledger.head
    if last is None:
        return None
    if told.sequence >= last.sequence:
        if told == last:
            return None
        rows = _parsed(source.ledger_records(last.sequence))
        if not rows or rows[0].sequence != last.sequence or rows[0].chain == last.chain:
            return None  # as it was, or overwritten meanwhile; then what follows is checked
    elif (ours := store.row(ledger.key, told.sequence)) and ours.chain == told.chain:
        text = (
            f"The ledger was seen up to record {last.sequence} and ends at {told.sequence}: its"
            f" tail is cut off, so {_OUT}."
        )
        return Flaw(FlawKind.CUT, last.sequence, text)
    same = _same_up_to(source, min(told.sequence, last.sequence), ledger, store)
    if same:
        text = f"The ledger was rewritten after record {same}; {_OUT}."
        return Flaw(FlawKind.LINK, same + 1, text)
    text = (
        "The device has another ledger than the one seen before: its flash was exchanged or its"
        " ledger made anew; if service did that, run mesodrive ledger fetch --new, and otherwise"
        f" {_OUT}."
    )
    return Flaw(FlawKind.OTHER, last.sequence, text)


def _same_up_to(source: Source, end: int, ledger: KnownLedger, store: LedgerStore) -> int:
    """The last record, before `end`, that is the same on the device and here; 0 for none. As each
    chain holds all before it, what is the same is a beginning."""
    same = low = 0
    high = end
    while high - low > 1:
        middle = (low + high) // 2
        rows = _parsed(source.ledger_records(middle))
        theirs = rows[0].chain if rows and rows[0].sequence == middle else None
        ours = store.row(ledger.key, middle)
        if ours is None or theirs is None:
            low = middle  # one of the two does not have it any more
        elif ours.chain == theirs:
            same = low = middle
        else:
            high = middle
    return same


def _parsed(raws: Sequence[bytes]) -> list[Row]:
    rows: list[Row] = []
    for raw in raws:
        try:
            rows.append(Row.parse(raw))
        except ValueError:
            break
    return rows


def _signed(
    store: LedgerStore, ledger: int, raws: Sequence[bytes], key: HostKey | None
) -> list[Head]:
    """The heads, older than this page, that our countersignatures in it are about."""
    heads: list[Head] = []
    for row in _parsed(raws):
        event = row.event
        if key and isinstance(event, Countersigned) and event.key == key.number:
            about = store.row(ledger, event.sequence)
            if about:
                heads.append(Head(about.sequence, about.chain))
    return heads


def _is_signature(store: LedgerStore, ledger: int, head: Head, key: HostKey) -> bool:
    last = store.row(ledger, head.sequence)
    event = last and last.event
    return isinstance(event, Countersigned) and event.key == key.number


def _keys(key: HostKey | None) -> dict[int, bytes]:
    return {key.number: key.secret} if key else {}


def _unreadable(first: int, last: int) -> Flaw:
    text = f"Records {first} to {last} are missing; the device cannot read them."
    return Flaw(FlawKind.MISSING, first, text)


def _contradicts(sequence: int) -> Flaw:
    text = f"Record {sequence} is not what the device says that its ledger ends with; {_OUT}."
    return Flaw(FlawKind.LINK, sequence, text)
