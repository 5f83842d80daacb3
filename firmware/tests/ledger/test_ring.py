"""Which sectors hold a head, and in which order one is made ready."""

import pytest
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger, checksum
from injector.ledger.ring import Ring

pytestmark = pytest.mark.requirement("R17")


def made() -> StandInFlash:
    flash = StandInFlash()
    Ledger.create(flash, Clock(), b"seed")
    return flash


def test_a_head_is_that_of_its_number_only():
    ring = Ring(made())
    assert [ring.head(number) is not None for number in range(7)] == [True, True] + [False] * 5
    youngest, numbers = ring.heads()
    assert numbers == {0: 0, 1: 1}
    assert youngest[4:8] == b"\1\0\0\0"
    assert [ring.is_ready(number) for number in range(5)] == [False, False, True, True, True]
    assert ring.mended == set()


@pytest.mark.parametrize("wrong_bits", [0, 1])
def test_a_page_of_something_else_is_no_head(wrong_bits: int):
    flash = made()
    page = bytearray(256)
    page[:4] = b"MDX\1"
    checksum.seal(page, 236)
    page[100] ^= wrong_bits
    flash.data[:256] = page
    ring = Ring(flash)
    assert ring.heads()[1] == {1: 1}
    assert ring.head(0) is None
    assert ring.mended == set()


def test_a_head_with_one_wrong_bit_is_taken_and_told():
    flash = made()
    flash.data[1024 + 50] ^= 2
    ring = Ring(flash)
    assert ring.heads()[1] == {0: 0, 1: 1}
    assert ring.mended == {1}


def test_a_flash_of_something_else_is_not_searched_for_wrong_bits(
    monkeypatch: pytest.MonkeyPatch,
):
    """That takes long for each page, and a device with such a flash would not get to its start."""
    flash = made()
    searched: list[int] = []
    monkeypatch.setattr(checksum, "mend", lambda _, at: searched.append(at))
    flash.data[:] = b"\x5a" * len(flash.data)
    assert Ring(flash).heads() == (None, {})
    assert searched == []
    flash.data[:4] = b"MDY\2"
    assert Ring(flash).heads() == (None, {})
    assert searched == []
    flash.data[:4] = b"MDY\1"  # one byte of the magic may be wrong
    Ring(flash).heads()
    assert searched == [236]


def test_a_sector_is_zeroed_in_front_erased_and_marked_at_last():
    flash = made()
    done: list[tuple[str, int, bytes]] = []
    program, erase = flash.program, flash.erase
    flash.program = lambda at, data: (done.append(("program", at, bytes(data))), program(at, data))
    flash.erase = lambda at: (done.append(("erase", at, b"")), erase(at))
    Ring(flash).make_ready(6)
    assert done == [
        ("program", 1024, bytes(256)),
        ("erase", 1024, b""),
        ("program", 1024 + 240, b"mesodrive erased"),
    ]


def test_a_flash_with_smaller_pages_is_refused():
    flash = StandInFlash()
    flash.page = 128
    with pytest.raises(ValueError, match="pages of 256 bytes"):
        Ring(flash)
    assert Ring(StandInFlash(4)).sectors == 4


def test_only_a_flash_of_nothing_but_ones_is_blank():
    for place in (0, 255, 256, 5 * 1024 - 1):
        flash = StandInFlash()
        assert Ring(flash).is_blank()
        flash.data[place] = 0xFE
        assert not Ring(flash).is_blank()


def test_a_ring_takes_four_sectors_at_least():
    assert Ring(StandInFlash(4)).sectors == 4
    with pytest.raises(ValueError, match="at least 4 sectors"):
        Ring(StandInFlash(3))
