"""What a ledger makes of a list of deeds. Runs under CPython, and under MicroPython as

ledger_answers.py FILE: print what becomes of each list of deeds in FILE, as JSON.
"""

import json
import sys

from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger
from injector.ledger.errors import LedgerError

TOTALS = (
    "boots",
    "faults",
    "strikes",
    "delivered_nl",
    "uncertain_strikes",
    "uncertain_nl",
    "primed_nl",
    "session_strikes",
    "session_nl",
    "left_nl",
    "command",
    "pending",
)


def answers(deeds):
    """What each deed answered, and what the ledger and its flash held in the end."""
    flash = StandInFlash()
    clock = Clock()
    ledger = Ledger.create(flash, clock, b"seed")
    seen = []
    for what, *values in deeds:
        try:
            if what == "open":
                clock.ms = 0
                ledger = Ledger.open(flash, clock)
                answer = [list(note) for note in ledger.damage]
            elif what == "audit":
                answer = [list(ledger.audit()), [list(note) for note in ledger.damage]]
            elif what == "append":
                answer = ledger.append(values[0], **unpacked(values[1]))
            elif what == "outcome" or what == "resolve":
                close = getattr(ledger, what)
                answer = close(one_of(ledger.pending, values[0]), *values[1:3], values[3].encode())
            elif what == "intend":
                answer = ledger.intend(*values)
            elif what == "prepare":
                answer = ledger.prepare(*values)
            elif what == "wait":
                clock.ms += values[0]
                answer = ledger.hour_nl
            else:
                flash.data[values[0] // 8] ^= 1 << values[0] % 8
                answer = None
        except (LedgerError, ValueError) as error:
            answer = [type(error).__name__, str(error)]
        seen.append([answer, ledger.room, told(ledger)])
    return [seen, [bytes(raw).hex() for raw in ledger.records()], bytes(flash.data).hex()]


def told(ledger):
    sequence, chain = ledger.head
    totals = [getattr(ledger.totals, name) for name in TOTALS]
    return [sequence, chain.hex(), totals, [one.hex() for one in ledger.totals.cartridges]]


def one_of(pending, place):
    """The number of a pending intent; `place` itself if none is pending."""
    return pending[place % len(pending)][0] if pending else place


def unpacked(values):
    """Bytes come as hex."""
    return {
        name: bytes.fromhex(value) if isinstance(value, str) else value
        for name, value in values.items()
    }


if __name__ == "__main__":
    with open(sys.argv[1]) as file:  # noqa: PTH123
        print(json.dumps([answers(deeds) for deeds in json.load(file)]))
