"""An alarm under MicroPython takes no memory: not when it has ended, nor while it is shown."""

import json
from pathlib import Path

import pytest
from on_unix_port.test_same_answers import micropython

pytestmark = [pytest.mark.unix_port, pytest.mark.requirement("R22")]


def test_lights_and_buzzer_leave_nothing_on_the_heap():
    used, made = json.loads(micropython(str(Path(__file__).parent / "alarm_memory.py")))
    assert set(used) == {used[0]}
    assert made == 0
