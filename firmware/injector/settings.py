"""What a site has set, kept through every power cut: keys, proofs, lock, limits, calibration.

The flash has two sectors. Each `save` appends a snapshot of everything, one page:

   0..3    "MDS" and the version of this layout
   4..7    sequence: 1, 2, 3 …
   8..11   which keys there are: bit 0 service's, bit 1 operator's; bit 2: the line was blocked
  12..75   both keys
  76..79   counter: proofs tried so far
  80..83   wrong proofs in a row, of service and of operator
  84..99   code of the alarm that locked the device; zeros when it is not locked
 100..187  the last alarms, 8 bytes each: CRC-32 of the code, age in s; zeros where there is none
 188..251  the values of VALUES, 4 bytes each; 0 is "as in the image"
 252..255  CRC-32 of bytes 0 to 251

The youngest whole snapshot counts. One that was cut never was: `open` makes sure that it stays
so, and that the one it found does. Bits of what was cut may read differently each time, even where
all seems blank: so the first `save` after a boot spoils a page before it takes the next. A sector
is erased only when the other one is full, and first written after an erase that came to its end.
"""

import struct

from injector.hmac import KEY_SIZE
from injector.ledger import checksum

PAGE = 256
SERVICE = "service"
OPERATOR = "operator"
ROLES = (SERVICE, OPERATOR)

# What a site may lower, then what it may measure; see site.py. Their order is that in flash.
LIMITS = ("depth_um", "dose_nl", "drip_nl", "prime_nl", "shots", "session_nl", "hour_nl")
CALIBRATION = ("depth_surface_um", "plunger_empty_um")
VALUES = LIMITS + CALIBRATION

ALARMS_KEPT = 11
_MAGIC = b"MDS\x01"
_FORMAT = "<4sII32s32sIHH16s"
_ALARMS_AT = 100
_VALUES_AT = 188
_CRC_AT = 252
_BLANK = b"\xff" * PAGE
_VOID = bytes(PAGE)
_MOST_FAILURES = 0xFFFF


class SettingsError(Exception):
    """The settings cannot be read or kept; one sentence with cause and way out."""


class Settings:
    """What is set. Change it, then `save`: all of it or nothing outlives a cut.

    `keys` has the key of each role that has one; `failures` the wrong proofs in a row of both;
    `locked_by` an alarm's code or ""; `blocked` says that the line was, and that no priming has
    shown it free since; `alarms` [CRC-32 of the code, age in s], oldest first;
    `values` what is set of VALUES.
    """

    def __init__(self, flash):
        self.keys = {}
        self.counter = 0
        self.failures = {SERVICE: 0, OPERATOR: 0}
        self.locked_by = ""
        self.blocked = False
        self.alarms = []
        self.values = {}
        self._flash = flash
        self._pages = flash.sector // PAGE
        self._sequence = 0
        self._place = 0  # page to be written next, through both sectors
        self._booted = False  # nothing has been saved since: a page may be half programmed
        self._sound = False  # what was written is known to be kept
        self._page = bytearray(PAGE)
        self._back = bytearray(PAGE)

    @property
    def claimed(self) -> bool:
        """Whether somebody has the key to change anything."""
        return SERVICE in self.keys

    def open(self) -> None:
        """Take what is in flash; a new one is given a first snapshot with nothing set.

        Raises SettingsError, and nothing can then be saved, when there is something else.
        """
        youngest, place = self._youngest()
        if youngest is None:
            self._begin()
            return
        self._take(youngest)
        self._sequence = _sequence(youngest)
        self._settle(youngest, place)
        self._place = place + 1
        self._booted = self._sound = True

    def save(self) -> None:
        """Keep all of it. Nothing may be live: when a sector is full the other one is erased,
        and meanwhile no interrupt is served. Raises SettingsError."""
        if not self._sound:
            raise SettingsError("The settings cannot be kept; restart the device.")
        self._sound = False
        if self._booted:
            self._pass_doubtful()
        if self._place % self._pages == 0:
            self._place %= 2 * self._pages
            self._erase(self._place)
        page = self._page
        self._pack(page)
        self._program(self._place, page)
        self._place += 1
        self._sequence += 1
        self._sound = True

    def holds(self) -> bool:
        """Whether the snapshot in use still reads as it was written."""
        page = self._read(self._place - 1)
        return self._sound and _is_whole(page) and _sequence(page) == self._sequence

    def _begin(self):
        """For a flash without a snapshot: it must be blank, but for a first one that was cut."""
        for place in range(1, 2 * self._pages):
            if self._read(place) != _BLANK:
                raise SettingsError(
                    "The settings in flash cannot be read; have service look after the device."
                )
        self._place = 0
        self._sound = True
        self.save()

    def _youngest(self):
        """(page, place) of the youngest whole snapshot, or (None, 0)."""
        youngest, found, highest = None, 0, 0
        for place in range(2 * self._pages):
            page = self._read(place)
            if not _is_whole(page):
                continue
            sequence = _sequence(page)
            if sequence >= highest:
                youngest, found, highest = bytearray(page), place, sequence
        return youngest, found

    def _settle(self, youngest, place):
        """Make sure of what was found, and that no snapshot that was cut is found later."""
        self._flash.program(place * PAGE, youngest)
        place += 1
        while place % self._pages:
            self._void(place)
            place += 1
        place %= 2 * self._pages  # in the other sector: an old snapshot, or a first one, cut
        page = self._read(place)
        if not (_is_whole(page) and _sequence(page) < self._sequence):
            self._void(place)

    def _void(self, place):
        if self._read(place) not in (_BLANK, _VOID):
            self._flash.program(place * PAGE, _VOID)

    def _pass_doubtful(self):
        while self._place % self._pages and self._read(self._place) == _VOID:
            self._place += 1
        if self._place % self._pages:
            self._flash.program(self._place * PAGE, _VOID)
            self._place += 1
        self._booted = False

    def _take(self, page):
        _, _, which, service, operator, counter, failed, failed_op, code = struct.unpack_from(
            _FORMAT, page, 0
        )
        self.keys = {}
        if which & 1:
            self.keys[SERVICE] = service
        if which & 2:
            self.keys[OPERATOR] = operator
        self.blocked = bool(which & 4)
        self.counter = counter
        self.failures = {SERVICE: failed, OPERATOR: failed_op}
        self.locked_by = code.rstrip(b"\x00").decode()
        self.alarms = []
        for at in range(_ALARMS_AT, _VALUES_AT, 8):
            alarm, age_s = struct.unpack_from("<II", page, at)
            if alarm:
                self.alarms.append([alarm, age_s])
        self.values = {}
        for number, name in enumerate(VALUES):
            value = struct.unpack_from("<I", page, _VALUES_AT + 4 * number)[0]
            if value:
                self.values[name] = value

    def _pack(self, page):
        page[:] = bytes(PAGE)
        no_key = bytes(KEY_SIZE)
        struct.pack_into(
            _FORMAT,
            page,
            0,
            _MAGIC,
            self._sequence + 1,
            (SERVICE in self.keys) + 2 * (OPERATOR in self.keys) + 4 * self.blocked,
            self.keys.get(SERVICE, no_key),
            self.keys.get(OPERATOR, no_key),
            self.counter,
            min(self.failures[SERVICE], _MOST_FAILURES),
            min(self.failures[OPERATOR], _MOST_FAILURES),
            self.locked_by.encode(),
        )
        for number, (alarm, age_s) in enumerate(self.alarms[-ALARMS_KEPT:]):
            struct.pack_into("<II", page, _ALARMS_AT + 8 * number, alarm, age_s)
        for number, name in enumerate(VALUES):
            struct.pack_into("<I", page, _VALUES_AT + 4 * number, self.values.get(name, 0))
        checksum.seal(page, _CRC_AT)

    def _erase(self, place):
        self._flash.erase(place * PAGE)
        for page in range(place, place + self._pages):
            if self._read(page) != _BLANK:
                raise SettingsError(
                    "The settings' flash does not erase; restart the device, and replace the "
                    "board if this comes again."
                )

    def _program(self, place, page):
        self._flash.program(place * PAGE, page)
        self._flash.read(place * PAGE, self._back)
        if self._back != page:
            # One wrong bit would be put right at the next start, and hold though it was refused.
            self._flash.program(place * PAGE, _VOID)
            raise SettingsError(
                "The settings' flash does not keep what is written; restart the device, and "
                "replace the board if this comes again."
            )

    def _read(self, place):
        self._flash.read(place * PAGE, self._page)
        return self._page


def _sequence(page):
    return struct.unpack_from("<I", page, 4)[0]


def _is_whole(page):
    """Whether a snapshot is; one wrong bit is put right in `page`."""
    if sum([page[at] != _MAGIC[at] for at in range(4)]) > 1:
        return False  # or each other page would be searched for its wrong bit
    sealed = checksum.is_sealed(page, _CRC_AT) or checksum.mend(page, _CRC_AT)
    return bool(sealed) and page[:4] == _MAGIC
