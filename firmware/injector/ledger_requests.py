"""What a host may ask of the ledger: read it, countersign it, say what a dose in doubt gave, and
have one made where there is none."""

from injector.controller import FAULT, READY, SAFE
from injector.errors import Refusal
from injector.ledger.errors import LedgerError
from injector.link import LATER
from injector.params import only, text, whole
from mesodrive_wire import BAD_PARAMS, BUSY, LIMIT, WRONG_STATE

_ROWS_A_LINE = 12  # of 128 digits each
_NOTES_TOLD = 16  # of what is wrong with it
_WORD = 0xFFFFFFFF
_MAC_DIGITS = 32
_TOTALS = (
    "strikes",
    "delivered_nl",
    "primed_nl",
    "uncertain_strikes",
    "uncertain_nl",
    "session_strikes",
    "session_nl",
    "left_nl",
    "boots",
    "faults",
)


class LedgerRequests:
    """`commands` says in which state something is allowed and has the journal write; `start()`
    opens the ledger anew, and `seed()` is bytes that are others each time."""

    def __init__(self, journal, commands, control, start, seed):
        self._journal = journal
        self._commands = commands
        self._control = control
        self._start = start
        self._seed = seed
        self._reading = None  # (next sequence, erases so far, records to come)
        self._creating = None  # (a sector a turn, whom to tell)
        self.methods = {
            "ledger.head": self._head,
            "ledger.records": self._records,
            "ledger.countersign": self._countersign,
            "ledger.create": self._create,
            "dose.resolve": self._resolve,
        }

    def look(self) -> None:
        """Go on with what is being made."""
        if not self._creating:
            return
        sectors, answer = self._creating
        try:
            next(sectors)
            return
        except StopIteration:
            trouble = self._start()
        except LedgerError as error:
            trouble = str(error)
        self._creating = None
        if trouble:
            answer(None, Refusal(WRONG_STATE, trouble))
        else:
            answer(self._told_head(), None)

    def _head(self, params, _):
        only(params, ())
        self._want_ledger()
        return self._told_head()

    def _told_head(self):
        ledger = self._journal.ledger
        sequence, chain = ledger.head
        totals = {name: getattr(ledger.totals, name) for name in _TOTALS}
        totals["hour_nl"] = ledger.hour_nl
        totals["on_ms"] = ledger.on_ms
        return {
            "sequence": sequence,
            "chain": chain.hex(),
            "first": ledger.first,
            "room": ledger.room,
            "boot": ledger.totals.boots,
            "damage": [list(note) for note in ledger.damage[:_NOTES_TOLD]],
            "pending": [
                [number, strikes, dose_nl, int(number in ledger.announced)]
                for number, strikes, dose_nl in ledger.pending
            ],
            "totals": totals,
            "cartridges": [cartridge.hex() for cartridge in ledger.totals.cartridges],
        }

    def _records(self, params, _):
        self._commands.want_state(SAFE, READY, FAULT)
        only(params, ("first",))
        first = whole(params, "first", 1, _WORD)
        self._want_ledger()
        erases = self._journal.erases
        if self._reading and self._reading[:2] == (first, erases):
            records = self._reading[2]  # a host reads on: no need to look for the place
        else:
            records = self._journal.ledger.records(first)
        rows = []
        sequence = 0
        for raw in records:
            sequence = int.from_bytes(raw[4:8], "little")
            rows.append(raw.hex())
            if len(rows) == _ROWS_A_LINE:
                break
        self._reading = None
        if len(rows) == _ROWS_A_LINE:
            self._reading = (sequence + 1, erases, records)
        return {"rows": rows}

    def _countersign(self, params, _):
        self._commands.want_state(SAFE, READY, FAULT)
        only(params, ("sequence", "mac", "key"))
        self._want_ledger()
        sequence = whole(params, "sequence", 1, self._journal.ledger.head[0])
        digits = text(params, "mac", _MAC_DIGITS)
        key = whole(params, "key", 0, _WORD)
        try:
            mac = bytes.fromhex(digits)
        except ValueError:
            mac = b""
        if len(mac) * 2 != _MAC_DIGITS:
            raise Refusal(BAD_PARAMS, "mac must have %d hex digits." % _MAC_DIGITS)
        if self._journal.is_full:
            raise Refusal(BUSY, "The ledger is full; disarm, so that it can make room.")
        self._commands.write(self._journal.countersigned, sequence, mac, key)
        return {"sequence": self._journal.ledger.head[0]}

    def _resolve(self, params, _):
        self._commands.want_state(SAFE, FAULT)
        only(params, ("number", "strikes", "given_nl"))
        number = whole(params, "number", 1, _WORD)
        doses = [dose for dose in self._journal.in_doubt if dose[0] == number]
        if not doses:
            raise Refusal(LIMIT, "Dose %d is not in doubt; status tells which are." % number)
        _, most, dose_nl = doses[0]
        strikes = whole(params, "strikes", 0, most)
        given_nl = whole(params, "given_nl", 0, max(1, most) * dose_nl)
        self._commands.write(self._journal.resolve, number, strikes, given_nl)
        self._control.doubt_resolved()
        return {"in_doubt": [list(dose) for dose in self._journal.in_doubt]}

    def _create(self, params, answer):
        self._commands.want_state(FAULT)
        only(params, ())
        if not self._journal.trouble or self._journal.is_open:
            raise Refusal(WRONG_STATE, "There is a ledger already; a new one is not needed.")
        if self._creating:
            raise Refusal(BUSY, "The ledger is being made; wait.")
        sectors = self._journal.creating(self._seed())
        try:
            next(sectors)
        except LedgerError as error:
            raise Refusal(WRONG_STATE, str(error)) from None
        self._creating = (sectors, answer)
        return LATER

    def _want_ledger(self):
        if not self._journal.is_open:
            raise Refusal(WRONG_STATE, self._journal.trouble)
