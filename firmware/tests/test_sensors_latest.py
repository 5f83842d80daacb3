"""What the last count of a sensor alone says, a look before it is believed."""

import pytest

from injector.sensors import Linear, Reading


def read(*counts: int) -> Reading:
    """Of a sensor that says twice its counts, from 100 to 4000 of them."""
    reading = Reading("x", Linear(zero=0, span=1, full=2, least=100, most=4_000))
    for count in counts:
        reading.take(count)
    return reading


def test_before_the_first_look_nothing_is_said_and_nothing_is_wrong():
    reading = read()
    assert (reading.value, reading.latest, reading.possible, reading.plausible) == (
        *(0, 0),
        *(True, True),
    )


def test_the_last_count_is_told_a_look_before_it_is_believed():
    reading = read(500, 700)
    assert (reading.value, reading.latest) == (1_000, 1_400)
    reading.take(700)
    assert (reading.value, reading.latest) == (1_400, 1_400)
    reading.take(300)
    assert (reading.value, reading.latest) == (1_400, 600)


@pytest.mark.parametrize(
    ("count", "possible"), [(99, False), (100, True), (4_000, True), (4_001, False)]
)
def test_a_last_count_that_cannot_be_is_not_told(count: int, possible: bool):
    reading = read(500, 500, count)
    assert reading.possible == possible
    assert reading.latest == (2 * count if possible else 1_000)
    reading.take(500)
    assert reading.possible
    assert reading.latest == 1_000
