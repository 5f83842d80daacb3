"""The device keeps its last 1500 strikes and tells each once, in order, twelve at a time."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from injector.reports import AT_ONCE, KEPT, OUTCOMES, Reports
from mesodrive_wire import encode, notification, result

WORD = 2**32 - 2
SENSOR = st.none() | st.integers(0, 2**30 - 2)
COUNTS = [st.integers(0, WORD)] * 3
WHYS = st.text(st.characters(codec="ascii"), min_size=1, max_size=48)
# t_us, outcome, dose_nl, steps, audit, out_us, back_us, why: empty when the strike was done
STRIKES = st.one_of(
    st.tuples(st.integers(0, 2**53), st.just("done"), *COUNTS, SENSOR, SENSOR, st.just("")),
    st.tuples(st.integers(0, 2**53), st.sampled_from(OUTCOMES[1:]), *COUNTS, SENSOR, SENSOR, WHYS),
)
DONE = (0, "done", 0, 0, 0, None, None, "")


def numbers(batch: dict[str, object]) -> list[int]:
    return [row[0] for row in batch["rows"]]  # type: ignore[union-attr, index]


def kept(strikes: int) -> Reports:
    reports = Reports()
    for _ in range(strikes):
        reports.add(*DONE)
    return reports


@given(st.lists(STRIKES, max_size=30))
def test_a_row_says_what_was_added(strikes: list[tuple[object, ...]]):
    reports = Reports()
    for strike in strikes:
        reports.add(*strike)
    rows = [row for first in (1, 13, 25) for row in reports.first(first)["rows"]]
    assert rows == [[number + 1, *strike] for number, strike in enumerate(strikes)]


def test_rows_come_from_the_number_asked_for_twelve_at_a_time():
    assert numbers(kept(30).first(1)) == [*range(1, 13)]
    assert numbers(kept(30).first(13)) == [*range(13, 25)]
    assert numbers(kept(30).first(25)) == [*range(25, 31)]
    assert numbers(kept(30).first(31)) == []


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("strikes", [KEPT - 1, KEPT, KEPT + 1, 5 * KEPT + 7])
def test_the_last_1500_are_kept_and_the_rest_counted_as_lost(strikes: int):
    assert KEPT == 1_500
    reports = kept(strikes)
    gone = max(0, strikes - 1_500)
    batch = reports.first(1)
    assert batch["lost"] == reports.lost == gone
    assert numbers(batch) == [*range(gone + 1, gone + 13)]
    assert numbers(reports.first(strikes)) == [strikes]


class Telling(RuleBasedStateMachine):
    """Strikes come, the host reads or not, a profile is loaded: who was told what."""

    def __init__(self) -> None:
        super().__init__()
        self.reports = Reports()
        self.begin()

    def begin(self) -> None:
        self.added: list[list[object]] = []
        self.told: list[int] = []
        self.lost = 0  # as the host was told

    @rule(strike=STRIKES)
    def strike(self, strike: tuple[object, ...]) -> None:
        self.reports.add(*strike)
        self.added.append([len(self.added) + 1, *strike])

    @rule(strikes=st.sampled_from([1, 11, 40, 700, 1_499, 1_501]), strike=STRIKES)
    def many_strikes(self, strikes: int, strike: tuple[object, ...]) -> None:
        strike = (strike[0], "done", *strike[2:7], "")
        for _ in range(strikes):
            self.strike(strike)

    @precondition(lambda self: self.reports.waiting)
    @rule(lines=st.integers(1, 5))
    def tell(self, lines: int) -> None:
        for _ in range(lines):
            if not self.reports.waiting:
                return
            batch = self.reports.tell()
            assert 1 <= len(numbers(batch)) <= AT_ONCE
            self.lost = batch["lost"]
            self.told += numbers(batch)
            assert batch["rows"] == [self.added[number - 1] for number in numbers(batch)]

    @rule(first=st.integers(1, 5_000))
    def ask(self, first: int) -> None:
        oldest = max(first, len(self.added) - KEPT + 1)
        expected = self.added[oldest - 1 : oldest - 1 + AT_ONCE]
        assert self.reports.first(first)["rows"] == expected

    @rule()
    def load(self) -> None:
        self.reports.clear()
        self.begin()

    @invariant()
    def each_was_told_once_and_in_order_and_what_is_missing_is_lost(self) -> None:
        assert self.told == sorted(set(self.told))
        untold = set(range(1, (self.told or [0])[-1] + 1)) - set(self.told)
        assert len(untold) <= self.lost <= len(self.added)
        assert all(number <= self.lost for number in untold)
        assert self.reports.waiting == len(self.added) - (self.told or [0])[-1]


# No shrinking: it takes minutes where a failure of 25 steps can be read as it is.
Telling.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, phases=[Phase.reuse, Phase.generate]
)
TestTelling = Telling.TestCase


WIDEST = (2**64 - 1, "misfire", WORD, WORD, WORD, WORD, 2**30 - 2, "the needle " * 9)


def test_twelve_rows_fit_a_line_whatever_they_hold():
    reports = Reports()
    for _ in range(100_000 - 60):
        reports.add(*DONE)
    for _ in range(60):
        reports.add(*WIDEST)
    batch = reports.first(99_989)
    assert len(batch["rows"]) == AT_ONCE == 12
    assert encode(notification("shots", 2**53 - 1, batch))
    assert encode(result(2**53 - 1, batch))


def test_the_reasons_of_the_last_64_that_were_not_done_are_kept():
    reports = Reports()
    for n in range(1, 201):
        reports.add(0, "stopped", 0, 0, 0, None, None, f"why {n}")
        reports.add(*DONE)
    whys = {n: reports.first(2 * n - 1)["rows"][0][8] for n in range(1, 201)}
    assert [whys[n] for n in range(137, 201)] == [f"why {n}" for n in range(137, 201)]
    assert {whys[n] for n in range(1, 137)} == {"too long ago"}
    assert reports.first(400)["rows"][0][8] == ""


def test_a_new_profile_starts_afresh_with_reasons_and_all():
    reports = Reports()
    reports.add(0, "stopped", 0, 0, 0, None, None, "before")
    reports.clear()
    assert (reports.waiting, reports.lost, reports.first(1)["rows"]) == (0, 0, [])
    reports.add(0, "stopped", 0, 0, 0, None, None, "after")
    assert [row[8] for row in reports.first(1)["rows"]] == ["after"]
