"""Values that nobody expects."""

from random import Random
from typing import Any

ODD_KEYS = ("", "a", "params", "__class__", "shots ", "volume_nl\0", "é" * 20, "x" * 300)

_NUMBERS = (
    0, 1, -1, 2, 3, 19, 20, 21, 99, 100, 101, 127, 128, 200, 255, 256, 500, 501, 999, 1000, 1001,
    2000, 2001, 4000, 6000, 6001, 13000, 32767, 32768, 65535, 65536, 100_000, 100_001, 500_000,
    500_001, 10_000_000, 10_000_001, 60_000_001, 2**29, 2**30 - 1, 2**30, 2**31 - 1, 2**31,
    2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**63, 2**64, 10**30, 10**400,
)  # fmt: skip
_TEXTS = (
    "", "0", "1", "1000", "null", "\0", "\x18", "\n", "\u2028", "\ud800", "é", "\U0001d538",
    "a" * 40, "a" * 41, "x" * 1000, "%s%d", "'; --", "{}", "../..",
)  # fmt: skip
_OTHERS: tuple[Any, ...] = (
    None, True, False, 0.0, -0.0, 1.0, 0.5, 1e308, 1e-308, -1.5, *_TEXTS, [], {}, [1], [[]],
    {"a": 1}, [None], [0] * 99, [0] * 100, [0] * 101, [0] * 900, {str(n): n for n in range(120)},
    [[[[1]]]], [[[[[1]]]]],
)  # fmt: skip


def hostile(random: Random) -> Any:
    """A number at a boundary, or of another kind altogether."""
    if random.random() < 0.5:
        number = random.choice(_NUMBERS)
        return -number if random.random() < 0.2 else number
    return random.choice(_OTHERS)
