"""The pure modules under MicroPython: they import, and they answer as under CPython.

Vectors come from a seeded generator. CPython, where the other tests hold the modules to their
oracles, works out what MicroPython must answer to the last digit.
"""

import json
import os
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from on_unix_port import computations
from stand_ins import PROFILE

from injector.profile import MODES
from injector.reports import OUTCOMES
from mesodrive_wire import encode, request

pytestmark = pytest.mark.unix_port

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
MICROPYTHON = ROOT / "build" / "toolchain" / "bin" / "micropython"
SEARCHED = ("firmware", "firmware/shared", "boards/pico", "firmware/tests")

# `app` and `ports` need the chip; everything else does not.
PURE = [
    *(f"injector.{file.stem}" for file in sorted((ROOT / "firmware/injector").glob("[a-z]*.py"))),
    *(f"mesodrive_wire.{file.stem}" for file in (ROOT / "firmware/shared").rglob("[a-z]*.py")),
]
PURE.remove("injector.app")


def micropython(*arguments: str | Path, heap: str = "64M") -> str:
    """What MicroPython prints."""
    if not MICROPYTHON.is_file():
        pytest.fail("MicroPython's unix port is not built; run `make unix-port`.", pytrace=False)
    path = ":".join(str(ROOT / part) for part in SEARCHED)
    ran = subprocess.run(
        [MICROPYTHON, "-X", f"heapsize={heap}", *arguments],
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return ran.stdout


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_is_imported_by_micropython(module: str):
    micropython("-c", f"import {module}")


# vectors


def roots(random: Random) -> list[object]:
    n = random.getrandbits(random.randint(1, 90))
    guess = random.getrandbits(random.randint(1, 45))
    return [random.choice([n, n * n, max(0, n * n - 1)]), guess]


def moves(random: Random) -> list[object]:
    steps_s = random.choice([random.randint(1, 100), random.randint(100, 400_000)])
    accel = max(1, steps_s**2 // random.randint(1, 800))  # some so many rises
    jerk = random.choice([0, random.randint(1, 4 * accel**2 // steps_s + 1)])
    made_for = random.choice([None, random.randint(1, 1_200)])
    return [[steps_s, accel, jerk], steps_s, made_for, random.randint(made_for or 1, 2_000)]


def mechanics(random: Random) -> list[object]:
    return [
        random.randint(0, 80_000),
        random.randint(1, 25_000),
        random.randint(1, 4_000_000),
    ]


def strikes(random: Random) -> list[object]:
    on_us = random.choice([random.randint(1, 100_000), random.randint(1, 42_000_000)])
    gate_us = random.choice([None, random.randint(0, min(on_us, 1_100_000))])
    return [random.randint(0, 20_000), on_us, on_us + random.randint(0, 60_000_000), gate_us]


def actuators(random: Random) -> list[object]:
    return [
        random.randint(0, 3_000),
        random.randint(50, 5_000),
        random.randint(50, 5_000),
        random.randint(0, 5_000),
        random.randint(0, 6_000),
    ]


def doses(random: Random) -> list[object]:
    series = [random.randint(0, 100_000) for _ in range(20)]
    return [random.randint(1_000, 500_000), random.randint(100, 12_800), series]


def axes(random: Random) -> list[object]:
    turns = [
        [random.random() < 0.5, random.randint(0, 300), random.randint(-99_999, 99_999)]
        for _ in range(20)
    ]
    return [random.choice([3_200, 6_400, 777]), random.randint(0, 60), turns]


def odd_value(random: Random) -> object:
    odd = [None, True, 1.5, "7", [1], {"a": 1}, -1, 0, 1, 2**40, -(10**30), "x" * 41, ""]
    return random.choice(odd)


def profiles(random: Random) -> list[object]:
    values = {**PROFILE, "name": random.choice(["nappage", "наппаж", "à l'épiderme"])}
    values["mode"] = random.choice([*MODES, "series", "burst"])
    values["burst"] = 3 if values["mode"] == "burst" else 1
    values["soft_strikes"] = random.choice([0, 0, 3, 50])
    for key in random.sample(sorted(values), random.randint(0, 3)):
        value = values[key]
        if isinstance(value, int) and random.random() < 0.7:
            values[key] = random.randint(0, 3 * value)
        else:
            values[key] = odd_value(random)
    if random.random() < 0.1:
        del values[random.choice(sorted(values))]
    if random.random() < 0.1:
        values["depth_mm"] = 2
    return [values]


def reports(random: Random) -> list[object]:
    def strike() -> list[object]:
        sensors = [random.choice([None, random.randint(0, 2**30 - 2)]) for _ in range(2)]
        why = random.choice(["", "the guard was opened", "x" * 70])
        counts = [random.randint(0, 2**32 - 2) for _ in range(3)]
        return [random.randint(0, 2**50), random.choice(OUTCOMES), *counts, *sensors, why]

    return [
        [
            random.choice(
                [
                    ["add", random.choice([1, 1, 5, 90, 1_490]), strike()],
                    ["ask", random.randint(1, 2_000)],
                    ["tell"],
                    ["tell"],
                    random.choice([["clear"], ["tell"]]),
                ]
            )
            for _ in range(30)
        ]
    ]


def message(random: Random) -> dict[str, object]:
    params = {str(n): odd_value(random) for n in range(random.randint(0, 4))}
    made = request(random.randint(1, 2**53 - 1), random.choice(["ping", "é", "a\nb"]), params)
    if random.random() < 0.4:
        made[random.choice(["id", "params", "method", "jsonrpc", "x"])] = odd_value(random)
    return made


def requests(random: Random) -> list[object]:
    return [message(random)]


def sent_lines(random: Random) -> list[object]:
    return [request(random.randint(1, 2**53 - 1), "x" * random.randint(0, 60), {"a": [1, None]})]


def cut(random: Random, stream: bytes) -> list[list[int]]:
    places = sorted(random.randint(0, len(stream)) for _ in range(random.randint(0, 9)))
    edges = [0, *places, len(stream)]
    return [list(stream[a:b]) for a, b in pairwise(edges)]


def spoilt(random: Random, stream: bytes) -> bytes:
    spoilt = bytearray(stream)
    for _ in range(random.choice([0, 0, 1, 2, 5])):
        place = random.randrange(len(spoilt))
        kind = random.randrange(4)
        if kind == 0:
            spoilt[place] ^= 1 << random.randrange(8)
        elif kind == 1:
            del spoilt[place]
        elif kind == 2:
            spoilt.insert(place, random.randrange(256))
        else:
            spoilt[place:place] = bytes(random.choice([3, 2_100]))
    return bytes(spoilt)


def received_lines(random: Random) -> list[object]:
    stream = b"".join(encode(message(random)) for _ in range(random.randint(1, 4)))
    return [cut(random, spoilt(random, stream))]


def conversations(random: Random) -> list[object]:
    stream = b"".join(
        encode(
            request(
                random.randint(1, 9),
                random.choice(["echo", "refuse", "other"]),
                {"n": random.randint(0, 1)},
            )
        )
        for _ in range(12)
    )
    rooms = [random.randint(0, 90) for _ in range(20)] + [100_000] * 60
    return [list(spoilt(random, stream)), rooms]


def hands(random: Random) -> list[object]:
    polls: list[list[int]] = []
    trigger = contact = 0
    for _ in range(80):
        trigger ^= random.random() < 0.2
        contact ^= random.random() < 0.1
        forget = [int(random.random() < 0.05) for _ in range(2)]
        polls.append([random.randint(1, 15), trigger, contact, *forget])
    return [polls]


def sessions(random: Random) -> list[object]:
    def deed() -> list[object]:
        mode = random.choice(MODES)
        ready = {
            "mode": mode,
            "shots": random.randint(1, 8),
            "burst": 3 if mode == "burst" else 1,
            "dose_nl": 0 if mode == "dry" else random.choice([3, 300, 1_000, 1_234]),
            "period_us": random.choice([45_488, 45_489, 80_000, 200_000]),
            "soft_strikes": 2 if mode in ("burst", "series", "dry") else 0,
        }
        methods = ["home", "arm", "disarm", "ack", "selftest"]
        hand = random.choice(["guard", "stop", "cartridge", "contact", "trigger", "supply"])
        part = random.choice(["needle_jams", "needle_sticks", "lost_steps", "open"])
        return random.choice(
            [
                ["run", random.randint(1, 300)],
                ["silence", random.randint(1, 600)],
                ["set", hand, random.choice([0, 1, 1])],
                ["set", part, int(part == "open")],
                random.choice([["stop_byte"], ["run", 20]]),
                ["set", part, random.randint(0, 1)],
                ["ready", ready],
                ["request", random.choice(methods), {}],
                ["request", "arm", {}],
                ["request", "prime", {"volume_nl": random.choice([0, 50, 300_000])}],
                ["pull", random.randint(1, 200)],
                ["pull", random.randint(1, 200)],
            ]
        )

    treat: list[list[object]] = [["request", "arm", {}], ["pull", 100]]
    prime: list[list[object]] = [["request", "prime", {"volume_nl": 300_000}], ["run", 1_000]]
    opening = [["ready", {}], *random.choice([treat, treat, prime])]
    return [opening + [deed() for _ in range(25)]]


HOW_MANY: dict[Callable[[Random], list[object]], int] = {
    roots: 500,
    moves: 100,
    mechanics: 200,
    strikes: 200,
    actuators: 200,
    doses: 200,
    axes: 200,
    profiles: 400,
    reports: 60,
    requests: 300,
    sent_lines: 200,
    received_lines: 300,
    conversations: 150,
    hands: 100,
    sessions: 60,
}


@pytest.mark.parametrize("draw", HOW_MANY, ids=lambda draw: draw.__name__)
def test_micropython_answers_as_cpython(draw: Callable[[Random], list[object]], tmp_path: Path):
    name = draw.__name__
    random = Random(name)
    vectors = json.loads(json.dumps([draw(random) for _ in range(HOW_MANY[draw])]))
    file = tmp_path / "vectors.json"
    file.write_text(json.dumps(vectors), encoding="utf-8")
    compute = getattr(computations, name)
    expected = json.loads(json.dumps([compute(*vector) for vector in vectors]))
    answered = json.loads(micropython(HERE / "compute.py", name, file))
    assert len(answered) == len(expected)
    for vector, answer, wanted in zip(vectors, answered, expected, strict=True):
        assert answer == wanted, vector


@pytest.mark.requirement("R26")
def test_no_line_exhausts_a_boards_memory_or_stack():
    codes, last_id = json.loads(micropython(HERE / "nasty_lines.py"))
    assert codes == [-32700, -32700, -32700, -32600, -32600, -32600]
    assert last_id == 0
