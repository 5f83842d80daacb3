"""Counts of the converter → °C, mV, mN, and which of them are believed."""

import math

import drives
import pytest
from hypothesis import given
from hypothesis import strategies as st

from injector.sensors import Linear, Reading, Sensors, Thermistor

COUNTS = st.integers(0, 4095)


def ntc_count(celsius: float) -> float:
    """10 kΩ at 25 °C and 3950 K under 10 kΩ, by the formula and not by the table."""
    ratio = math.exp(3950 * (1 / (celsius + 273.15) - 1 / 298.15))
    return 4096 * ratio / (ratio + 1)


@given(st.floats(15.0, 70.0))
def test_the_coils_temperature_is_right_to_half_a_degree_where_it_matters(celsius: float):
    assert drives.COIL_SENSOR.value(round(ntc_count(celsius))) / 10 == pytest.approx(
        celsius, abs=0.5
    )


@given(COUNTS, COUNTS)
def test_a_warmer_coil_never_reads_as_a_cooler_one(a: int, b: int):
    sensor = drives.COIL_SENSOR
    low, high = sorted([min(max(c, sensor.least), sensor.most) for c in (a, b)])
    assert sensor.value(low) >= sensor.value(high)


@given(st.integers(0, 31_000))
def test_the_supply_is_right_to_a_count(mv: int):
    count = round(mv * 10 / 101 / 3300 * 4096)
    assert drives.SUPPLY_SENSOR.value(count) == pytest.approx(mv, abs=9)


@given(st.integers(-3_000, 52_000))
def test_the_force_is_right_to_a_count_and_back(mn: int):
    sensor = drives.FORCE_SENSOR
    count = round((0.33 + mn / 1000 * 2.64 / 50) / 3.3 * 4096)
    assert sensor.value(count) == pytest.approx(mn, abs=30)
    assert sensor.least <= sensor.count(mn) <= sensor.most
    assert mn - 16 < sensor.value(sensor.count(mn) + 1) <= mn + 16


def read(*counts: int) -> Reading:
    reading = Reading("x", Linear(zero=0, span=1, full=1, least=100, most=4000))
    for count in counts:
        reading.take(count)
    return reading


@given(COUNTS, st.integers(100, 4000))
def test_one_disturbed_look_changes_nothing(disturbed: int, true: int):
    reading = read(true, true, disturbed)
    assert (reading.value, reading.plausible) == (true, True)
    reading.take(true)
    assert (reading.value, reading.plausible) == (true, True)


@given(st.integers(100, 4000), st.integers(100, 4000))
def test_a_true_change_is_seen_at_the_second_look(before: int, now: int):
    assert read(before, before, now, now).value == now


@pytest.mark.parametrize("count", [0, 99, 4001, 4095])
def test_what_cannot_be_is_believed_at_the_fourth_look_in_a_row(count: int):
    reading = read(500, 500, 500, count)
    for _ in range(2):
        reading.take(count)
        assert reading.plausible
    reading.take(count)
    assert not reading.plausible
    assert reading.value == 500
    reading.take(500)
    reading.take(500)
    assert reading.plausible


@pytest.mark.parametrize(
    ("broken", "name"), [(0, "coil temperature"), (1, "motor supply"), (2, "plunger force")]
)
def test_the_sensor_that_is_broken_is_named(broken: int, name: str):
    counts = [2048, 2948, 541]
    sensors = Sensors(lambda: counts, drives)
    sensors.poll()
    assert (sensors.coil_dc, sensors.force_mn, sensors.implausible) == (250, 1_999, None)
    assert sensors.supply_mv == pytest.approx(24_000, abs=12)
    counts[broken] = 4095
    for _ in range(4):
        sensors.poll()
    assert sensors.implausible == name


def test_before_the_first_look_nothing_is_said_and_nothing_is_wrong():
    reading = read()
    assert (reading.value, reading.latest) == (0, 0)
    assert (reading.possible, reading.plausible) == (True, True)


def test_the_last_count_is_told_a_look_before_it_is_believed():
    reading = read(500, 700)
    assert (reading.value, reading.latest) == (500, 700)
    reading.take(700)
    assert (reading.value, reading.latest) == (700, 700)
    reading.take(300)
    assert (reading.value, reading.latest) == (700, 300)


@pytest.mark.parametrize(
    ("count", "possible"), [(99, False), (100, True), (4_000, True), (4_001, False)]
)
def test_a_last_count_that_cannot_be_is_not_told(count: int, possible: bool):
    reading = read(500, 500, count)
    assert reading.possible == possible
    assert reading.latest == (count if possible else 500)
    reading.take(500)
    assert reading.possible
    assert reading.latest == 500


@pytest.mark.parametrize(
    ("value", "count"), [(-1_000, 0), (-101, 0), (0, 100), (3_995, 4_095), (3_996, 4_095)]
)
def test_a_value_beyond_the_converter_is_its_last_count(value: int, count: int):
    assert Linear(100, 1_000, 1_000, 50, 4_000).count(value) == count
    assert Linear(100, 1_000, 1_000, 50, 4_000).count(10**9) == 4_095


def test_each_point_of_a_thermistors_table_reads_as_it_says():
    points = ((3_000, -200), (2_500, 100), (1_000, 150), (500, 900))
    sensor = Thermistor(points)
    assert [sensor.value(count) for count, _ in points] == [tenths for _, tenths in points]
    assert [sensor.value(count) for count in (2_750, 1_750, 750)] == [-50, 125, 525]
    assert (sensor.least, sensor.most) == (500, 3_000)


def test_what_cannot_be_from_the_start_is_believed_at_the_third_look():
    reading = read(0, 0)
    assert reading.plausible
    reading.take(0)
    assert not reading.plausible
