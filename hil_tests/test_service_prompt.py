"""The service-mode prompt for programs: snippets of MicroPython that run on the chip."""

from itertools import pairwise

import pytest

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.repl import ServicePrompt, SnippetError
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.plant import Output

pytestmark = pytest.mark.hil

TOGGLE = """
import time
from machine import Pin
step = Pin(2, Pin.OUT)
for _ in range(5):
    step.value(1)
    time.sleep_ms(1)
    step.value(0)
    time.sleep_ms(1)
print("toggled")
"""
READ = """
import sys
print(len(sys.stdin.buffer.read(3000)))
"""


@pytest.fixture(scope="module")
def prompt() -> ServicePrompt:
    return ServicePrompt(EmulatedRig(service=True))


def test_a_snippet_runs_on_the_chip_and_its_names_stay(prompt: ServicePrompt):
    assert prompt.run("import sys\nanswer = 6 * 7\nprint(sys.platform)") == "rp2\n"
    assert prompt.run("print(answer)\nprint('é')") == "42\né\n"


def test_an_exception_is_told_with_its_traceback_and_the_next_snippet_runs(
    prompt: ServicePrompt,
):
    with pytest.raises(SnippetError, match="ZeroDivisionError"):
        prompt.run("print('so far')\n1 // 0")
    assert prompt.run("print('on')") == "on\n"


def test_a_snippet_takes_emulated_time_and_one_that_takes_too_long_can_be_waited_for(
    prompt: ServicePrompt,
):
    start_s = prompt.port.now_s()
    prompt.start("import time\ntime.sleep_ms(300)\nprint('done')")
    with pytest.raises(TimeoutError):
        prompt.result(within_ms=50)
    assert prompt.port.now_s() - start_s < 0.1
    assert prompt.result(within_ms=1000) == "done\n"
    assert prompt.port.now_s() - start_s > 0.3


def test_pins_can_be_watched_while_a_snippet_runs():
    rig = EmulatedRig(service=True)
    edges = EdgeLog(rig, [Output.PLUNGER_STEP])
    prompt = ServicePrompt(rig)
    prompt.start(TOGGLE)
    rig.run_for(13)  # the chip compiles it first
    assert 0 < len(edges.rises(Output.PLUNGER_STEP)) < 5
    rig.run_for(20)
    rises = edges.rises(Output.PLUNGER_STEP)
    assert [after - before for before, after in pairwise(rises)] == pytest.approx(
        4 * [2.0], abs=0.1
    )
    assert prompt.result() == "toggled\n"


def test_a_flood_reaches_the_snippet_and_what_it_leaves_is_harmless(prompt: ServicePrompt):
    prompt.start(READ)
    prompt.flood(5000)
    assert prompt.result() == "3000\n"
    assert prompt.run("print('still there')") == "still there\n"
