"""What follows from the records: what was given, what is left, what is still uncertain.

An intent without an outcome counts as delivered in full wherever a limit is asked.
"""

import struct

from injector.ledger import record

PENDING_AT_MOST = 4  # intents without outcome
CARTRIDGES = 8  # the last used ones that are remembered

# The last hour is kept by slices of ten minutes, the one under way and the six before it.
_SLICE_MS = 600_000
_SLICES = 7
_MOST = 0xFFFFFFFF  # a slice, or the strikes of a session, stay there; far above any limit

_SUMS = "<IIQQQQQIQII%dI" % _SLICES
_PENDING_AT = struct.calcsize(_SUMS)
_PENDING = "<III"
_PENDING_SIZE = struct.calcsize(_PENDING)
_CARTRIDGES_AT = _PENDING_AT + PENDING_AT_MOST * _PENDING_SIZE
_CARTRIDGE_SIZE = 8
NO_CARTRIDGE = bytes(_CARTRIDGE_SIZE)  # one that has no number; it is not remembered
SIZE = _CARTRIDGES_AT + CARTRIDGES * _CARTRIDGE_SIZE


class Totals:
    """Sums over all records; `apply` adds one, `store` and `load` carry them over a sector."""

    def __init__(self):
        self.boots = 0
        self.faults = 0
        self.on_ms = 0  # at the last record
        self.command = 0  # id of the last one that announced a dose
        self.known_strikes = 0
        self.known_nl = 0  # into the skin, by outcomes
        self.primed_nl = 0
        self.pending = []  # (number, strikes, dose_nl)
        self.cartridges = []  # the last used, the youngest at the end
        self._session_strikes = 0
        self._session_nl = 0
        self._left_nl = 0
        self._slice = 0  # which one is the youngest
        self._slices = [0] * _SLICES

    @property
    def uncertain_strikes(self) -> int:
        return sum(strikes for _, strikes, _ in self.pending)

    @property
    def uncertain_nl(self) -> int:
        """Into the skin, by intents whose outcome is not known."""
        return sum(strikes * dose_nl for _, strikes, dose_nl in self.pending)

    @property
    def strikes(self) -> int:
        return self.known_strikes + self.uncertain_strikes

    @property
    def delivered_nl(self) -> int:
        return self.known_nl + self.uncertain_nl

    @property
    def session_strikes(self) -> int:
        """Since the session began."""
        return self._session_strikes + self.uncertain_strikes

    @property
    def session_nl(self) -> int:
        """Since the session began."""
        return self._session_nl + self.uncertain_nl

    @property
    def left_nl(self) -> int:
        """Liquid in the syringe in use, at least."""
        out_nl = sum(max(1, strikes) * dose_nl for _, strikes, dose_nl in self.pending)
        return max(0, self._left_nl - out_nl)

    def hour_nl(self, on_ms: int) -> int:
        """Into the skin within the last 60 to 70 minutes that the device was on."""
        now = on_ms // _SLICE_MS
        first = max(0, now - _SLICES + 1)
        slices = range(max(first, self._slice - _SLICES + 1), self._slice + 1)
        return sum(self._slices[n % _SLICES] for n in slices) + self.uncertain_nl

    def apply(self, raw) -> None:
        """Add a record that is whole."""
        kind, boot, on_ms, values = record.read(raw)
        self.boots = boot
        self.on_ms = on_ms
        if kind == record.INTENT:
            self.command, strikes, dose_nl = values
            self.pending.append((record.sequence_of(raw), strikes, dose_nl))
        elif kind in (record.OUTCOME, record.RESOLVED):
            number, planned_strikes, _, strikes, given_nl, _ = values
            self._close(number, given_nl)
            if planned_strikes:
                self._give(on_ms, strikes, given_nl)
            else:
                self.primed_nl += given_nl
        elif kind == record.PROFILE:
            if values[5]:
                self._session_strikes = self._session_nl = 0
        elif kind == record.SYRINGE:
            self._left_nl = values[0]
        elif kind == record.CARTRIDGE and values[0] != NO_CARTRIDGE:
            self._use(values[0])
        elif kind == record.FAULT:
            self.faults += 1

    def store(self, page, at: int) -> None:
        """Write the sums into `page` from byte `at` on."""
        struct.pack_into(
            _SUMS,
            page,
            at,
            self.boots,
            self.faults,
            self.on_ms,
            self.command,
            self.known_strikes,
            self.known_nl,
            self.primed_nl,
            self._session_strikes,
            self._session_nl,
            self._left_nl,
            self._slice,
            *self._slices,
        )
        for place, entry in enumerate(self.pending):
            struct.pack_into(_PENDING, page, at + _PENDING_AT + place * _PENDING_SIZE, *entry)
        for place, cartridge in enumerate(self.cartridges):
            start = at + _CARTRIDGES_AT + place * _CARTRIDGE_SIZE
            page[start : start + _CARTRIDGE_SIZE] = cartridge

    def load(self, page, at: int) -> None:
        """Take the sums from `page`; what was here before is forgotten."""
        (
            self.boots,
            self.faults,
            self.on_ms,
            self.command,
            self.known_strikes,
            self.known_nl,
            self.primed_nl,
            self._session_strikes,
            self._session_nl,
            self._left_nl,
            self._slice,
            *self._slices,
        ) = struct.unpack_from(_SUMS, page, at)
        self.pending = []
        for place in range(PENDING_AT_MOST):
            entry = struct.unpack_from(_PENDING, page, at + _PENDING_AT + place * _PENDING_SIZE)
            if entry[0]:
                self.pending.append(entry)
        self.cartridges = []
        for place in range(CARTRIDGES):
            start = at + _CARTRIDGES_AT + place * _CARTRIDGE_SIZE
            cartridge = bytes(page[start : start + _CARTRIDGE_SIZE])
            if cartridge != NO_CARTRIDGE:
                self.cartridges.append(cartridge)

    def _close(self, number, given_nl):
        self.pending = [entry for entry in self.pending if entry[0] != number]
        self._left_nl = max(0, self._left_nl - given_nl)

    def _give(self, on_ms, strikes, given_nl):
        self.known_strikes += strikes
        self.known_nl += given_nl
        self._session_strikes = min(_MOST, self._session_strikes + strikes)
        self._session_nl += given_nl
        now = on_ms // _SLICE_MS
        for n in range(max(self._slice + 1, now - _SLICES + 1), now + 1):
            self._slices[n % _SLICES] = 0
        self._slice = max(self._slice, now)
        place = self._slice % _SLICES
        self._slices[place] = min(_MOST, self._slices[place] + given_nl)

    def _use(self, cartridge):
        if cartridge in self.cartridges:
            self.cartridges.remove(cartridge)
        self.cartridges.append(cartridge)
        if len(self.cartridges) > CARTRIDGES:
            self.cartridges.pop(0)
