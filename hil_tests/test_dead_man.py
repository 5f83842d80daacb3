"""Whatever becomes of the program: the rail is asked for as long as the program says so, and a
little longer, by the chip's own timer.

The engine's own driver (`injector.ports.rp2`) runs at the service prompt, so that it can be left
to hang.
"""

import pytest

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.repl import ServicePrompt
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.plant import Output

pytestmark = pytest.mark.hil

HOLD_MS, LATE_MS = 200, 3
PAUSE_MS = 150  # between two kicks; a loop that collects its garbage may take as long
SET_UP = """
import board, machine, time
from injector.limits import RAIL_HOLD_MS
from injector.ports.rp2 import Port
port = Port(board, 0, RAIL_HOLD_MS)
def kick():
    port.set_led(1)
    port.hold_rail()
    port.set_led(0)
"""
DROP = f"""
kick()
time.sleep_ms({PAUSE_MS})
port.set_led(1)
port.drop_rail()
port.set_led(0)
"""
HANG = f"""
for _ in range(3):
    kick()
    time.sleep_ms({PAUSE_MS})
kick()
machine.disable_irq()
while True:
    pass
"""


class Bench:
    """The service prompt with the engine's driver at hand; LED edges tell when it was kicked."""

    def __init__(self) -> None:
        self.rig = EmulatedRig(service=True)
        self.enable = EdgeLog(self.rig, [Output.ENABLE])
        self.led_ms: list[float] = []
        self.rig.chip.on_edge(self.rig.board.LED, self._led)
        self.prompt = ServicePrompt(self.rig)
        self.prompt.run(SET_UP)
        self.led_ms.clear()

    def _led(self, is_on: bool) -> None:
        if is_on:
            self.led_ms.append(self.rig.now_ms())


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.mark.requirement("R1")
def test_nothing_asks_for_the_rail_before_the_program_does(bench: Bench):
    bench.rig.run_for(20)
    assert bench.enable.edges == []
    assert not bench.rig.truth().rail_on


def test_a_program_that_takes_its_word_back_is_heard_at_once(bench: Bench):
    bench.prompt.run(DROP)
    kick_ms, drop_ms = bench.led_ms
    (on_ms,), (off_ms,) = bench.enable.rises(Output.ENABLE), bench.enable.falls(Output.ENABLE)
    assert kick_ms < on_ms < kick_ms + LATE_MS
    assert drop_ms < off_ms < drop_ms + LATE_MS
    bench.rig.run_for(5)
    assert not bench.rig.truth().rail_on


# The last: nothing brings this program back.


@pytest.mark.requirement("R3", "R14")
def test_the_rail_falls_by_itself_when_the_program_hangs(bench: Bench):
    bench.enable.clear()
    bench.led_ms.clear()
    bench.prompt.start(HANG)
    assert bench.rig.run_until(lambda: len(bench.led_ms) == 4, 5 * PAUSE_MS)
    first_ms, *_, last_ms = bench.led_ms
    bench.rig.run_for(HOLD_MS - 2 * LATE_MS)
    assert bench.rig.truth().rail_on
    bench.rig.run_for(last_ms + HOLD_MS + LATE_MS + 1 - bench.rig.now_ms())
    assert not bench.rig.truth().rail_on
    bench.rig.run_for(500)
    (on_ms,), (off_ms,) = bench.enable.rises(Output.ENABLE), bench.enable.falls(Output.ENABLE)
    assert first_ms < on_ms < first_ms + LATE_MS
    assert HOLD_MS - LATE_MS < off_ms - last_ms < HOLD_MS + LATE_MS
    assert not bench.rig.truth().rail_on
