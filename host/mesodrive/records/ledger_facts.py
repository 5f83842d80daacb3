"""A session as its device's ledger has it."""

from mesodrive.records.values import Amount, Count, Frozen


class LedgerDose(Frozen):
    """A dose of the device's ledger: what was announced, and what came of it. `end` is `known`,
    `resolved` when a person said so, or `in_doubt`, and then it counts in full."""

    number: Count
    planned_strikes: Count
    strikes: Count
    given_ul: Amount
    end: str


class SessionLedger(Frozen):
    """The same session as the device's ledger has it, as far as that was fetched.

    `complete` is whether all of it was fetched. `head_…` is where the ledger was last seen to
    end; `whole` is whether nothing was ever wrong with it, and `flaws` is what was.
    `unknown_shots` are recorded shots that the ledger does not have. `differences` are sentences
    about what the two do not agree on.
    """

    serial: str
    profile_record: Count
    complete: bool
    head_sequence: Count
    head_chain: str
    whole: bool
    flaws: tuple[str, ...]
    strikes: Count
    given_ul: Amount
    in_doubt_strikes: Count
    in_doubt_ul: Amount
    resolved_strikes: Count
    resolved_ul: Amount
    primed_ul: Amount
    unknown_shots: Count
    differences: tuple[str, ...]
    doses: tuple[LedgerDose, ...]
