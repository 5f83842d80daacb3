"""The ledger as the firmware sees it: doses announced before they move, then what came of them."""

from injector.ledger import record
from injector.ledger.errors import Unresolved
from injector.ledger.log import Log
from injector.ledger.totals import PENDING_AT_MOST, Totals


class Ledger:
    """One per flash region. Use `open` or `create`; `uptime_ms()` is the time since the boot.

    A method that raises leaves totals and records as they were.
    """

    def __init__(self, flash, uptime_ms):
        self.totals = Totals()
        self._log = Log(flash, self.totals)
        self._uptime_ms = uptime_ms
        self._boot = 1
        self._was_on_ms = 0  # up to this boot
        self._announced = []  # numbers of intents since this boot that have no outcome

    @classmethod
    def open(cls, flash, uptime_ms) -> "Ledger":
        """The ledger in `flash`. Raises NoLedger, Unreadable or FlashFault; erases nothing."""
        ledger = cls(flash, uptime_ms)
        ledger._log.open()
        ledger._boot = ledger.totals.boots + 1
        ledger._was_on_ms = ledger.totals.on_ms
        return ledger

    @classmethod
    def create(cls, flash, uptime_ms, seed: bytes) -> "Ledger":
        """A new ledger in a flash that holds none; all of it is erased, which takes seconds.

        `seed` should be another one each time. Raises Unreadable or FlashFault.
        """
        ledger = cls(flash, uptime_ms)
        for _ in ledger._log.creating(seed):
            pass
        return ledger

    @classmethod
    def creating(cls, flash, seed: bytes):
        """The same, a sector a turn; `open` it when it is over."""
        return cls(flash, lambda: 0)._log.creating(seed)

    @property
    def head(self) -> "tuple[int, bytes]":
        """Sequence of the last record, and the chain at it."""
        return self._log.sequence, self._log.chain

    @property
    def first(self) -> int:
        """Sequence of the oldest record that is still there."""
        return self._log.first

    @property
    def damage(self) -> "list[tuple[str, int, int]]":
        """What is wrong with the records from … to …; see reader.py."""
        return self._log.damage

    @property
    def pending(self) -> "list[tuple[int, int, int]]":
        """Number, strikes, dose_nl of each intent without outcome."""
        return self.totals.pending

    @property
    def announced(self) -> "list[int]":
        """The numbers of the pending ones of this boot."""
        return self._announced

    @property
    def uncertain(self) -> "list[tuple[int, int, int]]":
        """The pending ones of earlier boots: only a person can say what became of them."""
        return [intent for intent in self.pending if intent[0] not in self._announced]

    @property
    def hour_nl(self) -> int:
        """Into the skin within the last 60 to 70 minutes that the device was on."""
        return self.totals.hour_nl(self.on_ms)

    @property
    def on_ms(self) -> int:
        """How long the device has been on, all boots together."""
        return self._was_on_ms + self._uptime_ms()

    @property
    def room(self) -> int:
        """How many records can be appended before `prepare` must run."""
        return self._log.room

    @property
    def most_room(self) -> int:
        """What `prepare` can make room for at most."""
        return self._log.most_room

    def prepare(self, records: int) -> bool:
        """Erase one sector, the oldest, unless there is room for `records`; whether there is now.

        Call it while nothing is live: no interrupt is served meanwhile. Raises ValueError when the
        flash is too small for so many records, and FlashFault.
        """
        return self._log.prepare(records)

    def append(self, kind: int, **values) -> int:
        """Write a record that is neither an intent nor what became of one; return its sequence.

        Raises ValueError when the values do not fit the kind, Full or FlashFault.
        """
        if kind in (record.INTENT, record.OUTCOME, record.RESOLVED):
            raise ValueError("Use intend, outcome or resolve for this kind of record.")
        return self._append(kind, values)

    def intend(self, command: int, strikes: int, dose_nl: int) -> int:
        """Announce that at most `strikes` of `dose_nl` each may follow; return the number.

        No strikes is priming, with `dose_nl` in all. Nothing may move before this returns. Raises
        ValueError, Unresolved, Full or FlashFault.
        """
        if len(self.pending) >= PENDING_AT_MOST:
            raise Unresolved(
                "%d doses have no known outcome; resolve them before the next." % len(self.pending)
            )
        number = self._append(
            record.INTENT, {"command": command, "strikes": strikes, "dose_nl": dose_nl}
        )
        self._announced.append(number)
        return number

    def outcome(self, number: int, strikes: int, given_nl: int, how: bytes) -> None:
        """Say what became of an intent of this boot: strikes begun, volume of all together.

        Raises ValueError, Full or FlashFault.
        """
        if number not in self._announced:
            raise ValueError("Nobody knows the outcome of intent %d; resolve it." % number)
        self._close(record.OUTCOME, number, strikes, given_nl, how)

    def resolve(self, number: int, strikes: int, given_nl: int, how: bytes) -> None:
        """Say what a person decided about an intent without outcome.

        Raises ValueError, Full or FlashFault.
        """
        self._close(record.RESOLVED, number, strikes, given_nl, how)

    def records(self, first: int = 1):
        """The records from sequence `first` on that are still there, each as 64 bytes.

        Those that cannot be read are missing; the youngest may be appended meanwhile.
        """
        return self._log.records(first)

    def audit(self):
        """Read all records again, one a turn; in the end `damage` has what is new. Begin anew when
        one was appended meanwhile."""
        return self._log.audit()

    def _close(self, kind, number, strikes, given_nl, how):
        for intent, planned_strikes, planned_dose_nl in self.pending:
            if intent == number:
                values = {
                    "intent": number,
                    "planned_strikes": planned_strikes,
                    "planned_dose_nl": planned_dose_nl,
                    "strikes": strikes,
                    "given_nl": given_nl,
                    "how": how,
                }
                self._append(kind, values)
                if number in self._announced:
                    self._announced.remove(number)
                return
        raise ValueError("Intent %d is not without outcome." % number)

    def _append(self, kind, values):
        ordered = record.in_order(kind, values)
        self._log.append(kind, self._boot, self.on_ms, ordered)
        return self._log.sequence
