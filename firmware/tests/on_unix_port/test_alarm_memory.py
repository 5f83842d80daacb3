"""An alarm under MicroPython takes no memory: not when it has ended, nor while it is shown."""

import json
from pathlib import Path

import pytest
from on_unix_port.test_same_answers import micropython

pytestmark = [pytest.mark.unix_port, pytest.mark.requirement("R22")]

BLOCK_BYTES = 32
"""The least that MicroPython's heap gives away on a computer of 64 bits: four words
(`MICROPY_BYTES_PER_GC_BLOCK` of py/mpconfig.h).
"""


def test_lights_and_buzzer_leave_nothing_on_the_heap():
    file = Path(__file__).parent / "alarm_memory.py"
    used, made = json.loads(micropython(file, heap="1M"))
    # A number left on the stack may look like an address, and hold a few blocks for good; what
    # alarms leave would grow with each. A tenth of a block by an alarm is more than the first.
    assert max(used) - used[0] < BLOCK_BYTES * (len(used) - 1) / 10
    assert made == 0
