"""How much the link takes in one step: no look at the machine waits for two requests."""

import pytest
from stand_ins import StandInLine

from injector.link import Link
from mesodrive_wire import encode, request


def connected() -> tuple[StandInLine, Link, list[object]]:
    line = StandInLine()
    ran: list[object] = []
    link = Link(line, {"echo": lambda params, _: ran.append(params) or {}})
    link.step()
    return line, link, ran


@pytest.mark.parametrize("length", [70, 128, 200])
def test_one_request_a_step(length: int):  # more than a chunk of 64, so that each ends in its own
    line, link, ran = connected()
    for id in (1, 2, 3):
        text = encode(request(id, "echo", {"a": ""}))
        line.arrived += encode(request(id, "echo", {"a": "x" * max(0, length - len(text))}))
    for number in (1, 2, 3):
        link.step()
        assert len(ran) == number


def test_a_long_request_is_taken_in_steps_of_eight_chunks():
    line, link, ran = connected()
    line.arrived = encode(request(1, "echo", {"a": "x" * 600}))
    link.step()
    assert ran == []
    assert len(line.arrived) > 0
    link.step()
    assert len(ran) == 1


def test_every_step_is_counted():
    _, link, _ = connected()
    steps = link.steps
    link.step()
    assert link.steps != steps
