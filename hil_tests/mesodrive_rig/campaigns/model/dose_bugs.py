"""Bugs in what is written down and told of doses, and in what follows from it."""

from mesodrive_rig.campaigns.seeded import Bug

_JOURNAL = "injector.journal:Journal."
_DELIVERY = "injector.delivery:Delivery."
_LOG = "injector.ledger.log:Log."
_OUTCOME = "number, begun, given_nl, how"
_TOTALS = "injector.ledger.totals:Totals."

BUGS = {
    "strikes begin before their intent": Bug(
        "strikes happened; the ledger says",
        (
            "injector.controller:Controller._begin_pull",
            "self._journal.announce(job, self.command, strikes, dose_nl)",
            "pass",
        ),
    ),
    "no outcome is written": Bug(
        "a dose is over and the ledger has no outcome",
        (f"{_JOURNAL}_write_outcome", f"self._try(self.ledger.outcome, {_OUTCOME})", "pass"),
    ),
    "a pull that was stopped is written as whole": Bug(
        "nl were given; the ledger says",
        (
            f"{_JOURNAL}_write_outcome",
            _OUTCOME,
            "number, begun, strikes * dose_nl or given_nl, how",
        ),
    ),
    "a priming that was stopped is written as whole": Bug(
        "nl were primed; the ledger says",
        (
            f"{_JOURNAL}_write_outcome",
            _OUTCOME,
            "number, begun, given_nl if strikes else dose_nl, how",
        ),
    ),
    "an outcome leaves its dose in doubt": Bug(
        "power was not cut and the ledger doubts",
        (f"{_TOTALS}_close", "!= number", "== entry[0]"),
    ),
    "a reset forgets what was announced": Bug(
        "power went in the middle of a dose and the ledger does not doubt",
        (
            "injector.ledger.ledger:Ledger.open",
            "ledger._was_on_ms",
            "ledger.totals.pending = []; ledger._was_on_ms",
        ),
    ),
    "what a cut spoilt is written over": Bug(
        "the flash is sound and the ledger is not",
        (f"{_LOG}_settle", "self._slot = min(self._slot + 1, ring.slots)", "self._slot = settled"),
        (f"{_LOG}_skip_spoilt_slots", "self._peeked == record.BLANK", "True"),
    ),
    "what is in doubt does not count": Bug(
        "what is in doubt does not count as given",
        (f"{_TOTALS}uncertain_strikes", "sum(", "0 * sum("),
        (f"{_TOTALS}uncertain_nl", "sum(", "0 * sum("),
    ),
    "a dose in doubt does not block the next": Bug(
        "runs though a dose has no known outcome",
        ("injector.commands:Commands._refuse_doubt", "if doubt:", "if False:"),
    ),
    "a dose that is not in doubt can be resolved": Bug(
        "a dose that was not in doubt is resolved",
        (
            "injector.ledger_requests:LedgerRequests._resolve",
            "in self._journal.in_doubt if dose[0] == number]",
            "in ((number, 1_000, 1 << 40),)]",
        ),
        (
            "injector.ledger.ledger:Ledger._close",
            "in self.pending",
            "in [*self.pending, (number, strikes, given_nl)]",
        ),
    ),
    "limits are not looked at": Bug(
        "are allowed",
        (f"{_JOURNAL}refuse_past_limits", "if more_nl and", "if False and"),
        (f"{_JOURNAL}allowed", "max(0, left_nl) // dose_nl", "strikes"),
    ),
    "a session begins with each profile": Bug(
        ", the device tells",
        (f"{_JOURNAL}loaded", "int(self.was_out)", "1"),
        (f"{_JOURNAL}refuse_past_limits", "and self.was_out", ""),
    ),
    "a cartridge that was taken out, and another put in, is used": Bug(
        "with a cartridge that was put in after",
        ("injector.commands:Commands._refuse_exchanged", "if self._journal.was_out:", "if False:"),
    ),
    "a stopped strike is not counted": Bug(
        "strikes happened and the device tells",
        (
            f"{_DELIVERY}_end_under_way",
            "self._add(start, outcome, steps, made, out, None, why)",
            "pass",
        ),
    ),
    "a strike that was stopped is told as whole": Bug(
        ", told as", ("injector.reports:Reports.add", "= audit", "= steps")
    ),
    "what is primed is told as given": Bug(
        "nl were given, ", (f"{_DELIVERY}delivered_nl", "self._given_steps", "self._pushed_steps")
    ),
    "what is primed is told as left": Bug(
        "nl are left, ", (f"{_DELIVERY}left_nl", "self._pushed_steps", "self._given_steps")
    ),
    "what is left is not looked at": Bug(
        "nl more were given than was filled",
        (
            "injector.commands:Commands.arm",
            "needed > self._left() + delivery.meter.nl(1)",
            "False",
        ),
        ("injector.commands:Commands.prime", "> job.left_nl", "> 1 << 40"),
        (
            "injector.controller:Controller._begin_pull",
            "job.left_nl + job.meter.nl(1) < dose_nl",
            "False",
        ),
    ),
}
