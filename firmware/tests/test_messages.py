"""The envelopes of JSON-RPC 2.0: what is a request, and what is not."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mesodrive_wire
from mesodrive_wire import error, notification, request, request_fault, result

MAX_ID = 2**53 - 1
NOT_WHOLE = st.none() | st.text() | st.floats() | st.booleans() | st.lists(st.integers())


@given(
    st.integers(1, MAX_ID),
    st.text(),
    st.none() | st.dictionaries(st.text(), st.integers(-MAX_ID, MAX_ID) | st.text()),
)
def test_what_request_makes_is_a_request(id: int, method: str, params: dict[str, object] | None):
    assert request_fault(request(id, method, params)) is None


def test_a_request_without_params_leaves_them_out():
    assert "params" not in request(1, "ping")
    assert "params" not in request(1, "ping", {})


@pytest.mark.parametrize("id", [1, MAX_ID])
def test_the_first_and_the_last_id_are_taken(id: int):
    assert request_fault(request(id, "ping")) is None


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("id", [0, -1, MAX_ID + 1, 10**1000])
def test_an_id_out_of_range_is_refused(id: int):
    assert "2^53-1" in str(request_fault(request(id, "ping")))


@pytest.mark.requirement("R26")
@given(NOT_WHOLE)
def test_an_id_that_is_no_whole_number_is_refused(id: object):
    assert "whole number" in str(request_fault({"jsonrpc": "2.0", "id": id, "method": "ping"}))


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("lacks", ["jsonrpc", "id", "method"])
def test_a_request_that_lacks_a_part_is_refused(lacks: str):
    message = request(1, "ping")
    del message[lacks]
    assert lacks in str(request_fault(message))


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("version", ["1.0", "2", 2.0, None])
def test_another_version_of_json_rpc_is_refused(version: object):
    assert "jsonrpc" in str(request_fault({**request(1, "ping"), "jsonrpc": version}))


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("method", [None, 7, ["ping"], {"name": "ping"}])
def test_a_method_that_is_no_string_is_refused(method: object):
    assert "method" in str(request_fault({**request(1, "x"), "method": method}))


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("params", [None, 7, "x", [1], True])
def test_params_that_are_no_object_are_refused(params: object):
    assert "named values" in str(request_fault({**request(1, "ping"), "params": params}))


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("key", ["result", "Method", ""])
def test_an_unknown_key_is_refused_by_name(key: str):
    assert f"'{key}'" in str(request_fault({**request(1, "ping"), key: 1}))


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_params_may_be_four_levels_deep_and_no_deeper(wrap: object):
    value: object = {}
    for _ in range(2):
        value = wrap(value)  # type: ignore[operator]
    assert request_fault(request(1, "x", {"first": value})) is None
    deeper = {"shallow": 1, "first": wrap(value)}  # type: ignore[operator]
    assert "deeper than 4" in str(request_fault(request(1, "x", deeper)))


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    "spread", [lambda n: {"a": [1] * (n - 1)}, lambda n: dict.fromkeys(map(str, range(n)))]
)
def test_params_hold_a_hundred_values_and_no_more(spread: object):
    assert request_fault(request(1, "x", spread(100))) is None  # type: ignore[operator]
    assert "more than 100 values" in str(request_fault(request(1, "x", spread(101))))  # type: ignore[operator]


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("wrap", [lambda one: {"a": one}, lambda one: {"b": [{"a": one}]}])
def test_a_number_in_params_is_no_greater_than_an_id(sign: int, wrap: object):
    assert request_fault(request(1, "x", wrap(sign * MAX_ID))) is None  # type: ignore[operator]
    fault = request_fault(request(1, "x", wrap(sign * (MAX_ID + 1))))  # type: ignore[operator]
    assert "beyond 2^53-1" in str(fault)


def test_answers_carry_the_id_and_an_error_its_figures_only_if_there_are_any():
    assert result(3, {"a": 1}) == {"jsonrpc": "2.0", "id": 3, "result": {"a": 1}}
    plain = {"code": -32001, "message": "No."}
    assert error(3, -32001, "No.") == {"jsonrpc": "2.0", "id": 3, "error": plain}
    assert error(None, -32001, "No.", {"limit": 2})["error"] == {**plain, "data": {"limit": 2}}


def test_a_notification_carries_its_number_among_its_values_and_no_id():
    message = notification("shot", 5, {"shot": 1})
    assert message == {"jsonrpc": "2.0", "method": "shot", "params": {"seq": 5, "shot": 1}}
    assert request_fault(message) is not None


PROTOCOL_PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
NAMES = {
    "parse": "PARSE",
    "request": "BAD_REQUEST",
    "method": "UNKNOWN_METHOD",
    "params": "BAD_PARAMS",
    "internal": "INTERNAL",
    "state": "WRONG_STATE",
    "limit": "LIMIT",
    "interlock": "INTERLOCK",
    "stale id": "STALE_ID",
    "busy": "BUSY",
    "fault": "FAULTED",
    "unauthorized": "UNAUTHORIZED",
    "locked": "LOCKED",
    "in doubt": "IN_DOUBT",
}


def test_codes_and_version_are_those_of_the_protocol():
    told: dict[str, int] = {}
    for codes, names in re.findall(
        r"^\| (−32\d{3}[^|]*) \| ([^|]+) \|", PROTOCOL_PAGE, re.MULTILINE
    ):
        numbers = [-int(code) for code in re.findall(r"\d+", codes)]
        told.update(zip(names.split(", "), numbers, strict=True))
    assert {name: getattr(mesodrive_wire, NAMES[name]) for name in NAMES} == {
        name: told[name] for name in NAMES
    }
    version = re.search(r"Protocol version: \*\*(\d+)\*\*", PROTOCOL_PAGE)
    assert version
    assert int(version[1]) == mesodrive_wire.PROTOCOL
