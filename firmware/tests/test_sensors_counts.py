"""Counts stay within what the converter can give."""

import pytest

from injector.sensors import Linear


@pytest.mark.parametrize(
    ("value", "count"), [(-1_000, 0), (-101, 0), (0, 100), (3_995, 4_095), (3_996, 4_095)]
)
def test_a_value_beyond_the_converter_is_its_last_count(value: int, count: int):
    assert Linear(100, 1_000, 1_000, 50, 4_000).count(value) == count
    assert Linear(100, 1_000, 1_000, 50, 4_000).count(10**9) == 4_095
