"""The emulated rig: chip and virtual injector, joined at the pins."""

import importlib.util
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from mesodrive_rig.emulated.chip import Chip
from mesodrive_rig.emulated.port import EmulatedPort
from mesodrive_rig.emulated.provision import provision
from mesodrive_rig.plant import (
    Analog,
    Injector,
    InputWire,
    Output,
    OutputWire,
    PlantSpec,
    Sensor,
    Truth,
    WireFault,
)

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "build" / "firmware" / "pico" / "mesodrive-pico.uf2"


def load_board(name: str = "pico") -> ModuleType:
    """The pins of a board, from the very file that is frozen into its image."""
    path = ROOT / "boards" / name / "board.py"
    spec = importlib.util.spec_from_file_location(f"mesodrive_board_{name}", path)
    assert spec
    assert spec.loader
    board = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(board)
    return board


class EmulatedRig:
    """An injector on the table, powered on when made. Everything runs in emulated time.

    It has an empty ledger and knows the rig's keys; one that is not `claimed` knows none, `blank`
    has nothing in its flash but the image.
    """

    serial = 16 * "f"  # what the emulated flash answers when it is asked who it is

    def __init__(
        self,
        spec: PlantSpec | None = None,
        image: Path = IMAGE,
        *,
        service: bool = False,
        blank: bool = False,
        claimed: bool = True,
    ):
        self.board = load_board()
        self.chip = Chip(image)
        self._clock = _ChipClock(self.chip)
        self.injector = Injector(spec or PlantSpec(), self._clock, self._sensed)
        self._inputs: dict[Sensor, InputWire] = {}
        self._outputs: dict[Output, OutputWire] = {}
        self._wire()
        if not blank:
            provision(self.chip.mcu.flash, self.board, claimed=claimed)
        if service:
            self.injector.hands.set(Sensor.SERVICE, True)
        self.chip.power_on()

    def connect(self) -> EmulatedPort:
        """Open the device's serial port."""
        return EmulatedPort(self.chip)

    def set(self, sensor: Sensor, is_true: bool, bounce_ms: Sequence[float] = ()) -> None:
        """Move a switch, now."""
        self.injector.hands.set(sensor, is_true, bounce_ms)

    def run_for(self, ms: float) -> None:
        """Let `ms` milliseconds of emulated time pass."""
        self.chip.run_for(ms * 1e6)

    def leap(self, ms: float) -> None:
        """Let `ms` go by at once while the device idles; see `Chip.leap`."""
        self.chip.leap(ms * 1e6)

    def run_until(
        self, condition: Callable[[], bool], within_ms: float, step_ms: float = 1
    ) -> bool:
        """Let time pass until `condition()`; False when `within_ms` went by without it."""
        end = self.chip.now_ns + within_ms * 1e6
        while not condition():
            if self.chip.now_ns >= end:
                return False
            self.run_for(step_ms)
        return True

    def now_ms(self) -> float:
        return self.chip.now_ns / 1e6

    def truth(self) -> Truth:
        return self.injector.truth()

    def break_wire(self, name: Output | Sensor, fault: WireFault, seed: int = 1) -> None:
        """Break the wire of an output or a sensor; `seed` is that of a noise."""
        if isinstance(name, Output):
            self._at_a_pad(lambda: self._outputs[name].break_(fault))
        else:
            self._inputs[name].break_(fault, seed)

    def mend_wire(self, name: Output | Sensor) -> None:
        """The wire is whole again."""
        if isinstance(name, Output):
            self._at_a_pad(self._outputs[name].mend)
        else:
            self._inputs[name].mend()

    def _at_a_pad(self, change: Callable[[], None]) -> None:
        time = self.chip.pio_time
        time.catch_up()
        change()
        time.look_ahead()

    def reset(self) -> None:
        """A power cycle of the controller; the mechanics stay where they are."""
        self.chip.reset(power=True)

    def _wire(self) -> None:
        injector = self.injector
        handlers: dict[Output, Callable[[int, float], None]] = {
            Output.PLUNGER_STEP: injector.on_plunger_step,
            Output.PLUNGER_DIR: injector.on_plunger_dir,
            Output.DEPTH_STEP: injector.on_depth_step,
            Output.DEPTH_DIR: injector.on_depth_dir,
            Output.STRIKE: injector.on_strike,
            Output.STRIKE_PEAK: injector.on_strike_peak,
            Output.ENABLE: injector.on_enable,
            **{
                output: partial(injector.on_signal, output)
                for output in (Output.ALARM_RED, Output.ALARM_YELLOW, Output.BUZZER)
            },
        }
        for output, handler in handlers.items():
            gpio = self.gpio(output)
            pad = self.chip.mcu.gpio[gpio].set_input_value
            wire = self._outputs[output] = OutputWire(self._clock, handler, pad)
            self.chip.on_edge(gpio, wire.drive)
        for sensor, level in injector.levels().items():
            gpio = self.gpio(sensor)
            pull = int(sensor is Sensor.SERVICE)
            drive = partial(self._drive, gpio)
            if sensor in (Sensor.SERVICE, Sensor.TRIGGER_2):
                drive = self._drive_shared
            self._inputs[sensor] = InputWire(level, pull, self._clock, drive)
            if drive != self._drive_shared:
                self.chip.drive(gpio, bool(level))
        for sensor in Analog:
            self.chip.measure(self.gpio(sensor), partial(injector.count, sensor))

    def _drive(self, gpio: int, level: int, _now_ns: float) -> None:
        self.chip.drive(gpio, bool(level))

    def _drive_shared(self, _level: int, _now_ns: float) -> None:
        """The jumper pulls the pin of the trigger's second contact to ground; without it a contact
        that is open leaves the pin to its pull."""
        gpio = self.gpio(Sensor.TRIGGER_2)
        fitted = not self._inputs[Sensor.SERVICE].level
        if fitted or self._inputs[Sensor.TRIGGER_2].level:
            self.chip.drive(gpio, not fitted)
        else:
            self.chip.release(gpio)

    def _sensed(self, sensor: Sensor, level: int, now_ns: float) -> None:
        self._inputs[sensor].set(level, now_ns)

    def gpio(self, name: Output | Sensor | Analog) -> int:
        """The pin of an output or a sensor."""
        return getattr(self.board, name.upper())


class _ChipClock:
    """The chip's time, for the plant."""

    def __init__(self, chip: Chip):
        self._chip = chip

    def now_ns(self) -> float:
        return self._chip.now_ns

    def call_at(self, time_ns: float, callback: Callable[[], None]) -> Any:
        return self._chip.call_at(time_ns, callback)
