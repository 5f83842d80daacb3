"""What can go wrong in the chip and in its program, done from outside to the image that ships.

Core, memory and peripherals of the emulated chip are taken hold of; nothing in the image is made
for it. A reset ends all of them but a flash that fails.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rp2040py.irq import IRQ

from mesodrive.errors import MesodriveError
from mesodrive_rig.emulated.chip import Chip

_HARD_FAULT = 3  # exception number: it outranks every interrupt
_SPARE_RAM = 0x20040000  # the first scratch bank: the image leaves it empty
_WAIT_FOREVER = (0xBF30, 0xE7FD)  # wfi; back to the wfi
_LOOP_FOREVER = (0xE7FE,)  # a branch to itself
_UNUSED_GPIO = 23  # on no pin of the board; nobody handles its interrupt
_ALL_EVENTS = 0xF
_LOCK_DEPTH = 8  # of mp_state_ctx: gc_lock_depth, a halfword
_HEAP_BLOCK = 16  # bytes of the heap, two bits of its table
_BLOCKS_A_BYTE = 4
_RETRY_NS = 100.0
_WATCHDOG_CTRL = 0x40058000
_SYMBOL = struct.Struct("<IIIBBH")
_SECTION = struct.Struct("<10I")
_SYMBOL_TABLE = 2  # section type


class ChipFaults:
    """Breaks `chip`. `elf` is the image with its symbols, where the build leaves it."""

    def __init__(self, chip: Chip, elf: Path):
        self._chip = chip
        self._mcu = chip.mcu
        self._core: Any = chip.mcu.core
        self._elf = elf

    # the program

    def lock_up(self) -> None:
        """The core stands still and takes no interrupt; everything else goes on."""
        self._core.pm = True
        self._core.ipsr = _HARD_FAULT
        self._core.waiting = True

    def hang(self) -> None:
        """The program never comes back to its loop; interrupts are still served."""
        self._jump(_WAIT_FOREVER, masked=False)

    def spin(self) -> None:
        """The program runs in a circle with interrupts off."""
        self._jump(_LOOP_FOREVER, masked=True)

    def storm(self) -> None:
        """An interrupt that nobody takes back: its handler is all that runs."""
        self._mcu.gpio[_UNUSED_GPIO].irq_force_mask = _ALL_EVENTS
        self._mcu.update_io_interrupt()

    def fill_memory(self) -> None:
        """Every allocation fails from now on, as with a full heap and nothing to collect."""
        address = symbol(self._elf, "mp_state_ctx") + _LOCK_DEPTH
        depth = self._mcu.read_uint16(address)
        self._mcu.write_uint16(address, depth + 2)

    def squeeze_memory(self, left: int) -> None:
        """The heap ends `left` bytes above the last block in use: what is free is in the gaps."""
        start = symbol(self._elf, "__GcHeapStart")
        area = symbol(self._elf, "mp_state_ctx")
        while self._mcu.read_uint32(area) != start:  # gc_alloc_table_start of its memory area
            area += 4
        size = self._mcu.read_uint32(area + 4)
        while not self._mcu.read_uint8(start + size - 1):
            size -= 1
        size += left // _HEAP_BLOCK // _BLOCKS_A_BYTE
        self._mcu.write_uint32(area + 4, min(size, self._mcu.read_uint32(area + 4)))

    def bite(self) -> None:
        """The watchdog resets the chip."""
        self._mcu.write_uint32(_WATCHDOG_CTRL, 1 << 31)  # TRIGGER

    # parts of the chip

    def deafen(self, irq: IRQ) -> None:
        """An interrupt line is dead."""
        self._core.enabled_interrupts &= ~(1 << irq) & 0xFFFFFFFF

    def stop_machine(self, block: int, number: int) -> None:
        """A PIO state machine stands still; its pins keep their level."""
        base = (0x50200000, 0x50300000)[block]
        self._mcu.write_uint32(base + 0x3000, 1 << number)  # CTRL, clear alias

    def stop_dma(self) -> None:
        """No DMA channel hands over anything any more."""
        for channel in range(12):
            self._mcu.write_uint32(0x50000000 + 0x40 * channel + 0x3010, 1)  # EN, clear alias

    def leap_timer(self, before_wrap_us: float) -> None:
        """Set the µs timer so that its low word wraps in `before_wrap_us`."""
        timer: Any = self._mcu.timer
        to_go_us = 2**32 - timer._micros() % 2**32
        timer._epoch_nanos -= 1000 * (to_go_us - before_wrap_us)

    def _jump(self, code: tuple[int, ...], *, masked: bool) -> None:
        for number, halfword in enumerate(code):
            self._mcu.write_uint16(_SPARE_RAM + 2 * number, halfword)
        self._in_thread(lambda: self._send_off(masked=masked))

    def _send_off(self, *, masked: bool) -> None:
        self._core.waiting = False
        self._core.pm = masked
        self._core.pc = _SPARE_RAM

    def _in_thread(self, change: Callable[[], None]) -> None:
        """Do it as soon as no interrupt is being served."""
        if self._core.ipsr:
            later = self._chip.now_ns + _RETRY_NS
            self._chip.call_at(later, lambda: self._in_thread(change))
        else:
            change()


def symbol(elf: Path, name: str) -> int:
    """The address of a symbol of a 32-bit little-endian ELF file.

    Raises MesodriveError when there is no such file or symbol.
    """
    if not elf.is_file():
        raise MesodriveError(f"There is no {elf}; build it with make firmware.")
    image = elf.read_bytes()
    (sections_at,) = struct.unpack_from("<I", image, 0x20)
    size, count = struct.unpack_from("<HH", image, 0x2E)
    sections: list[tuple[int, ...]] = [
        _SECTION.unpack_from(image, sections_at + size * n) for n in range(count)
    ]
    for section in sections:
        _, kind, _, _, start, length, names = section[:7]
        if kind != _SYMBOL_TABLE:
            continue
        strings = sections[names][4]
        for at in range(start, start + length, _SYMBOL.size):
            name_at, value, *_ = _SYMBOL.unpack_from(image, at)
            end = image.index(b"\0", strings + name_at)
            if image[strings + name_at : end] == name.encode():
                return value
    raise MesodriveError(f"{elf} has no symbol {name}; build it anew with make firmware.")


def find_elf(root: Path) -> Path:
    """Where the build leaves the image's symbols."""
    found = sorted(root.glob("build/toolchain/*/rp2-pico/firmware.elf"))
    return found[-1] if found else root / "build/toolchain/rp2-pico/firmware.elf"
