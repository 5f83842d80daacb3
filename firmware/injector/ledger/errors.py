"""What the ledger says no with. Each text is one sentence with cause and way out."""


class LedgerError(Exception):
    """The ledger cannot do what it was asked."""


class NoLedger(LedgerError):
    """The flash is new: every byte is 0xFF."""


class Unreadable(LedgerError):
    """The flash holds something else than one whole ledger. Nothing was changed."""


class Full(LedgerError):
    """There is no room: `prepare` must run first. Nothing was changed."""


class Unresolved(LedgerError):
    """Too many doses have no known outcome. Nothing was changed."""


class FlashFault(LedgerError):
    """The flash did not take what was written. The ledger must be opened again."""
