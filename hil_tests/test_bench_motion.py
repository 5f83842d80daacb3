"""What the motion benchmark says of the engine and of the baselines, on tiny sizes."""

import pytest

from mesodrive_rig.bench.motion import audit, deviation, halts, planning, rates, report
from mesodrive_rig.bench.motion.baselines import DRIVERS, measure_driver
from mesodrive_rig.bench.motion.part import Part
from mesodrive_rig.bench.motion.pins import Bench
from mesodrive_rig.bench.motion.plans import (
    Timing,
    deviations_ns,
    planned_rises_ns,
    step_timing,
)
from mesodrive_rig.bench.motion.ratios import ratios
from mesodrive_rig.plant import Output
from mesodrive_rig.results import Metric

pytestmark = pytest.mark.hil

TIMING = Timing(62_500_000, first=5, between=13)


def quietly(_: str) -> None:
    pass


def by_name(metrics: list[Metric]) -> dict[str, float]:
    return {metric.name: metric.value for metric in metrics}


def missed(part: Part) -> list[str]:
    return [metric.name for metric in part.metrics if not metric.ok]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench("loads", "engine")


# What the words ask for is counted in 16 ns: a pair of two steps, then one of one.


def test_the_plan_is_what_the_words_ask_for():
    words = [1, 87, 0, 187]
    assert planned_rises_ns(words, TIMING) == [0, 100 * 16, 300 * 16]


def test_an_edge_that_is_early_or_late_is_seen_as_such():
    assert deviations_ns([1000, 1100, 1192, 1308], [0, 100, 200, 300]) == [0, 0, -8, 8]


@pytest.mark.parametrize("rises", [[0, 100], [0, 100, 200, 300]], ids=["fewer", "more"])
def test_another_number_of_edges_than_planned_is_an_error(rises: list[int]):
    with pytest.raises(ValueError, match="argument"):
        deviations_ns(rises, [0, 100, 200])


def test_a_shot_is_planned_in_time_and_the_rail_falls_by_itself(bench: Bench):
    part = planning.measure(bench, quietly)
    assert missed(part) == []
    figures = by_name(part.metrics)
    assert figures["steps of a 10 µL shot"] == 1844
    assert 198 < figures["dead-man: last word → ENABLE falls"] < 202.5
    assert max(part.series["shot.steps_s"]) == pytest.approx(18_445, rel=1e-3)


def test_the_engine_is_exact_at_a_high_rate(bench: Bench):
    assert rates.exact(bench, step_timing(bench), (Output.PLUNGER_STEP,), 400_000, 300)


def test_strikes_that_do_not_come_are_noticed(bench: Bench):
    bench.run("port.drop_rail()")  # no needle moves, and so none lets the second strike go
    axes = (Output.PLUNGER_STEP, Output.DEPTH_STEP)
    assert not rates.exact(bench, step_timing(bench), axes, 200_000, 1_000, strike=True)


def test_the_engine_keeps_its_plan_under_every_load(bench: Bench):
    part = deviation.measure(bench, 1_400, quietly)
    assert missed(part) == []
    assert {len(data) for data in part.series.values()} == {1_399}


def test_random_moves_are_counted_as_they_come_out(bench: Bench):
    part = audit.measure(bench, 3_000, quietly)
    assert missed(part) == []
    assert by_name(part.metrics)["whole chip: of them cut short"] >= 2


@pytest.mark.requirement("R3")
def test_the_interlock_stops_the_pulses_of_a_stalled_chip(bench: Bench):
    part = halts.measure(bench, (8, 1), quietly)
    assert missed(part) == []
    # One fall comes too late for the rise that follows it: its pulse is finished.
    assert 100 <= max(part.series["stop_ns.ours.stalled"]) <= 200


def test_a_usual_driver_is_slower_jitters_and_stops_late():
    part = measure_driver("timer", 80, 2, quietly)
    assert 5_000 <= part.series["top_rate.timer"][0] <= 60_000
    assert max(part.series["jitter_ns.timer.quiet"]) < 20_000
    assert max(part.series["jitter_ns.timer.collect"]) > 1_000_000
    assert all(stop_ns < 1_000_000 for stop_ns in part.series["stop_ns.timer.quiet"])


def made_up(**changes: list[float]) -> dict[str, list[float]]:
    """Data in which each driver is 100 times worse than ours."""
    series: dict[str, list[float]] = {
        "top_rate.ours": [1_000_000],
        "jitter_ns.ours.collect": [0, 0],
        "stop_ns.ours.stalled": [0, 80],
    }
    for driver in DRIVERS:
        series |= {
            f"top_rate.{driver}": [10_000],
            f"surplus.{driver}.collect": [0],
            f"jitter_ns.{driver}.collect": [0, 800],
            f"stop_ns.{driver}.quiet": [8_000],
            f"stop_ns.{driver}.collect": [80, 8_000],
        }
    return series | {name.replace("__", "."): data for name, data in changes.items()}


BEST = ": the best of the usual"
JITTER = f"worst jitter under gc.collect(), baseline ÷ ours{BEST}"


def test_ratios_are_those_to_the_best_baseline():
    series = made_up(top_rate__timer=[20_000], stop_ns__sleep__quiet=[4_000])
    figures = by_name(ratios(series))
    assert figures[f"top exact rate, ours ÷ baseline{BEST}"] == 50
    assert figures[f"longest stop when idle, baseline ÷ ours{BEST}"] == 50
    assert figures[f"longest stop under gc.collect(), baseline ÷ ours{BEST}"] == 100
    assert figures[JITTER] == 100


@pytest.mark.parametrize(("surplus", "ratio"), [(0, 1), (3, 100)], ids=["exact", "too many"])
def test_a_driver_without_jitter_is_the_best_unless_its_count_is_wrong(surplus: int, ratio: int):
    series = made_up(jitter_ns__interrupt__collect=[0, 0], surplus__interrupt__collect=[surplus])
    assert by_name(ratios(series))[JITTER] == ratio


def test_a_hard_interrupt_is_not_one_of_the_usual():
    series = made_up(jitter_ns__hard__collect=[0, 0], stop_ns__hard__quiet=[8])
    figures = by_name(ratios(series))
    assert figures[JITTER] == 100
    assert figures["longest stop when idle, baseline ÷ ours: the best of the usual"] == 100


def test_the_page_shows_a_missed_bound_as_missed():
    rows = report.rows([Metric("good", 1, "ns", "<= 2"), Metric("bad", 3_000, "ns", "<= 2")])
    assert "| good | 1 ns | <= 2 |" in rows
    assert "| bad | 3,000 ns | <= 2 **missed** |" in rows
