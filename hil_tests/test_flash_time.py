"""The emulated flash takes the time of a real one, and the chip waits for it."""

from dataclasses import dataclass

import pytest
from rp2040py.peripherals.ssi import CMD_PAGE_PROGRAM, CMD_SECTOR_ERASE

from mesodrive_rig.emulated.repl import ServicePrompt
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.plant import Sensor

pytestmark = pytest.mark.hil

LED = 25
SET_UP = """
import rp2, time
from machine import Pin
flash = rp2.Flash()
led = Pin(25, Pin.OUT, value=0)
def seen(_):
    led.value(1)
Pin(14, Pin.IN, Pin.PULL_DOWN).irq(seen, Pin.IRQ_RISING, hard=True)
def took_us(work, *args):
    start = time.ticks_us()
    work(*args)
    return time.ticks_diff(time.ticks_us(), start)
def read():
    block = bytearray(4096)
    flash.readblocks(7, block)
    return block
"""
PATTERN = "bytes(range(256)) * 16"
ERASE = 6  # ioctl
SLACK_US = 500  # commands, the XIP set-up after each section, MicroPython itself


@dataclass
class Bench:
    rig: EmulatedRig
    prompt: ServicePrompt

    def measure_us(self, work: str) -> int:
        return int(self.prompt.run(f"print(took_us({work}))", within_ms=3000))


@pytest.fixture(scope="module")
def bench() -> Bench:
    rig = EmulatedRig(service=True)
    bench = Bench(rig, ServicePrompt(rig))
    bench.prompt.run(SET_UP)
    return bench


def test_a_write_takes_an_erase_and_sixteen_pages_and_reads_back(bench: Bench):
    took_us = bench.measure_us(f"flash.writeblocks, 7, {PATTERN}")
    assert 45_000 + 16 * 400 < took_us < 45_000 + 16 * (400 + SLACK_US)
    assert bench.prompt.run(f"print(read() == {PATTERN})") == "True\n"


def test_an_erase_takes_its_typical_time_and_reads_back_erased(bench: Bench):
    start_ms = bench.rig.now_ms()
    took_us = bench.measure_us(f"flash.ioctl, {ERASE}, 7")
    assert 45_000 < took_us < 45_000 + SLACK_US
    assert bench.rig.now_ms() - start_ms > 45
    assert bench.prompt.run("print(read() == b'\\xff' * 4096)") == "True\n"


def test_the_times_can_be_set(bench: Bench):
    busy_ms = bench.rig.chip.flash_time.busy_ms
    typical = dict(busy_ms)
    busy_ms[CMD_SECTOR_ERASE], busy_ms[CMD_PAGE_PROGRAM] = 90.0, 3.0
    assert 90_000 < bench.measure_us(f"flash.ioctl, {ERASE}, 7") < 90_000 + SLACK_US
    assert 3_000 < bench.measure_us("flash.writeblocks, 7, bytes(256), 0") < 3_000 + SLACK_US
    busy_ms.update(typical)


def test_no_interrupt_is_taken_while_the_flash_is_busy(bench: Bench):
    rig = bench.rig
    seen_ms: list[float] = []
    rig.chip.on_edge(LED, lambda level: seen_ms.append(rig.now_ms()) if level else None)

    def press() -> float:
        rig.set(Sensor.TRIGGER, False)
        rig.set(Sensor.TRIGGER, True)
        return rig.now_ms()

    pressed_ms = press()
    rig.run_for(1)
    assert seen_ms == pytest.approx([pressed_ms], abs=0.1)

    bench.prompt.run("led.value(0)")
    bench.prompt.start(f"flash.ioctl({ERASE}, 7)")
    rig.run_for(5)
    pressed_ms = press()
    bench.prompt.result()
    assert 35 < seen_ms[1] - pressed_ms < 45
