"""What was made quicker in the emulated chip does to the bit what the emulator itself does."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rp2040py.execute_batch import execute_batch
from rp2040py.rp2040 import RP2040

from mesodrive_rig.emulated import chip
from mesodrive_rig.emulated.chip import Chip
from mesodrive_rig.emulated.chip_divider import Divider
from mesodrive_rig.emulated.rig import IMAGE

pytestmark = pytest.mark.hil

BOOTED_NS = 120e6
SIO = 0xD000_0000
DIVIDENDS, DIVISORS = (SIO + 0x60, SIO + 0x68), (SIO + 0x64, SIO + 0x6C)  # unsigned, signed
QUOTIENT, REMAINDER, CSR = SIO + 0x70, SIO + 0x74, SIO + 0x78
READY, DIRTY = 0b01, 0b10

EDGES = [0, 1, 2, 3, 7, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFE, 0xFFFF_FFFF]
words = st.sampled_from(EDGES) | st.integers(0, 0xFFFF_FFFF)


class OwnLoop:
    """The emulator's own loop in the place of ours."""

    def __init__(self, mcu: Any):
        self._simulator = mcu.simulator

    def run(self) -> None:
        self._simulator.stopped = False
        while not self._simulator.stopped:
            execute_batch(self._simulator, 1)

    def stop(self) -> None:
        self._simulator.stopped = True


def state(image: Path) -> tuple[object, ...]:
    """All that a program can see of a chip that has booted for a while."""
    booted = Chip(image)
    booted.power_on()
    booted.run_until(BOOTED_NS)
    core = booted.mcu.core
    return booted.now_ns, core.cycles, list(core.registers), bytes(booted.mcu.sram)


def test_a_boot_is_that_of_the_emulators_own_loop_and_divider(monkeypatch: pytest.MonkeyPatch):
    ours = state(IMAGE)
    monkeypatch.setattr(chip, "Loop", OwnLoop)
    monkeypatch.setattr(chip, "Divider", id)  # leaves the emulator its own
    assert ours == state(IMAGE)


@pytest.fixture(scope="module")
def mcu() -> Any:
    """A chip without a program, whose divider is ours."""
    made = RP2040()
    Divider(made)
    return made


def signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


@settings(max_examples=500, deadline=None)
@given(above=words, below=words, is_signed=st.booleans(), divisor_first=st.booleans())
def test_the_divider_divides_as_a_chip_does(
    mcu: Any, above: int, below: int, is_signed: bool, divisor_first: bool
):
    writes = [(DIVIDENDS[is_signed], above), (DIVISORS[is_signed], below)]
    for register, word in reversed(writes) if divisor_first else writes:
        mcu.write_uint32(register, word)
    assert mcu.read_uint32(CSR) == READY | DIRTY
    remainder, quotient = mcu.read_uint32(REMAINDER), mcu.read_uint32(QUOTIENT)
    assert mcu.read_uint32(CSR) == READY  # a quotient that is read is nobody's any more
    if is_signed:
        above, below, quotient, remainder = map(signed, (above, below, quotient, remainder))
    if below == 0:
        assert remainder == above
        assert quotient == (1 if above < 0 else -1 if is_signed else 0xFFFF_FFFF)
    elif (above, below) == (-(1 << 31), -1):  # 2^31 does not fit
        assert (quotient, remainder) == (-(1 << 31), 0)
    else:
        assert quotient * below + remainder == above
        assert abs(remainder) < abs(below)
        assert remainder == 0 or (remainder < 0) == (above < 0)  # it is cut towards zero


@given(above=words, below=words, between=words)
def test_an_interrupt_that_saves_the_divider_leaves_no_trace(
    mcu: Any, above: int, below: int, between: int
):
    mcu.write_uint32(DIVIDENDS[0], above)
    mcu.write_uint32(DIVISORS[0], below)
    saved = [mcu.read_uint32(register) for register in (DIVIDENDS[0], DIVISORS[0])]
    saved += [mcu.read_uint32(REMAINDER), mcu.read_uint32(QUOTIENT)]
    mcu.write_uint32(DIVIDENDS[1], between)
    mcu.write_uint32(DIVISORS[1], 3)
    for register, word in zip(
        (DIVIDENDS[0], DIVISORS[0], REMAINDER, QUOTIENT), saved, strict=True
    ):
        mcu.write_uint32(register, word)
    assert mcu.read_uint32(DIVIDENDS[0]) == above
    assert mcu.read_uint32(DIVISORS[0]) == below
    assert [mcu.read_uint32(REMAINDER), mcu.read_uint32(QUOTIENT)] == saved[2:]
    assert mcu.read_uint32(CSR) == READY


def test_a_reset_clears_the_divider_and_the_rest_of_its_block(mcu: Any):
    mcu.write_uint32(DIVIDENDS[0], 7)
    mcu.write_uint32(SIO + 0x14, 1 << 5)  # GPIO_OUT_SET
    assert mcu.read_uint32(SIO + 0x10) == 1 << 5
    mcu.sio.reset()
    assert [mcu.read_uint32(register) for register in (DIVIDENDS[0], DIVISORS[0])] == [0, 1]
    assert [mcu.read_uint32(register) for register in (QUOTIENT, REMAINDER)] == [0, 0]
    assert mcu.read_uint32(SIO + 0x10) == 0
