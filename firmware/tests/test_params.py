"""Values of a request are what they should be, or refused by name with their bounds."""

import pytest

from injector.errors import Refusal
from injector.params import digits, only, text, whole
from mesodrive_wire import BAD_PARAMS, LIMIT


def refusal(check: object, *values: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check(*values)
    return caught.value


@pytest.mark.parametrize("value", [3, 4, 9])
def test_a_whole_number_within_its_bounds_is_taken(value: int):
    assert whole({"a": value}, "a", 3, 9) == value


@pytest.mark.parametrize(("value", "limit"), [(2, 3), (-5, 3), (10, 9), (99, 9)])
def test_a_number_past_a_bound_is_refused_with_that_bound(value: int, limit: int):
    told = refusal(whole, {"a": value}, "a", 3, 9)
    assert told.code == LIMIT
    assert told.data == {"name": "a", "value": value, "limit": limit}


@pytest.mark.parametrize("value", [True, False, 4.0, "4", None, [4], {}])
def test_what_is_no_whole_number_is_refused(value: object):
    assert refusal(whole, {"a": value}, "a", 0, 9).code == BAD_PARAMS
    assert refusal(whole, {}, "a", 0, 9).code == BAD_PARAMS


@pytest.mark.parametrize("value", ["a", "abcde", "\ud7ff", "\ue000"])
def test_a_text_of_a_fitting_length_is_taken(value: str):
    assert text({"a": value}, "a", 5) == value


@pytest.mark.parametrize("value", ["", "abcdef", 5, None, [], ["a"], b"abc", "\ud800", "a\udfff"])
def test_what_is_no_text_or_too_long_is_refused(value: object):
    assert refusal(text, {"a": value}, "a", 5).code == BAD_PARAMS


def test_digits_are_taken_as_bytes():
    assert digits({"a": "00ff9a"}, "a", 3) == b"\x00\xff\x9a"


@pytest.mark.parametrize("value", ["", "00ff9", "00ff9a0", "00FF9A", "00ff9g", 1, None, ["0"] * 6])
def test_what_are_no_digits_or_too_few_is_refused(value: object):
    assert refusal(digits, {"a": value}, "a", 3).code == BAD_PARAMS


def test_nothing_is_taken_that_is_not_known():
    only({}, ("a",))
    only({"a": 1, "b": 2}, ("a", "b"))
    told = refusal(only, {"a": 1, "c": 2}, ("a", "b"))
    assert told.code == BAD_PARAMS
    assert "'c'" in told.sentence
