"""A bit of memory that sticks is found, whichever it is."""

import pytest

from injector import selftest

pytestmark = pytest.mark.requirement("R2")


@pytest.mark.parametrize("sticks_at", [0, 1])
@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("place", [0, 1_023, 1_024, 2_047])
def test_each_bit_that_sticks_is_found(
    place: int, bit: int, sticks_at: int, monkeypatch: pytest.MonkeyPatch
):
    def stuck(view: bytearray) -> object:
        class View:
            def __setitem__(self, part: slice, value: bytes) -> None:
                view[part] = value
                if sticks_at:
                    view[place] |= 1 << bit
                else:
                    view[place] &= ~(1 << bit)

            def __getitem__(self, part: slice) -> bytes:
                return bytes(view[part])

        return View()

    monkeypatch.setattr(selftest, "memoryview", stuck, raising=False)
    assert not selftest.memory_holds(2_048)


def test_memory_that_is_not_there_does_not_hold(monkeypatch: pytest.MonkeyPatch):
    def none_left(_: int) -> bytearray:
        raise MemoryError

    monkeypatch.setattr(selftest, "bytearray", none_left, raising=False)
    assert not selftest.memory_holds(1_024)
