"""What is kept in flash, read again while nothing moves: a little of it at a time.

A bit that has turned over in the image may be a limit or the code that keeps it; one in the ledger
may be a dose. Nothing else would notice before it is used.
"""

import binascii
from array import array

from injector.ledger.reader import LOST, TWICE, UNLINKED

_PART = 2048  # bytes of the image at a time: 0.3 ms
_IMAGE = "the image in flash is not what was built and has to be flashed again"
_WRONG = (LOST, TWICE, UNLINKED)


class Audit:
    """`image` has size, crc and part(at, size); `journal` the ledger. See `look`."""

    def __init__(self, image, journal):
        self.broken = ""  # what no acknowledgement puts right
        self._image = image
        self._journal = journal
        self._at = 0
        self._crc = array("I", [0])  # or the memory in use would tell whether it is long just now
        self._walk = None  # through the ledger
        self._since = None  # the ledger's head, and how many erases, when the walk began
        self._before = []  # what was wrong with the ledger then

    def read_image(self) -> str:
        """Read all of the image: 90 ms. What is wrong with it; "" when nothing is."""
        image = self._image
        crc = 0
        for at in range(0, image.size, _PART):
            crc = binascii.crc32(image.part(at, min(_PART, image.size - at)), crc)
        if image.size and crc == image.crc:
            return ""
        self.broken = _IMAGE
        return _IMAGE

    def look(self) -> "tuple[str, str] | None":
        """Read on: 2 KiB of the image, one record. None, or an alarm's code and its sentence."""
        if self._image_ends_wrong():
            self.broken = _IMAGE
            return "selftest", "The self-test failed: %s." % _IMAGE
        sentence = self._ledger_ends_wrong()
        return ("ledger", sentence) if sentence else None

    def _image_ends_wrong(self):
        image = self._image
        size = min(_PART, image.size - self._at)
        crc = self._crc
        crc[0] = binascii.crc32(image.part(self._at, size), crc[0])
        self._at += size
        if self._at < image.size:
            return False
        wrong = crc[0] != image.crc
        self._at = crc[0] = 0
        return wrong

    def _ledger_ends_wrong(self):
        journal = self._journal
        if journal.trouble or not journal.is_open:
            self._walk = None
            return None
        ledger = journal.ledger
        # A record that came meanwhile may lie in a slot that was passed when it was blank, and
        # slots that were to be read may have been erased.
        now = ledger.head, journal.erases
        if not self._walk or self._since != now:
            self._walk = ledger.audit()
            self._since = now
            self._before = ledger.damage
        try:
            next(self._walk)
            return None
        except StopIteration:
            self._walk = None
        for what, first, last in ledger.damage:
            if what in _WRONG and (what, first, last) not in self._before:
                return (
                    "Records %d to %d of the ledger do not read as they were written; fetch it, "
                    "then acknowledge." % (first, last)
                )
        return None
