"""What lights and buzzer leave on the heap. Runs under MicroPython: prints, as JSON, bytes in use
before any alarm, after each that has ended, and how many were made by looking at the last.
"""

import gc
import json

from injector.annunciator import Annunciator

LOOK_MS = 20


def in_use():
    gc.collect()
    return gc.mem_alloc()


def dark(_red, _yellow, _buzzer):
    pass


def answers():
    """Alarms of each priority that end after 1, 2, 3 … looks, in light and in dark."""
    lamps = Annunciator(dark)
    now_ms = 0
    used = [0] * 301
    made = 0
    used[0] = in_use()
    for number in range(1, len(used)):
        alarm = {"code": ("misfire", "sensor", "host_lost")[number % 3]}
        gc.collect()
        before = gc.mem_alloc()
        for _ in range(number):
            lamps.look(now_ms, alarm)
            now_ms += LOOK_MS
        made = gc.mem_alloc() - before
        alarm = None
        lamps.look(now_ms, None)
        used[number] = in_use()
    return used, made


print(json.dumps(answers()))
