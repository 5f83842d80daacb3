"""The ledger under MicroPython: bit for bit the flash that it makes under CPython."""

import json
from pathlib import Path
from random import Random

import pytest
from on_unix_port.ledger_answers import answers
from on_unix_port.test_same_answers import micropython

from injector.ledger import record

pytestmark = pytest.mark.unix_port

HERE = Path(__file__).parent
LEDGER = Path(record.__file__).parent
LARGEST = {"B": 2**8 - 1, "H": 2**16 - 1, "I": 2**32 - 1, "Q": 2**64 - 1}


@pytest.mark.parametrize("module", sorted(file.stem for file in LEDGER.glob("[a-z]*.py")))
def test_a_module_of_the_ledger_is_imported_by_micropython(module: str):
    micropython("-c", f"import injector.ledger.{module}")


def value(random: Random, code: str) -> object:
    if code in LARGEST:
        most = LARGEST[code]
        return random.choice([0, most, most + 1, *(random.randint(0, most) for _ in range(12))])
    size = int(code[:-1])
    return random.randbytes(
        random.choice([0, size, size, size, size + random.random() > 0.9])
    ).hex()


def deed(random: Random) -> list[object]:
    kind = random.choice([2, 3, 4, 8, 9, 10, 1, 5])
    values = {name: value(random, code) for name, code in record.SCHEMA[kind][1]}
    number = random.randint(1, 40)
    strikes, dose_nl = random.choice([0, 1, 50]), random.choice([0, 1, 100_000, 500_000])
    close = [number, strikes, dose_nl, random.choice(["done", "stopped", "x" * 9])]
    return random.choice(
        [
            ["append", kind, values],
            ["append", kind, values],
            ["intend", random.getrandbits(53), strikes, dose_nl],
            ["outcome", *close],
            ["resolve", *close],
            ["prepare", random.choice([1, 5, 40])],
            ["wait", random.choice([1, 60_000, 5_000_000])],
            random.choice([["open"], ["wait", 1_000]]),
        ]
    )


def days_work(random: Random) -> list[list[object]]:
    deeds = [deed(random) for _ in range(150)]
    flips = [["flip", random.randrange(8 * 5 * 1024)] for _ in range(random.choice([0, 1, 2, 40]))]
    return [*deeds, *flips, ["open"], ["audit"], *(deed(random) for _ in range(20))]


@pytest.mark.requirement("R17")
def test_micropython_makes_the_same_ledger(tmp_path: Path):
    random = Random("ledger")
    vectors = json.loads(json.dumps([days_work(random) for _ in range(30)]))
    file = tmp_path / "deeds.json"
    file.write_text(json.dumps(vectors), encoding="utf-8")
    expected = json.loads(json.dumps([answers(deeds) for deeds in vectors]))
    answered = json.loads(micropython(HERE / "ledger_answers.py", file))
    assert len(answered) == len(expected)
    for deeds, answer, wanted in zip(vectors, answered, expected, strict=True):
        for asked, got, want in zip(deeds, answer[0], wanted[0], strict=True):
            assert got == want, asked
        assert answer[1:] == wanted[1:]
