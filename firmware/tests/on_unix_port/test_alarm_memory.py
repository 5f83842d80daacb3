"""An alarm under MicroPython takes no memory: not when it has ended, nor while it is shown."""

import json
from pathlib import Path

import pytest
from on_unix_port.test_same_answers import micropython

pytestmark = [pytest.mark.unix_port, pytest.mark.requirement("R22")]


def test_lights_and_buzzer_leave_nothing_on_the_heap():
    file = Path(__file__).parent / "alarm_memory.py"
    used, made = json.loads(micropython(file, heap="1M"))
    # On this machine a number on the stack may look like an address, and hold a block for a look.
    assert min(used[-100:]) <= used[0]
    assert made == 0
