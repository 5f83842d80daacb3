"""Parts of the chip's flash, and the watchdog that must be patient while it is erased.

No interrupt is served while the flash is busy and no code in it runs: whoever programs or erases
must know that nothing moves. Programs keep the chip dead for 0.4 ms (3 at most), an erase for
45 ms (400 at most): W25Q16JV data sheet.
"""

import struct

import machine
import rp2
import uctypes

_SECTOR = 4096
_PAGE = 256  # the boot ROM programs whole pages and nothing less
_UNCHANGED = b"\xff" * _PAGE  # what leaves a page as it is
_ERASE = 6  # ioctl
_SECTORS = 4  # ioctl: how many there are
_ERASE_MS = 1_000  # longer than any erase
_NOTE = b"mesodrv1"


class Watchdog:
    """Resets the chip when nobody feeds it. Off until `start`, and then for good."""

    def __init__(self):
        self._timer = None
        self._timeout_ms = 0

    def start(self, timeout_ms):
        self._timeout_ms = timeout_ms
        self._timer = machine.WDT(timeout=timeout_ms)

    def feed(self):
        if self._timer:
            self._timer.feed()

    def wait(self, ms):
        """Let up to `ms` pass unfed, once, for work that cannot be divided; then `start` again."""
        if self._timer:
            machine.WDT(timeout=ms)

    def go_on(self):
        """The work is done."""
        if self._timer:
            machine.WDT(timeout=self._timeout_ms)


class Image:
    """The image that runs, in the flash that begins at `flash` of the address space, and what its
    note `note` bytes further says of it (boards/toolchain/uf2.py): `size` in bytes, `crc`. Without
    a note `size` is 0."""

    def __init__(self, flash, note):
        magic, size, crc = struct.unpack("<8sII", uctypes.bytearray_at(flash + note, 16))
        self.size = size if magic == _NOTE and size <= note else 0
        self.crc = crc
        self._flash = flash

    def part(self, at, size):
        """`size` bytes of it from `at` on, as they are in flash."""
        return uctypes.bytearray_at(self._flash + at, size)


class Region:
    """`size` bytes of flash from `start` on, both counted from the first byte of a flash of
    `flash_size` and whole sectors; they must lie within what MicroPython would use for files."""

    sector = _SECTOR
    page = _PAGE

    def __init__(self, flash_size, start, size, watchdog):
        sectors = rp2.Flash().ioctl(_SECTORS, 0) or 0
        start -= flash_size - sectors * _SECTOR  # files end where the flash ends
        self.size = size
        self._flash = rp2.Flash(start=start, len=size)  # pyright: ignore  # missing in the stubs
        self._watchdog = watchdog
        self._whole_page = bytearray(_PAGE)

    def read(self, address, buffer):
        """Fill `buffer` from `address` on."""
        self._flash.readblocks(0, buffer, address)

    def program(self, address, data):
        """Turn bits to 0, within one page; where `data` is not, nothing changes."""
        page = self._whole_page
        page[:] = _UNCHANGED
        at = address % _PAGE
        page[at : at + len(data)] = data
        self._flash.writeblocks(0, page, address - at)

    def erase(self, address):
        """Turn a sector to 0xFF. The rail must be off: an erase may outlast the dead-man."""
        self._watchdog.wait(_ERASE_MS)
        self._flash.ioctl(_ERASE, address // _SECTOR)
        self._watchdog.go_on()
