"""The emulated rig: chip and virtual injector, joined at the pins."""

import importlib.util
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from mesodrive_rig.emulated.chip import Chip
from mesodrive_rig.emulated.port import EmulatedPort
from mesodrive_rig.plant import Injector, Output, PlantSpec, Sensor, Truth

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
    """An injector on the table, powered on when made. Everything runs in emulated time."""

    def __init__(
        self, spec: PlantSpec | None = None, image: Path = IMAGE, *, service: bool = False
    ):
        self.board = load_board()
        self.chip = Chip(image)
        self.injector = Injector(spec or PlantSpec(), _ChipClock(self.chip), self._sensed)
        self._wire()
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
        }
        for output, handler in handlers.items():
            self.chip.on_edge(self.gpio(output), partial(self._driven, handler))
        for output in (Output.PLUNGER_STEP, Output.DEPTH_STEP, Output.STRIKE):
            self.chip.loop_back(self.gpio(output))
        for sensor, level in injector.levels().items():
            self.chip.drive(self.gpio(sensor), bool(level))

    def _driven(self, handler: Callable[[int, float], None], level: bool) -> None:
        handler(int(level), self.chip.now_ns)

    def _sensed(self, sensor: Sensor, level: int, _now_ns: float) -> None:
        self.chip.drive(self.gpio(sensor), bool(level))

    def gpio(self, name: Output | Sensor) -> int:
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
