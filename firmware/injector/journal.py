"""What the application writes into the ledger, and what it asks of it: see docs/ledger.md.

Flash is written while nothing moves. A dose is announced by `announce`, right before it; all else
waits for `tend`, which is called when nothing does. An erase takes long: `tend` and `make_room`
erase only with the rail off.
"""

from injector import limits
from injector.errors import Refusal, Trouble
from injector.ledger import Ledger, record
from injector.ledger.errors import LedgerError, NoLedger
from injector.ledger.reader import LOST
from injector.ledger.totals import NO_CARTRIDGE
from mesodrive_wire import BAD_PARAMS, IN_DOUBT, LIMIT

_LEAST_ROOM = 60  # records that may follow without an erase, while nothing is loaded
_DOSE_ROOM = 4  # what a dose may take: intent, outcome, fault, and one to spare
_WAITING = 8  # faults that may wait to be written; a fault can follow another before a look
_OUT_MS = 1_000  # a cartridge that is not seen for so long was taken out; a contact bounces less
_LONGEST_PULLS = 100  # of a series that a person lets go and takes up again


class Journal:
    """`flash` is the ledger's; `uptime()` in ms. Until `open`, and after the flash has failed,
    `trouble` says why nothing can be written: no dose may be given then."""

    def __init__(self, flash, uptime):
        self.trouble: "str | None" = "The ledger has not been opened; restart the device."
        self.erases = 0  # since boot: what was read before one may be gone
        self.max_session_nl = limits.MAX_SESSION_NL
        self.max_hour_nl = limits.MAX_HOUR_NL
        self.is_missing = False  # there never was a ledger in this flash
        self._flash = flash
        self._uptime = uptime
        self._ledger: "Ledger | None" = None
        self._dose = None  # what was announced: (number, strikes, dose_nl, job)
        self._ended_by_fault = False  # that dose, whatever has been acknowledged since
        self._faults = []  # (code, state) that wait to be written
        self._out_since = None  # uptime since which the cartridge is not seen
        self._seen = True  # it was seen since a profile was loaded: only then can it be taken out
        self.was_out = False  # it was taken out since then
        self._in_use = b""  # the cartridge that was loaded and never out since, in this boot

    # the start

    def open(self, cause: int, image: int) -> "str | None":
        """Find the ledger and write down the start. Nothing may be live. None, or one sentence:
        why the device must not be used, or not before somebody has read it."""
        try:
            ledger = Ledger.open(self._flash, self._uptime)
            self._ledger = ledger
            while not ledger.prepare(_DOSE_ROOM):
                pass
            ledger.append(record.BOOT, cause=cause, image=image)
        except LedgerError as error:
            self.is_missing = isinstance(error, NoLedger)
            self.trouble = str(error)
            return self.trouble
        self.is_missing = False
        self.trouble = None
        lost = [note for note in ledger.damage if note[0] == LOST]
        if lost:
            return (
                "Records %d to %d of the ledger cannot be read, so more may have been given than "
                "it says; fetch it, then acknowledge." % lost[0][1:]
            )
        return None

    def creating(self, seed: bytes):
        """Make a ledger where there is none, a sector a turn; `open` it when it is over. Raises
        LedgerError, before anything is changed, when there is one."""
        return Ledger.creating(self._flash, seed)

    @property
    def ledger(self) -> Ledger:
        """Only asked for where there is no trouble, or where it was open before."""
        assert self._ledger
        return self._ledger

    @property
    def is_open(self) -> bool:
        """Whether there is a ledger to be read; it may have failed since."""
        return self._ledger is not None

    # what is asked

    @property
    def in_doubt(self) -> "list[tuple[int, int, int]]":
        """Number, strikes and dose_nl of each dose that was announced before this boot and has no
        outcome."""
        return self._ledger.uncertain if self._ledger else []

    @property
    def session_nl(self) -> int:
        """Into the skin since the session began, what is in doubt as if it had been given."""
        return self._ledger.totals.session_nl if self._ledger else 0

    @property
    def hour_nl(self) -> int:
        """The same within the last hour, see docs/ledger.md."""
        return self._ledger.hour_nl if self._ledger else 0

    @property
    def last_command(self) -> int:
        """The id of the last request that announced a dose, over all boots."""
        return self._ledger.totals.command if self._ledger else 0

    @property
    def doubt(self) -> "Refusal | None":
        """What to say while it is not known what an earlier dose gave."""
        for number, strikes, dose_nl in self.in_doubt:
            return Refusal(
                IN_DOUBT,
                "The device was cut off in dose %d, of up to %d nl; say with dose.resolve what "
                "was given." % (number, max(1, strikes) * dose_nl),
                {"number": number, "strikes": strikes, "dose_nl": dose_nl},
            )
        return None

    def refuse_past_limits(self, more_nl: int, profile_is_new: bool) -> None:
        """Refuse when `more_nl` would go past what may be given in a session or an hour. With a
        new profile a session may begin."""
        session_nl = self.session_nl
        if profile_is_new and self.was_out:
            session_nl = self._ledger.totals.uncertain_nl if self._ledger else 0
        for name, given_nl, most_nl, way_out in (
            ("session_nl", session_nl, self.max_session_nl, "put in a new cartridge"),
            ("hour_nl", self.hour_nl, self.max_hour_nl, "wait"),
        ):
            if more_nl and given_nl + more_nl > most_nl:
                raise Refusal(
                    LIMIT,
                    "%s would become %d and at most %d may be given; ask for less or %s."
                    % (name, given_nl + more_nl, most_nl, way_out),
                    {"name": name, "value": given_nl + more_nl, "limit": most_nl},
                )

    def refuse_used(self, cartridge: bytes) -> None:
        """Refuse a cartridge that was used, unless it is the one in use and was never out. While
        the device was off nobody saw whether it was."""
        used = self._ledger.totals.cartridges if self._ledger else []
        if cartridge in used and cartridge != self._in_use:
            raise Refusal(
                BAD_PARAMS,
                "The cartridge %s has been used; put in a new one." % cartridge.hex(),
            )

    # what is told

    def look(self, cartridge: bool, now_ms: int) -> None:
        """Whether a cartridge is seen now."""
        if cartridge:
            self._seen = True
            self._out_since = None
        elif not self._seen:
            pass  # still out, as it was when the profile was loaded
        elif self._out_since is None:
            self._out_since = now_ms
        elif now_ms - self._out_since >= _OUT_MS:
            self.was_out = True
            self._in_use = b""

    def loaded(self, profile) -> None:
        """A profile has been loaded, the rail is off. Raises Trouble."""
        if profile.goes_on and profile.burst == 1:
            pulls = min(profile.shots, _LONGEST_PULLS)
        else:
            pulls = -(-profile.shots // profile.a_pull)
        most = self.ledger.most_room // 2  # the other half is what has been
        self._make_room(min(most, _DOSE_ROOM + 3 + 2 * pulls))
        new_session = int(self.was_out)
        self._append(
            record.PROFILE,
            profile=int(profile.id, 16),
            mode=profile.mode.encode(),
            shots=profile.shots,
            dose_nl=profile.dose_nl,
            depth_um=profile.depth_um,
            new_session=new_session,
        )
        self._seen = self._out_since is None
        self.was_out = False
        if profile.cartridge != NO_CARTRIDGE:
            self._in_use = profile.cartridge
        self._append(record.SYRINGE, fill_nl=profile.fill_nl, nl_per_mm=profile.nl_per_mm)
        self._append(
            record.CARTRIDGE,
            cartridge=profile.cartridge,
            needles=profile.needles,
            length_um=profile.cartridge_um,
        )

    @property
    def is_full(self) -> bool:
        """Whether no dose can be announced before there is more room."""
        return self.ledger.room < _DOSE_ROOM

    def allowed(self, strikes: int, dose_nl: int) -> "tuple[int, str]":
        """How many of the strikes stay within the limits, and which limit is the nearer."""
        left_nl, why = min(
            (self.max_session_nl - self.session_nl, "no more may be given in this session"),
            (self.max_hour_nl - self.hour_nl, "no more may be given in this hour"),
        )
        return (min(strikes, max(0, left_nl) // dose_nl) if dose_nl else strikes), why

    def announce(self, job, command: int, strikes: int, dose_nl: int) -> None:
        """Write down that at most `strikes` of `dose_nl` follow; no strikes is priming.

        Nothing may move before this returns; `job` says afterwards what was given. Raises Trouble.
        """
        self._write_outcome(False)
        number = self._try(self.ledger.intend, command, strikes, dose_nl)
        job.mark()
        self._dose = (number, strikes, dose_nl, job)
        self._ended_by_fault = False

    def faulted(self, code: str, state: str) -> None:
        """An alarm has stopped the machine; it is written down by the next `tend`."""
        self._ended_by_fault = True
        if len(self._faults) < _WAITING:
            self._faults.append((code.encode(), state.encode()))

    def tend(self, rail_off: bool, faulted: bool) -> bool:
        """Write what waits; nothing moves now. With the rail off, make room besides. `faulted`: a
        dose was ended by a fault. Whether something was written. Raises Trouble."""
        if self.trouble:
            return False
        if rail_off and self.ledger.room < _LEAST_ROOM:
            self._erase_one(_LEAST_ROOM)
        wrote = bool(self._dose or self._faults)
        self._write_outcome(faulted)
        while self._faults:
            code, was = self._faults[0]
            self._append(record.FAULT, code=code, state=was)
            self._faults.pop(0)
        return wrote

    def resolve(self, number: int, strikes: int, given_nl: int) -> None:
        """A person says what a dose in doubt gave. Raises Trouble."""
        self._try(self.ledger.resolve, number, strikes, given_nl, b"person")

    def countersigned(self, sequence: int, mac: bytes, key: int) -> None:
        """A host has seen the ledger up to `sequence`. Raises Trouble."""
        self._append(record.COUNTERSIGNED, sequence=sequence, mac=mac, key=key)

    def changed(self, what: str, was: int, becomes: int) -> None:
        """Service is about to change something. Raises Trouble."""
        self._make_room(1)
        self._append(record.CHANGE, what=what.encode(), was=was, becomes=becomes)

    # within

    def _write_outcome(self, faulted):
        if not self._dose:
            return
        number, strikes, dose_nl, job = self._dose
        begun, given_nl = job.since_mark()
        pushed = given_nl + job.step_nl > dose_nl  # of a priming, in whole steps
        done = begun == strikes and not job.cut if strikes else pushed
        how = b"fault" if faulted or self._ended_by_fault else b"done" if done else b"stopped"
        self._dose = None
        self._try(self.ledger.outcome, number, begun, given_nl, how)

    def _append(self, kind, **values):
        self._try(self.ledger.append, kind, **values)

    def _make_room(self, records):
        while self.ledger.room < records:
            self._erase_one(records)

    def _erase_one(self, records):
        self.erases += 1
        self._try(self.ledger.prepare, records)

    def _try(self, work, *values, **named):
        try:
            return work(*values, **named)
        except LedgerError as error:
            self.trouble = str(error)
            raise Trouble("ledger", self.trouble) from None
