"""What a device tells by itself is typed, and refused by name when it is of another shape."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.telemetry import INPUTS, LiveStatus, Shot, Shots, TelemetryError, Trace
from mesodrive_rig.scripted import LIVE, row

PLACES = {name: place for place, name in enumerate(Shot._fields)}


def test_the_places_of_a_row_are_those_of_the_document() -> None:
    told = Shots.of({"lost": 2, "rows": [[7, 15_400_123, "done", 9997, 1845, 1845, 3014, 99, ""]]})
    assert told.lost == 2
    assert told.rows == [
        Shot(
            shot=7,
            t_us=15_400_123,
            outcome="done",
            dose_nl=9997,
            steps=1845,
            audit=1845,
            out_us=3014,
            back_us=99,
            why="",
        )
    ]


def test_a_needle_that_was_not_seen_is_none() -> None:
    (shot,) = Shots.of({"lost": 0, "rows": [row(1, out_us=None, back_us=None)]}).rows
    assert (shot.out_us, shot.back_us) == (None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shot", 0),
        ("shot", True),
        ("shot", "1"),
        ("t_us", -1),
        ("t_us", 2**53),
        ("outcome", "fine"),
        ("dose_nl", 12.01),
        ("dose_nl", None),
        ("steps", -1),
        ("audit", "768"),
        ("out_us", -1),
        ("back_us", 1.5),
        ("why", None),
    ],
)
def test_a_row_of_another_shape_is_refused_by_its_place(name: str, value: object) -> None:
    place = PLACES[name]
    with pytest.raises(TelemetryError, match=rf"docs/protocol\.md says \('rows\.1\.{place}'"):
        Shots.of({"lost": 0, "rows": [row(1), row(2, **{name: value})]})


@pytest.mark.parametrize(
    "params",
    [
        {"rows": []},
        {"lost": 0},
        {"lost": -1, "rows": []},
        {"lost": 0, "rows": [row(1)[:-1]]},
        {"lost": 0, "rows": [[*row(1), 1]]},
        {"lost": 0, "rows": [7]},
        {"lost": 0, "rows": {}},
    ],
    ids=["no-lost", "no-rows", "negative", "short", "long", "no-row", "no-list"],
)
def test_a_batch_of_another_shape_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(TelemetryError, match=r"put the same version of mesodrive on the device"):
        Shots.of(params)


@given(st.integers(0, 2 ** len(INPUTS) - 1))
def test_the_inputs_of_the_live_status_are_bits_in_their_order(bits: int) -> None:
    live = LiveStatus.of({**LIVE, "inputs": bits})
    assert [live.on(name) for name in INPUTS] == [bool(bits & 1 << n) for n in range(len(INPUTS))]


def test_a_live_status_may_tell_more_but_not_less() -> None:
    assert LiveStatus.of({**LIVE, "newer": 1}).left_nl == LIVE["left_nl"]
    for name in LIVE:
        with pytest.raises(TelemetryError, match=name):
            LiveStatus.of({key: value for key, value in LIVE.items() if key != name})


def test_the_trace_is_typed() -> None:
    (event,) = Trace.of({"total": 1, "rows": [[5, "contact", 0]]}).rows
    assert (event.t_us, event.event, event.value) == (5, "contact", 0)
