"""The last events before a stop: kept at the stop, and read after it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from situations import in_state, striking
from stand_ins import Machine

from injector.controller import STATES
from injector.trace import AT_ONCE, NAMES, Trace
from injector.uptime import LOW, LOW_BITS
from mesodrive_wire import encode, result


class Events:
    """A port that has noted `events`: (µs of uptime, event, value)."""

    def __init__(self, events: list[tuple[int, int, int]]):
        self.events = events

    def trace(self):
        for time_us, event, value in self.events:
            yield time_us >> LOW_BITS, time_us & LOW, event, value


DAY_US = 86_400_000_000
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 400 * DAY_US),
        st.integers(1, len(NAMES) - 1),
        st.integers(0, 2**30),
    ),
    max_size=128,
)


@pytest.mark.requirement("R22")
@given(EVENTS)
def test_events_are_kept_with_their_uptime_and_name_however_old(
    events: list[tuple[int, int, int]],
):
    trace = Trace(Events(sorted(events)))
    trace.keep()
    rows = [row for first in range(0, 128, AT_ONCE) for row in trace.first(first)["rows"]]
    assert rows == [[us, NAMES[what], n] for us, what, n in sorted(events)]
    assert trace.first(0)["total"] == len(events)


def test_rows_come_from_the_place_asked_for_32_at_a_time():
    trace = Trace(Events([(n, 1, n) for n in range(100)]))
    assert trace.first(0) == {"total": 0, "rows": []}
    trace.keep()
    for first in (0, 32, 64, 96, 99, 100, 1_000):
        values = [value for *_, value in trace.first(first)["rows"]]
        assert values == [*range(first, min(100, first + 32))]


def test_32_of_the_widest_rows_fit_a_line():
    trace = Trace(Events([(2**53, NAMES.index("needle_back"), 2**32 - 1)] * 128))
    trace.keep()
    assert encode(result(2**53 - 1, trace.first(96)))


def told(machine: Machine) -> list[list[object]]:
    rows: list[list[object]] = []
    while True:
        batch = machine.trace.first(len(rows))
        rows += batch["rows"]  # type: ignore[arg-type]
        if len(rows) == batch["total"]:
            return rows


@pytest.mark.parametrize(
    "how",
    ["trigger", "contact", "guard", "stop", "cartridge", "supply", "open", "disarm", "stop_byte",
     "needle_jams", "needle_sticks", "lost_steps"],
)  # fmt: skip
def test_every_stop_keeps_what_led_to_it(how: str):
    machine = striking()
    before = told(machine)
    started_us = machine.port.now_us
    if how in ("needle_jams", "needle_sticks", "lost_steps"):
        machine.port.set(how, 1)
        machine.run(100)
    else:
        machine.port.advance(12)
        if how == "disarm":
            machine.request("disarm")
        elif how == "stop_byte":
            machine.port.host_stop()
        else:
            machine.port.set(how, 0)
    machine.run(20)
    rows = told(machine)
    assert rows != before
    assert [started_us, "strike", 1] in rows
    assert "halt" in [event for _, event, _ in rows]
    times = [t_us for t_us, *_ in rows]
    assert times == sorted(times)
    states = [STATES[value] for _, event, value in rows if event == "state"]
    assert states[-3:] == ["ARMED", "DELIVERING", machine.state]
    if how in ("guard", "trigger"):
        assert "input_fell" in [event for _, event, _ in rows]


def test_what_is_kept_stays_until_the_next_stop():
    machine = in_state("PAUSED")
    rows = told(machine)
    machine.pull(10)
    assert told(machine) == rows
    machine.request("disarm")
    assert told(machine) != rows


def test_inputs_are_noted_when_they_change_and_only_then():
    machine = in_state("READY")
    seen = len(machine.port.events)
    machine.run(500)
    assert len(machine.port.events) == seen
    machine.port.set("contact", 1)
    machine.run(50)
    (noted,) = machine.port.events[seen:]
    assert noted[2:] == (NAMES.index("inputs"), machine.port.read())
