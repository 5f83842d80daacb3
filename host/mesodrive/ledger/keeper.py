"""Keeps the records in step with a device's ledger around a session: before it and after it."""

from dataclasses import dataclass

from mesodrive.device import Device
from mesodrive.errors import MesodriveError
from mesodrive.ledger.fetch import Fetched, fetch, sign
from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.join import strikes
from mesodrive.link.client import RefusedError
from mesodrive.records import LedgerMark, Records

_SETTLES_S = (
    2.0  # a pull's outcome is on flash this long after it is over, with an erase before it
)
_LOOK_S = 0.05


class LedgerError(MesodriveError):
    """A ledger with which no session may begin."""


@dataclass(frozen=True)
class Begun:
    """Where a session begins: after record `after` of that ledger. `notes` are what a person is
    to know of the ledger before anything moves."""

    ledger: int
    after: int
    notes: tuple[str, ...]

    def mark(self, profile: str) -> LedgerMark:
        """The same for the records; `profile` is the loaded one's id."""
        return LedgerMark(self.ledger, self.after, int(profile, 16))


class LedgerKeeper:
    """`key` is that with which this host countersigns."""

    def __init__(self, records: Records, key: HostKey):
        self._records = records
        self._store = records.ledgers
        self._key = key

    def before(self, device: Device) -> Begun:
        """Fetch what is new. Raises LedgerError when this is not the ledger seen before, or
        does not go on from it."""
        fetched = self._fetch(device)
        if fetched.refused:
            raise LedgerError(fetched.flaws[0].text)
        head = fetched.ledger.head
        return Begun(
            fetched.ledger.key,
            head.sequence if head else 0,
            (*(flaw.text for flaw in fetched.flaws), *self._contradiction(fetched.ledger.key)),
        )

    def after(self, device: Device) -> list[str]:
        """Fetch what a session has left and countersign it; return what was found wrong.

        Nothing may be live. Raises MesodriveError when the device or the records do.
        """
        until_s = device.client.port.now_s() + _SETTLES_S
        while any(dose.since_this_boot for dose in device.ledger_head().pending):
            if device.client.port.now_s() > until_s:
                break
            device.client.pump(_LOOK_S)
        fetched = self._fetch(device)
        found = [flaw.text for flaw in fetched.flaws]
        try:
            if sign(device, fetched, self._store, self._key):
                found += [flaw.text for flaw in self._fetch(device).flaws]
        except RefusedError as refusal:  # nobody is logged in any more; the next session signs
            found.append(f"The device's ledger was fetched and not countersigned: {refusal}")
        return found

    def _contradiction(self, ledger: int) -> list[str]:
        """Whether the session before recorded shots that the ledger does not have."""
        sessions = self._store.sessions(ledger)
        last = sessions[max(sessions)] if sessions else ""
        joined = self._records.joined(last) if last else None
        if joined is None or not joined.unknown_shots:
            return []
        return [
            f"The session before this one, {last[:8]}, recorded {strikes(joined.unknown_shots)}"
            " that the device's ledger does not have; stop and keep the device out of use until"
            " service has looked at it."
        ]

    def _fetch(self, device: Device) -> Fetched:
        return fetch(device, device.info.serial, self._store, self._key)
