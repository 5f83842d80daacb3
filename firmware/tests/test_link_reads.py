"""How many bytes one step of the link takes at most."""

import pytest
from stand_ins import StandInLine

from injector.link import Link
from mesodrive_wire import encode, request

MOST = 8 * 64


@pytest.mark.parametrize(("length", "steps"), [(MOST, 1), (MOST + 1, 2), (2 * MOST, 2)])
def test_a_request_of_512_bytes_is_taken_in_one_step_and_of_one_more_in_two(
    length: int, steps: int
):
    line = StandInLine()
    ran: list[object] = []
    link = Link(line, {"echo": lambda params, _: ran.append(params) or {}})
    link.step()
    empty = len(encode(request(1, "echo", {"a": ""})))
    line.arrived = encode(request(1, "echo", {"a": "x" * (length - empty)}))
    assert len(line.arrived) == length
    for _ in range(steps):
        assert ran == []
        link.step()
    assert len(ran) == 1
