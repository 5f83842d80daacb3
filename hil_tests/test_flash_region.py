"""The firmware's own part of the flash: programmed within a page, erased without a reset."""

from typing import Any

import pytest
from rp2040py.peripherals.ssi import CMD_PAGE_PROGRAM, CMD_SECTOR_ERASE

from mesodrive_rig.emulated.provision import empty_ledger
from mesodrive_rig.emulated.repl import ServicePrompt
from mesodrive_rig.emulated.rig import EmulatedRig

pytestmark = [pytest.mark.hil, pytest.mark.requirement("R17")]

SET_UP = """
import board, gc, time
from injector.ledger import Ledger
from injector.ports.rp2_flash import Region, Watchdog
watchdog = Watchdog()
ledger = Region(board.FLASH_SIZE, board.LEDGER_START, board.LEDGER_SIZE, watchdog)
settings = Region(board.FLASH_SIZE, board.SETTINGS_START, board.SETTINGS_SIZE, watchdog)
"""
WORST_MS = {CMD_SECTOR_ERASE: 400.0, CMD_PAGE_PROGRAM: 3.0}
OPEN_MS = 300


@pytest.fixture(scope="module")
def rig() -> EmulatedRig:
    return EmulatedRig(service=True)


@pytest.fixture(scope="module")
def prompt(rig: EmulatedRig) -> ServicePrompt:
    prompt = ServicePrompt(rig)
    prompt.run(SET_UP)
    return prompt


def test_a_device_comes_with_an_empty_ledger(prompt: ServicePrompt, rig: EmulatedRig):
    board = rig.board
    held = rig.chip.mcu.flash[board.LEDGER_START : board.LEDGER_START + board.LEDGER_SIZE]
    assert bytes(held) == empty_ledger(board.LEDGER_SIZE)
    opened = "print(Ledger.open(ledger, time.ticks_ms).head[0])"
    assert prompt.run(opened) == "0\n"


def test_a_blank_device_has_none():
    prompt = ServicePrompt(EmulatedRig(service=True, blank=True))
    prompt.run(SET_UP)
    said = "try:\n Ledger.open(ledger, time.ticks_ms)\nexcept Exception as no:\n print(repr(no))"
    assert "NoLedger" in prompt.run(said)


def test_the_ledger_is_opened_before_a_person_waits(prompt: ServicePrompt):
    took = """
start = time.ticks_ms()
opened = Ledger.open(ledger, time.ticks_ms)
print(time.ticks_diff(time.ticks_ms(), start))
"""
    assert int(prompt.run(took)) < OPEN_MS


def test_a_program_changes_its_own_bytes_and_no_others(prompt: ServicePrompt, rig: EmulatedRig):
    start = rig.board.SETTINGS_START
    prompt.run("settings.erase(4096)")
    prompt.run("settings.program(4096 + 300, bytes(range(64)))")
    prompt.run("settings.program(4096 + 364, b'\\x0f')")
    expected = bytearray(b"\xff" * 4096)
    expected[300:364] = bytes(range(64))
    expected[364] = 0x0F
    assert bytes(rig.chip.mcu.flash[start + 4096 : start + 8192]) == bytes(expected)
    read = "into = bytearray(4); settings.read(4096 + 362, into); print(into.hex())"
    assert prompt.run(read) == "3e3f0fff\n"


def test_the_slowest_erase_does_not_let_the_watchdog_bite(prompt: ServicePrompt, rig: EmulatedRig):
    rig.chip.flash_time.busy_ms.update(WORST_MS)
    prompt.run("watchdog.start(250)\nsettings.erase(0)\nsettings.program(0, b'still here')\n")
    assert bytes(rig.chip.mcu.flash[rig.board.SETTINGS_START :][:10]) == b"still here"
    prompt.start("while True: pass")  # and after it the watchdog is as strict as before
    before_ms = rig.now_ms()
    reset_ms: list[float] = []
    usb: Any = rig.chip.mcu.usb_ctrl
    was_reset = usb.on_reset

    def noted() -> None:
        reset_ms.append(rig.now_ms())
        was_reset()

    usb.on_reset = noted
    rig.run_for(300)
    assert reset_ms
    assert reset_ms[0] - before_ms < 260
