"""Adds to an image in UF2 form what it must know of itself: how long it is, and its checksum.

UF2 is blocks of 512 bytes (github.com/microsoft/uf2): a header of eight words, 476 bytes of data
of which 256 count, a closing word. The note takes one page at a place that the board names.
"""

import struct
from zlib import crc32

_BLOCK = 512
_HEADER = struct.Struct("<8I")
_PAGE = 256
_MAGIC = b"mesodrv1"  # a note: magic, bytes of the image, CRC-32 of those


def note(raw: bytes) -> bytes:
    """What is written about the image `raw`."""
    return _MAGIC + struct.pack("<II", len(raw), crc32(raw))


def with_note(packed: bytes, raw: bytes, address: int) -> bytes:
    """The UF2 file `packed` of the image `raw`, and its note at `address` of the chip."""
    blocks = [packed[at : at + _BLOCK] for at in range(0, len(packed), _BLOCK)]
    one = blocks[-1]
    header = list(_HEADER.unpack_from(one))
    header[3:5] = address, _PAGE
    page = note(raw).ljust(_PAGE, b"\xff")
    blocks.append(_HEADER.pack(*header) + page.ljust(476, b"\0") + one[-4:])
    return b"".join(_numbered(block, n, len(blocks)) for n, block in enumerate(blocks))


def _numbered(block: bytes, number: int, of: int) -> bytes:
    header = list(_HEADER.unpack_from(block))
    header[5:7] = number, of
    return _HEADER.pack(*header) + block[_HEADER.size :]
