"""How much the link takes in one step, and how far its ids leap."""

import pytest
from stand_ins import StandInLine

from injector.link import Link
from mesodrive_wire import STOP, encode, request


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


def test_an_id_leaps_twice_the_noise_and_never_past_the_furthest():
    link = Link(StandInLine(), {})
    furthest = 2**53 - 2**40
    for last_id, noise, next_id in (
        (10, b"\x01\x02", 10 + 2 * 0x102),
        (furthest - 3, b"\x01", furthest - 1),
        (furthest - 2, b"\x01", furthest - 2),
    ):
        link.last_id = last_id
        assert link.leap(noise) == next_id
        assert link.last_id == next_id


def test_where_nobody_proves_who_it_is_an_id_may_lie_any_way_ahead():
    line, link, ran = connected()
    line.arrived = encode(request(1_000_000, "echo", {}))
    link.step()
    assert (len(ran), link.last_id) == (1, 1_000_000)


def test_a_request_before_a_stop_byte_is_the_only_one_of_its_step():
    line, link, ran = connected()
    first, second = (encode(request(id, "echo", {"a": id})) for id in (1, 2))
    assert len(first) + 1 < 128 < len(first) + 1 + len(second)  # a chunk of 64 ends there
    line.arrived = first + STOP + second
    link.step()
    assert ran == [{"a": 1}]
    link.step()
    assert ran == [{"a": 1}, {"a": 2}]
