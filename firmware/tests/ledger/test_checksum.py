"""One wrong bit of anything short is found by its checksum, and nothing else is touched."""

import binascii
import struct

import pytest

from injector.ledger import checksum

pytestmark = pytest.mark.requirement("R17")

END = 20


def sealed() -> bytearray:
    data = bytearray(range(1, END + 1)) + bytearray(4) + bytearray(b"more")
    checksum.seal(data, END)
    return data


def test_the_checksum_is_the_crc_of_what_is_before_it():
    data = sealed()
    assert (
        data == bytes(range(1, END + 1)) + struct.pack("<I", binascii.crc32(data[:END])) + b"more"
    )
    assert checksum.is_sealed(data, END)


@pytest.mark.parametrize("bit", range(8 * (END + 4)))
def test_each_wrong_bit_is_found_and_turned_back(bit: int):
    data = sealed()
    good = bytes(data)
    data[bit // 8] ^= 1 << bit % 8
    assert not checksum.is_sealed(data, END)
    assert checksum.mend(data, END) == (bit // 8, 1 << bit % 8)
    assert data == good


@pytest.mark.parametrize("bits", [(), (0, 1), (7, 100), (160, 161), (191, 3)])
def test_what_is_whole_or_has_more_wrong_bits_is_left(bits: tuple[int, ...]):
    data = sealed()
    for bit in bits:
        data[bit // 8] ^= 1 << bit % 8
    spoilt = bytes(data)
    assert checksum.mend(data, END) is None
    assert data == spoilt
