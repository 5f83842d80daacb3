"""The shipping image at its prompt, and every edge of its pins in whole ns of emulated time."""

import ast
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mesodrive_rig.emulated.repl import ServicePrompt
from mesodrive_rig.emulated.rig import IMAGE, EmulatedRig
from mesodrive_rig.plant import Output, Sensor

CLOCK_NS = 8  # the chip's clock, and what edge times are known to
LOADS = ("quiet", "collect", "read", "write")  # functions of snippets/loads.py

_SNIPPETS = Path(__file__).parent / "snippets"
# A full-speed bus carries 19 bulk packets of 64 bytes in a frame of 1 ms (USB 2.0, table 5-9).
_PACKET = 64
_PACKET_US = 1000 / 19
_LONGEST_MS = 20_000


class Bench:
    """A chip whose prompt runs the snippets of this package, with a log at its outputs."""

    def __init__(self, *snippets: str, image: Path = IMAGE):
        """Boot, and run `snippets` (names of files) one after another; their names stay."""
        self.rig = EmulatedRig(image=image, service=True)
        self.edges: dict[Output, list[tuple[int, bool]]] = {output: [] for output in Output}
        self.busy = False  # the snippet's own word, by the LED
        self.began_ns = 0  # when it last said so
        self._busy_listener: Callable[[int, bool], None] | None = None
        self._listeners: dict[Output, Callable[[int, bool], None]] = {}
        for output in Output:
            self.rig.chip.on_edge(self.rig.gpio(output), partial(self._note, output))
        self.rig.chip.on_edge(self.rig.board.LED, self._note_busy)
        self._prompt = ServicePrompt(self.rig)
        for snippet in snippets:
            self._prompt.run((_SNIPPETS / f"{snippet}.py").read_text())

    # the prompt

    def ask(self, expression: str) -> Any:
        """The value of `expression` on the chip."""
        return ast.literal_eval(self._prompt.run(f"print({expression})", _LONGEST_MS))

    def run(self, statements: str) -> None:
        """Run `statements` on the chip."""
        self._prompt.run(statements, _LONGEST_MS)

    def ask_flooded(self, expression: str) -> Any:
        """As `ask`, while the host sends as fast as the bus carries and the chip takes it, from
        when the snippet says that it is busy until it says that it no longer is."""
        usb: Any = self.rig.chip.mcu.usb_ctrl
        frame_us, serve = usb.read_delay_microseconds, usb.on_endpoint_read

        def serve_more(endpoint: int, size: int) -> None:
            if endpoint:
                self._prompt.flood(_PACKET)
            serve(endpoint, size)

        self._prompt.start(f"print({expression})")
        self.rig.run_until(lambda: self.busy, _LONGEST_MS, step_ms=0.1)
        usb.read_delay_microseconds, usb.on_endpoint_read = _PACKET_US, serve_more
        self._prompt.flood(_PACKET)
        self.rig.run_until(lambda: not self.busy, _LONGEST_MS)
        usb.read_delay_microseconds, usb.on_endpoint_read = frame_us, serve
        return ast.literal_eval(self._prompt.result(_LONGEST_MS))

    # the pins

    def forget(self) -> None:
        """Begin a new log."""
        for edges in self.edges.values():
            edges.clear()

    def rises(self, output: Output) -> list[int]:
        """When `output` rose, in ns."""
        return [time_ns for time_ns, level in self.edges[output] if level]

    def at_edges(self, output: Output, listener: Callable[[int, bool], None] | None) -> None:
        """Have `listener(time_ns, level)` called at each edge of `output`; None ends it."""
        if listener:
            self._listeners[output] = listener
        else:
            self._listeners.pop(output, None)

    def when_busy(self, listener: Callable[[int, bool], None] | None) -> None:
        """Have `listener(time_ns, busy)` called when the snippet begins and ends; None ends it."""
        self._busy_listener = listener

    def move_at(self, time_ns: float, sensor: Sensor, is_true: bool) -> None:
        """Have a hand move a switch at `time_ns`."""
        self.call_at(time_ns, partial(self.rig.set, sensor, is_true))

    def call_at(self, time_ns: float, callback: Callable[[], None]) -> None:
        """Have `callback` called at `time_ns`."""
        self.rig.chip.call_at(time_ns, callback)

    def now_ns(self) -> int:
        return round(self.rig.chip.now_ns)

    def _note(self, output: Output, level: bool) -> None:
        now_ns = self.now_ns()
        self.edges[output].append((now_ns, level))
        listener = self._listeners.get(output)
        if listener:
            listener(now_ns, level)

    def _note_busy(self, level: bool) -> None:
        now_ns = self.now_ns()
        self.busy = level
        if level:
            self.began_ns = now_ns
        if self._busy_listener:
            self._busy_listener(now_ns, level)
