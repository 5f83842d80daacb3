"""An emulated RP2040 that boots our image, stepped in emulated time by whoever holds it.

Nothing runs by itself: `run_for` and `run_until` advance the chip, so a test that only uses them
is deterministic to the nanosecond. The emulator is rp2040py; docs/rig.md says
what is set here and why.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rp2040py.boards import BOARDS
from rp2040py.device.base_device import BaseDevice, ResetCause
from rp2040py.gpio_pin import GPIOPinState
from rp2040py.memory_map import FLASH_START_ADDRESS
from rp2040py.peripherals.usb import SIE_RESUME, SIE_STATUS, SIE_SUSPENDED

from mesodrive.errors import MesodriveError
from mesodrive_rig.emulated.chip_divider import Divider
from mesodrive_rig.emulated.chip_loop import Loop
from mesodrive_rig.emulated.chip_pio import ChipPio
from mesodrive_rig.emulated.flash_time import FlashTime
from mesodrive_rig.emulated.leaps import Leaps
from mesodrive_rig.emulated.pio_time import PioTime

_USB_FRAME_US = 1000  # what a host has to send goes out with the next frame
_FIRST_ANALOG = 26  # the GPIO of the ADC's channel 0
_SLEEPS_WITHIN_NS = 500e6  # a chip that idles sleeps at least every so often
_SLEEP_LOOK_NS = 10e3
_HOST_BUFFER = 4096  # bytes that a host's serial driver keeps for a program that does not read
_LOOP_WATCHDOG_TICKS = 250 * 2_000  # firmware/injector/app.py; two ticks a µs
_BUS_SILENT_NS = 3e6  # without frames for so long, a device takes the bus for suspended


class Chip:
    """A Pico with `image` in its flash, powered off until `power_on`."""

    def __init__(self, image: Path):
        if not image.is_file():
            raise MesodriveError(f"There is no image at {image}; build it with make firmware.")
        self._device = BaseDevice(board=replace(BOARDS["pico"], image=image))
        self.mcu = self._device.mcu
        self._clock = self.mcu.clock
        self._loop = Loop(self.mcu)
        self._alarm = self._clock.create_alarm(self._loop.stop)
        Divider(self.mcu)
        ChipPio.install(self.mcu)
        self.pio_time = PioTime(self.mcu)
        self.flash_time = FlashTime(self.mcu)
        self._leaps = Leaps(self.mcu)
        self._outputs: list[Callable[[], None]] = []  # each looks at one output and tells
        self._measured: dict[int, Callable[[], int]] = {}  # by channel
        adc: Any = self.mcu.adc
        self._converted: Callable[[int], None] = adc.on_adc_read
        adc.on_adc_read = self._convert
        self._to_device = bytearray()
        self._idle_read: tuple[int, int] | None = None  # a read that waits for data
        self.received = bytearray()  # see `take`
        usb: Any = self.mcu.usb_ctrl  # its hooks and the one method that is replaced
        usb.read_delay_microseconds = _USB_FRAME_US
        self._device.cdc.on_serial_data = self._receive
        self._device.cdc.on_device_connected = self._enumerated
        self._serve_read: Callable[[int, int], None] = usb.on_endpoint_read
        usb.on_endpoint_read = self._read
        self._sent: Callable[[int, bool], None] = usb._indicate_buffer_ready
        usb._indicate_buffer_ready = self._buffer_ready
        self._unsent: list[int] = []  # endpoints whose data the host does not take yet
        self._usb_write: Callable[[int, int], None] = usb.write_uint32
        usb.write_uint32 = self._write_usb
        self._usb_reset: Callable[[], None] = usb.on_reset
        usb.on_reset = self._was_reset
        self._port_open = False
        self._port_lost: Callable[[], None] | None = None
        self._usb_up = False
        self._told_of_reset: list[Callable[[], None]] = []

    # time

    @property
    def now_ns(self) -> float:
        """Emulated time since the power came on, with what was leapt."""
        return self._clock.nanos + self._leaps.leapt_ns

    def power_on(self) -> None:
        """Start at the flash's entry point, as the boot ROM would."""
        self.mcu.core.pc = FLASH_START_ADDRESS

    def run_for(self, ns: float) -> None:
        """Advance the chip by `ns` of emulated time."""
        self.run_until(self.now_ns + ns)

    def run_until(self, ns: float) -> None:
        """Advance the chip to emulated time `ns`."""
        self._alarm.schedule(max(0.0, ns - self.now_ns))
        self._loop.run()

    def call_at(self, ns: float, callback: Callable[[], None]) -> Any:
        """Have `callback` called at emulated time `ns`; the handle has `cancel()`."""
        return self._leaps.call_at(ns, callback)

    def leap(self, ns: float) -> None:
        """Let `ns` go by at once while the chip idles; docs/rig.md says what that leaves out.

        Raises MesodriveError when the chip does not idle or something is being driven.
        """
        end_ns = self.now_ns + _SLEEPS_WITHIN_NS
        while not self.mcu.core.waiting and self.now_ns < end_ns:
            self.run_for(_SLEEP_LOOK_NS)
        self._leaps.leap(ns)

    def reset(self, *, power: bool = False) -> None:
        """Pull the RUN pin, or with `power` take the supply away for a moment."""
        self._device.hard_reset(cause=ResetCause.POWER_ON if power else ResetCause.RUN_PIN)

    @property
    def loops(self) -> bool:
        """Whether the program has come to its loop: its start is given more time."""
        timer = self.mcu.watchdog.timer
        return bool(timer.enable) and timer.counter <= _LOOP_WATCHDOG_TICKS

    def on_reset(self, callback: Callable[[], None]) -> None:
        """Have `callback` called at each reset, whatever its cause."""
        self._told_of_reset.append(callback)

    def _was_reset(self) -> None:
        """The chip has been reset, by a hand or by its own watchdog: it has left the bus, and its
        outputs float, which the emulator does not tell those who listen to them."""
        self._usb_reset()
        self.pio_time.reset()
        self._stop_watchdog()
        self._usb_up = False
        self._idle_read = None
        self._unsent.clear()
        self._to_device.clear()
        for look in self._outputs:
            look()
        for told in self._told_of_reset:
            told()
        if self._port_lost:
            lost, self._port_lost = self._port_lost, None
            self._port_open = False
            lost()

    def _stop_watchdog(self) -> None:
        """No reset leaves the watchdog running; the emulator's runs through all of them."""
        watchdog: Any = self.mcu.watchdog
        watchdog._enable = False
        watchdog.alarm.enable = False
        watchdog.timer.enable = False

    # pins

    def on_edge(self, gpio: int, callback: Callable[[bool], None]) -> None:
        """Have `callback(level)` called at each change of an output."""
        pin = self.mcu.gpio[gpio]
        level = False

        def changed(state: object = None, _: object = None) -> None:
            nonlocal level
            new = (pin.value if state is None else state) is GPIOPinState.HIGH
            if new is not level:
                level = new
                callback(new)

        pin.add_listener(changed)
        self._outputs.append(changed)

    def loop_back(self, gpio: int) -> None:
        """Let the input side of an output pad see the pad, as it does on the real chip."""
        pin = self.mcu.gpio[gpio]
        self.on_edge(gpio, pin.set_input_value)

    def drive(self, gpio: int, level: bool) -> None:
        """Drive an input from outside."""
        self.pio_time.catch_up()
        self.mcu.gpio[gpio].set_input_value(level)
        self.pio_time.look_ahead()

    def measure(self, gpio: int, count: Callable[[], int]) -> None:
        """Have `count()` asked for what the ADC makes of a pin, each time that it converts it."""
        self._measured[gpio - _FIRST_ANALOG] = count

    def _convert(self, channel: int) -> None:
        if channel in self._measured:
            self.pio_time.catch_up()  # edges that are due have not been told yet
            self.mcu.adc.channel_values[channel] = self._measured[channel]()
            self.pio_time.look_ahead()
        self._converted(channel)

    def release(self, gpio: int) -> None:
        """Leave an input to its pull."""
        self.pio_time.catch_up()
        self.mcu.gpio[gpio].release_input()
        self.pio_time.look_ahead()

    # the serial line

    def open_port(self, on_lost: Callable[[], None] | None = None) -> None:
        """A program on the host opens the port: DTR rises. A program that gives `on_lost` loses
        the port with the next reset of the chip; without, it is opened anew for it."""
        self._port_open = True
        self._port_lost = on_lost
        self._set_lines()

    def close_port(self) -> None:
        """The program closes the port: DTR falls, and what was on the way is gone."""
        self._port_open = False
        self._port_lost = None
        self._to_device.clear()
        self.take()
        self._set_lines()

    def pull_cable(self) -> None:
        """Pull the USB cable out; the board has a supply of its own. All that the chip sees of it
        is a bus without frames."""
        self._port_open = False
        self._to_device.clear()
        self.take()
        self.call_at(self.now_ns + _BUS_SILENT_NS, lambda: self._signal_bus(SIE_SUSPENDED))
        if self._port_lost:
            lost, self._port_lost = self._port_lost, None
            lost()

    def plug_in(self) -> None:
        """Put the cable in again."""
        self._signal_bus(SIE_RESUME)

    def _write_usb(self, offset: int, value: int) -> None:
        """The emulator raises a suspended bus for ever; the chip's driver takes the bit back."""
        usb: Any = self.mcu.usb_ctrl
        if offset == SIE_STATUS:
            usb._sie_status &= ~(usb.raw_write_value & SIE_SUSPENDED)
        self._usb_write(offset, value)

    def _signal_bus(self, what: int) -> None:
        usb: Any = self.mcu.usb_ctrl
        usb._sie_status |= what
        usb._sie_status_updated()

    def send(self, data: bytes) -> None:
        """Bytes from the host to the device."""
        self._to_device.extend(data)
        self._feed()

    def _receive(self, data: bytes | bytearray) -> None:
        if self._port_open:  # a host drops what comes for nobody
            self.received.extend(data)

    def take(self) -> bytes:
        """What the device has sent and nobody has taken."""
        data = bytes(self.received)
        self.received.clear()
        while self._unsent:
            self._sent(self._unsent.pop(0), False)
        return data

    def _enumerated(self) -> None:
        self._usb_up = True
        # Enumeration raises DTR by itself; a host does so only when a program opens the port.
        self._set_lines()

    def _set_lines(self) -> None:
        if self._usb_up:
            self._device.cdc.set_control_lines(dtr=self._port_open, rts=self._port_open)

    def _feed(self) -> None:
        fifo = self._device.cdc.tx_fifo
        room = fifo.size - fifo.item_count
        for byte in self._to_device[:room]:
            self._device.cdc.send_serial_byte(byte)
        del self._to_device[:room]
        if self._idle_read and fifo.item_count:
            waiting, self._idle_read = self._idle_read, None
            self._serve_read(*waiting)

    def _read(self, endpoint: int, size: int) -> None:
        """The device is ready to receive. A real host sends nothing when it has nothing; the
        emulator's would send an empty packet each frame and keep the CPU awake for it."""
        self._feed()
        if endpoint and not self._device.cdc.tx_fifo.item_count:
            self._idle_read = (endpoint, size)
        else:
            self._serve_read(endpoint, size)

    def _buffer_ready(self, endpoint: int, out: bool) -> None:
        """A buffer has gone over the bus; one to a host with full hands has not, yet."""
        if endpoint and not out and len(self.received) >= _HOST_BUFFER:
            self._unsent.append(endpoint)
        else:
            self._sent(endpoint, out)
