"""Dose arithmetic against exact fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from injector.dose import DoseMeter

NL_PER_MM = st.integers(1_000, 500_000)
STEPS_PER_MM = st.integers(100, 12_800)
DOSES = st.integers(0, 100_000)


def exact_steps(nl: int, nl_per_mm: int, steps_per_mm: int) -> Fraction:
    return Fraction(nl * steps_per_mm, nl_per_mm)


@pytest.mark.requirement("R24")
@given(NL_PER_MM, STEPS_PER_MM, st.lists(DOSES, max_size=60))
def test_after_any_doses_the_plunger_is_within_half_a_step(
    nl_per_mm: int, steps_per_mm: int, doses: list[int]
):
    meter = DoseMeter(nl_per_mm, steps_per_mm)
    made = asked = 0
    for nl in doses:
        asked += nl
        made += meter.next_steps(nl)
        assert abs(made - exact_steps(asked, nl_per_mm, steps_per_mm)) <= Fraction(1, 2)


@pytest.mark.requirement("R24")
def test_two_thousand_equal_doses_lose_nothing():
    meter = DoseMeter(17_349, 3_200)
    made = sum(meter.next_steps(1_000) for _ in range(2_000))
    assert abs(made - exact_steps(2_000_000, 17_349, 3_200)) <= Fraction(1, 2)


@pytest.mark.requirement("R24")
@given(NL_PER_MM, STEPS_PER_MM, DOSES, st.integers(1, 40))
def test_the_residue_changes_a_dose_by_one_step_at_most_and_never_below_none(
    nl_per_mm: int, steps_per_mm: int, nl: int, times: int
):
    meter = DoseMeter(nl_per_mm, steps_per_mm)
    plain = meter.steps(nl)
    for _ in range(times):
        steps = meter.next_steps(nl)
        assert abs(steps - plain) <= 1
        assert steps >= 0


@given(NL_PER_MM, STEPS_PER_MM, DOSES)
def test_steps_are_the_nearest_to_a_dose(nl_per_mm: int, steps_per_mm: int, nl: int):
    steps = DoseMeter(nl_per_mm, steps_per_mm).steps(nl)
    assert abs(steps - exact_steps(nl, nl_per_mm, steps_per_mm)) <= Fraction(1, 2)


@pytest.mark.requirement("R24")
@given(NL_PER_MM, STEPS_PER_MM, st.integers(0, 1_000_000))
def test_what_steps_displace_is_told_to_the_nearest_nanolitre(
    nl_per_mm: int, steps_per_mm: int, steps: int
):
    nl = DoseMeter(nl_per_mm, steps_per_mm).nl(steps)
    assert abs(nl - Fraction(steps * nl_per_mm, steps_per_mm)) <= Fraction(1, 2)


@given(NL_PER_MM, STEPS_PER_MM, DOSES)
def test_there_and_back_is_within_half_a_step(nl_per_mm: int, steps_per_mm: int, nl: int):
    meter = DoseMeter(nl_per_mm, steps_per_mm)
    half_a_step = Fraction(nl_per_mm, 2 * steps_per_mm)
    assert abs(meter.nl(meter.steps(nl)) - nl) <= half_a_step + Fraction(1, 2)


@given(st.lists(DOSES, min_size=1, max_size=10), DOSES)
def test_a_meter_that_forgets_owes_nothing(before: list[int], nl: int):
    meter = DoseMeter(17_349, 3_200)
    for dose in before:
        meter.next_steps(dose)
    meter.forget()
    afresh = DoseMeter(17_349, 3_200).steps(nl)
    assert meter.next_steps(nl) in (afresh - 1, afresh)


@pytest.mark.requirement("R24")
@given(st.lists(st.integers(0, 1_000), max_size=50), st.integers(1, 500_000))
def test_doses_that_are_each_cut_short_do_not_round_up_anew(doses: list[int], nl_per_mm: int):
    meter = DoseMeter(nl_per_mm, 3_200)
    given_steps = 0
    for dose in doses:
        given_steps += meter.next_steps(dose)
        meter.forget()
    assert Fraction(given_steps * nl_per_mm, 3_200) <= sum(doses) + Fraction(nl_per_mm, 6_400)


@pytest.mark.parametrize(("nl", "steps"), [(0, 0), (1_000, 184), (10_000, 1_844), (17_349, 3_200)])
def test_known_doses_from_a_1_ml_syringe(nl: int, steps: int):
    assert DoseMeter(17_349, 3_200).steps(nl) == steps


@pytest.mark.requirement("R24")
def test_a_dose_of_half_a_step_is_rounded_up_and_the_next_makes_up_for_it():
    meter = DoseMeter(2, 1)  # 2 nl a step
    assert [meter.next_steps(1) for _ in range(4)] == [1, 0, 1, 0]
    meter.next_steps(1)
    meter.forget()
    assert [meter.next_steps(1), meter.steps(1), meter.nl(3)] == [0, 1, 6]


@pytest.mark.requirement("R24")
def test_nothing_is_owed_to_begin_with_nor_after_it_was_forgotten():
    meter = DoseMeter(2, 1)
    assert meter.next_steps(0) == 0
    meter.next_steps(1)
    meter.forget()
    assert meter.next_steps(0) == 0


def test_half_a_nanolitre_is_told_as_a_whole_one():
    meter = DoseMeter(1, 2)  # half a nl a step
    assert [meter.nl(steps) for steps in range(4)] == [0, 1, 1, 2]


@pytest.mark.requirement("R24")
@pytest.mark.parametrize(("before_nl", "then_nl", "steps"), [(1, 1, 0), (1, 2, 1), (0, 2, 1)])
def test_not_even_a_quarter_of_a_step_is_owed_once_it_was_forgotten(
    before_nl: int, then_nl: int, steps: int
):
    meter = DoseMeter(4, 1)
    assert meter.next_steps(before_nl) == 0
    meter.forget()
    assert meter.next_steps(then_nl) == steps
