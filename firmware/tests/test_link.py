"""Each request runs once, each is answered, and nobody on the wire can fill the memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import StandInLine

from injector.errors import Refusal
from injector.link import LATER, Link
from mesodrive_wire import MAX_LINE, STOP, LineReader, decode, encode, request

UNREAD_AT_MOST = 40 + 64  # lines that may wait, and those that one chunk of 64 bytes can add


class Wire:
    """A link, its line, and a host that writes and reads."""

    def __init__(self) -> None:
        self.line = StandInLine()
        self.ran: list[tuple[str, object]] = []
        self.later: list[object] = []
        self.link = Link(
            self.line,
            {
                "echo": self._echo,
                "refuse": self._refuse,
                "break": self._break,
                "later": self._later,
                "much": lambda *_: {"much": "x" * 3_000},
            },
        )
        self.link.step()  # sees the port open

    def _echo(self, params: dict[str, object], _: object) -> object:
        self.ran.append(("echo", params))
        return {"echo": params, "n": len(self.ran)}

    def _refuse(self, params: dict[str, object], _: object) -> object:
        self.ran.append(("refuse", params))
        raise Refusal(-32001, "Not now.", {"limit": 3})

    def _break(self, *_: object) -> object:
        raise KeyError("oops")

    def _later(self, params: dict[str, object], answer: object) -> object:
        self.ran.append(("later", params))
        self.later.append(answer)
        return LATER

    def send(self, *lines: bytes) -> None:
        self.line.arrived += b"".join(lines)
        for _ in range(4 + len(self.line.arrived) // 64):
            self.link.step()

    def heard(self) -> list[dict[str, object]]:
        """What the host has read since it was last asked."""
        lines = LineReader().feed(self.line.sent)
        self.line.sent = b""
        return [decode(line) for line in lines if line is not None]

    def ask(self, id: int, method: str, **params: object) -> list[dict[str, object]]:
        self.send(encode(request(id, method, params)))
        return self.heard()


@pytest.fixture
def wire() -> Wire:
    return Wire()


def codes(answers: list[dict[str, object]]) -> list[object]:
    return [answer["error"]["code"] for answer in answers]  # type: ignore[index]


def test_a_request_is_run_and_answered_under_its_id(wire: Wire):
    (answer,) = wire.ask(7, "echo", a=1)
    assert answer == {"jsonrpc": "2.0", "id": 7, "result": {"echo": {"a": 1}, "n": 1}}


@pytest.mark.requirement("R16")
def test_the_same_line_again_gets_the_same_answer_and_runs_nothing(wire: Wire):
    for method in ("echo", "refuse", "unknown"):
        before = len(wire.ran)
        first = wire.ask(wire.link.last_id + 1, method, a=1)
        ran = len(wire.ran)
        again = wire.ask(wire.link.last_id, method, a=1)
        assert again == first
        assert len(wire.ran) == ran <= before + 1


@pytest.mark.requirement("R16")
@pytest.mark.parametrize(
    ("id", "method", "params"), [(7, "echo", {"a": 2}), (7, "refuse", {"a": 1}), (6, "echo", {})]
)
def test_any_other_use_of_an_old_id_is_refused_with_the_last_id(
    wire: Wire, id: int, method: str, params: dict[str, object]
):
    wire.ask(7, "echo", a=1)
    (answer,) = wire.ask(id, method, **params)
    assert answer["id"] == id
    assert answer["error"]["code"] == -32004  # type: ignore[index]
    assert answer["error"]["data"] == {"last_id": 7}  # type: ignore[index]
    assert len(wire.ran) == 1


# few ids and few contents, so that repeats, stale ids and new ones all come
REQUESTS = st.tuples(
    st.integers(1, 12), st.sampled_from(["echo", "refuse", "later"]), st.integers(0, 1)
)


@pytest.mark.requirement("R16")
@given(st.lists(REQUESTS, max_size=40))
def test_an_id_never_runs_twice_and_ids_grow(requests: list[tuple[int, str, int]]):
    wire = Wire()
    last = 0
    for id, method, a in requests:
        before = len(wire.ran)
        answers = wire.ask(id, method, a=a)
        ran = len(wire.ran) - before
        assert ran == (1 if id > last else 0)
        last = max(last, id)
        assert wire.link.last_id == last
        assert all(answer["id"] == id for answer in answers)


@pytest.mark.requirement("R16")
def test_the_answers_of_the_last_sixteen_requests_are_kept(wire: Wire):
    for id in range(1, 18):
        wire.ask(id, "echo", a=id)
    assert wire.ask(2, "echo", a=2)[0]["result"] == {"echo": {"a": 2}, "n": 2}
    assert codes(wire.ask(1, "echo", a=1)) == [-32004]


@pytest.mark.requirement("R16")
def test_a_request_that_is_still_being_worked_on_is_never_forgotten(wire: Wire):
    assert wire.ask(1, "later", a=1) == []
    for id in range(2, 60):
        wire.ask(id, "echo")
    assert wire.ask(1, "later", a=1) == []  # heard before: neither run again nor refused as stale
    assert [name for name, _ in wire.ran].count("later") == 1


@pytest.mark.requirement("R26")
def test_an_unknown_method_is_refused_by_name(wire: Wire):
    (answer,) = wire.ask(1, "selfdestruct")
    assert answer["error"]["code"] == -32601  # type: ignore[index]
    assert "'selfdestruct'" in answer["error"]["message"]  # type: ignore[index]


def test_a_refusal_reaches_the_host_with_its_figures(wire: Wire):
    (answer,) = wire.ask(1, "refuse")
    assert answer["error"] == {"code": -32001, "message": "Not now.", "data": {"limit": 3}}


def test_a_defect_is_answered_as_one_and_stops_the_program(wire: Wire):
    with pytest.raises(KeyError):
        wire.ask(1, "break")
    assert codes(wire.heard()) == [-32603]  # nobody steps the link again


@pytest.mark.requirement("R16")
def test_an_answer_may_come_later_and_is_then_repeated_like_any_other(wire: Wire):
    assert wire.ask(1, "later") == []
    assert wire.ask(1, "later") == []
    assert [answer["id"] for answer in wire.ask(2, "echo")] == [2]
    wire.later[0]({"done": True}, None)  # type: ignore[operator]
    wire.link.step()
    (answer,) = wire.heard()
    assert (answer["id"], answer["result"]) == (1, {"done": True})
    assert wire.ask(1, "later") == [answer]
    assert [method for method, _ in wire.ran] == ["later", "echo"]


def test_a_refusal_may_come_later_too(wire: Wire):
    wire.ask(1, "later")
    wire.later[0](None, Refusal(-32003, "The guard is open."))  # type: ignore[operator]
    wire.link.step()
    assert codes(wire.heard()) == [-32003]


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"hello\n", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"echo"} 00000000\n', -32700),
        (b"x" * 5_000 + b"\n", -32700),
        (encode({"jsonrpc": "2.0", "id": 1}), -32600),
        (encode({"jsonrpc": "2.0", "id": 1, "method": "echo", "extra": 1}), -32600),
        (encode(request(1, "echo", {"a": [[[[[1]]]]]})), -32600),
    ],
)
def test_a_broken_line_is_answered_runs_nothing_and_uses_no_id(wire: Wire, line: bytes, code: int):
    wire.send(line)
    answers = wire.heard()
    assert codes(answers) == [code]
    assert answers[0]["id"] is None
    assert (wire.ran, wire.link.last_id, wire.link.heard) == ([], 0, 0)
    assert wire.ask(1, "echo")[0]["id"] == 1


def test_empty_lines_are_let_pass(wire: Wire):
    wire.send(b"\n\r\n  \n")
    assert wire.heard() == []


@pytest.mark.parametrize("method", ["\\" * 900, "é" * 300, "x" * 1_980])
def test_a_refusal_that_quotes_more_than_a_line_holds_is_still_an_answer(wire: Wire, method: str):
    (answer,) = wire.ask(1, method)
    assert (answer["id"], codes([answer])) == (1, [-32601])
    long_key = encode({**request(2, "echo"), "x" * 1_980: 1})
    wire.send(long_key)
    assert codes(wire.heard()) == [-32600]


def test_a_result_longer_than_a_line_is_told_as_a_defect(wire: Wire):
    assert codes(wire.ask(1, "much")) == [-32603]


@pytest.mark.requirement("R15")
def test_only_valid_requests_count_as_heard_and_a_repeat_does(wire: Wire):
    wire.ask(1, "echo")
    wire.ask(1, "echo")
    assert wire.link.heard == 2
    wire.ask(1, "refuse")
    wire.send(b"noise\n")
    assert wire.link.heard == 2


def test_notifications_are_numbered_and_dropped_beyond_a_bound_with_a_count(wire: Wire):
    wire.line.room = 0
    for n in range(100):
        wire.link.tell("shot", {"shot": n})
    assert wire.link.dropped == 100 - 24
    wire.line.room = 1 << 20
    wire.link.step()
    assert [told["params"]["seq"] for told in wire.heard()] == [*range(1, 25)]  # type: ignore[index]
    wire.link.tell("shot", {})
    wire.link.step()
    assert wire.heard()[0]["params"] == {"seq": 101}


def test_without_a_host_notifications_are_dropped_and_counted(wire: Wire):
    wire.line.open = False
    wire.link.step()
    wire.link.tell("state", {})
    assert wire.link.dropped == 1
    wire.line.open = True
    wire.link.step()
    wire.link.tell("state", {})
    wire.link.step()
    assert [told["params"] for told in wire.heard()] == [{"seq": 2}]


def test_the_link_is_idle_when_a_host_has_been_given_all_there_was(wire: Wire):
    assert wire.link.idle
    wire.line.room = 10
    wire.link.tell("state", {})
    wire.link.step()
    assert not wire.link.idle
    wire.line.room = 1 << 20
    wire.link.step()
    assert wire.link.idle
    wire.line.open = False
    wire.link.step()
    assert not wire.link.idle


def test_the_link_is_sending_while_the_line_takes_some_and_not_when_it_takes_none(wire: Wire):
    wire.link.tell("state", {})
    assert not wire.link.sending
    for room, sending in (
        (0, False),
        (1, True),
        (9, True),
        (0, False),
        (10, True),
        (1 << 20, False),
    ):
        wire.line.room = room
        wire.link.step()
        assert wire.link.sending == sending


def test_a_stop_byte_is_no_line_and_is_not_answered(wire: Wire):
    line = encode(request(1, "echo"))
    wire.send(STOP, line[:20], STOP, line[20:], STOP)
    assert [answer["id"] for answer in wire.heard()] == [1]
    assert wire.link.heard == 1


def test_answers_are_never_dropped_however_slow_the_host(wire: Wire):
    wire.line.room = 0
    for n in range(30):
        wire.link.tell("shot", {"shot": n})
    wire.send(*(encode(request(id, "echo")) for id in range(1, 61)))
    told: list[dict[str, object]] = []
    for _ in range(2_000):
        wire.line.room = 13
        wire.link.step()
    told = wire.heard()
    assert [message["id"] for message in told if "id" in message] == [*range(1, 61)]
    assert len([message for message in told if "id" not in message]) == 24


@pytest.mark.parametrize("line", [b"x\n", encode(request(1, "echo")), b"y" * 3_000 + b"\n"])
def test_a_host_that_never_reads_is_not_listened_to_for_ever(wire: Wire, line: bytes):
    wire.line.room = 0
    wire.send(line * 2_000)
    unread = vars(wire.link)["_queue"]
    assert len(unread) <= UNREAD_AT_MOST
    assert wire.line.arrived


@given(st.lists(st.integers(0, 200), min_size=1, max_size=40))
def test_a_line_taken_in_parts_goes_on_where_it_stopped(rooms: list[int]):
    wire = Wire()
    wire.line.room = 0
    wire.send(*(encode(request(id, "echo", {"a": "é" * id})) for id in range(1, 6)))
    for room in [*rooms, 1 << 20]:
        wire.line.room = room
        wire.link.step()
    assert [answer["id"] for answer in wire.heard()] == [1, 2, 3, 4, 5]


@given(st.integers(1, 64))
def test_a_closed_port_clears_what_was_half_received(length: int):
    wire = Wire()
    line = encode(request(1, "echo"))
    wire.send(line[: min(length, len(line) - 1)])
    wire.line.open = False
    wire.link.step()
    wire.line.open = True
    assert wire.ask(2, "echo")[0]["id"] == 2
    assert wire.heard() == []


def test_a_closed_port_clears_what_nobody_has_read_yet(wire: Wire):
    wire.line.arrived = encode(request(1, "echo"))
    wire.line.open = False
    wire.link.step()
    wire.line.open = True
    for _ in range(4):
        wire.link.step()
    assert (wire.ran, wire.heard(), wire.link.last_id) == ([], [], 0)


def test_nobody_is_there_before_the_port_was_seen_open():
    link = Link(StandInLine(), {})
    assert (link.idle, link.sending, link.heard, link.last_id, link.dropped) == (
        False,
        False,
        0,
        0,
        0,
    )
    link.tell("state", {})
    assert link.dropped == 1


def test_as_many_requests_as_are_remembered_may_be_worked_on_at_once(wire: Wire):
    for id in range(1, 20):
        assert wire.ask(id, "later") == []
    assert wire.ask(1, "later") == []
    assert len(wire.ran) == 19


def test_a_host_is_listened_to_until_forty_lines_lie_unread(wire: Wire):
    wire.line.room = 0
    wire.send(b"xxxxxxx\n" * 100)
    assert len(vars(wire.link)["_queue"]) == 40


def test_a_closed_port_clears_what_was_half_sent(wire: Wire):
    wire.line.room = 20
    wire.send(encode(request(1, "echo")))
    wire.line.open = False
    wire.link.step()
    wire.line.open = True
    wire.line.room = 1 << 20
    wire.line.sent = b""
    assert [answer["id"] for answer in wire.ask(2, "echo")] == [2]


def test_an_answer_for_a_host_that_has_gone_waits_for_nobody_else(wire: Wire):
    wire.ask(1, "later")
    wire.line.open = False
    wire.link.step()
    wire.later[0](None, Refusal(-32003, "The host closed the port."))  # type: ignore[operator]
    wire.line.open = True
    assert [answer["id"] for answer in wire.ask(2, "echo")] == [2]
    assert codes(wire.ask(1, "later")) == [-32003]


@pytest.mark.requirement("R26")
@given(st.binary(max_size=600))
def test_no_bytes_whatever_harm_the_link(noise: bytes):
    wire = Wire()
    wire.send(noise, b"\n")
    assert wire.ran == []
    wire.heard()
    assert wire.ask(1, "echo")[0]["id"] == 1


def test_a_line_of_the_greatest_length_is_answered(wire: Wire):
    empty = len(encode(request(1, "later", {"a": ""})))
    wire.ask(1, "later", a="x" * (MAX_LINE - empty))
    assert [method for method, _ in wire.ran] == ["later"]


@pytest.mark.requirement("R16")
def test_while_a_host_is_proved_only_ids_that_go_on_from_its_own_run():
    line, ran, proved = StandInLine(), [], [False]
    link = Link(line, {"echo": lambda params, _: ran.append(params) or {}}, lambda: proved[0])
    link.step()

    def ask(id: int) -> int | None:
        line.arrived += encode(request(id, "echo"))
        for _ in range(4):
            link.step()
        (answer,) = [decode(answer) for answer in LineReader().feed(line.sent) if answer]
        line.sent = b""
        return answer["error"]["data"]["last_id"] if "error" in answer else None

    assert ask(10**9) is None  # whoever comes first may begin where he likes
    proved[0] = True
    assert ask(10**9 + 4_096) is None
    assert ask(10**9 + 2 * 4_096 + 1) == 10**9 + 4_096  # a line of another, from before
    assert ask(10**9 + 2 * 4_096) is None
    proved[0] = False
    assert ask(2 * 10**9) is None
    assert len(ran) == 4


@pytest.mark.requirement("R3", "R16")
def test_a_stop_byte_is_told_after_what_came_before_it_and_before_what_comes_after():
    line, did = StandInLine(), []
    methods = {"echo": lambda params, _: did.append(params["n"]) or {}}
    link = Link(line, methods, stop=lambda: did.append("stop"))
    link.step()
    one, two, three = (encode(request(id, "echo", {"n": id})) for id in (1, 2, 3))
    line.arrived = one + two[:9] + STOP + two[9:] + STOP + three
    for _ in range(12):
        link.step()
    assert did == [1, "stop", 2, "stop", 3]


@pytest.mark.requirement("R16")
def test_no_id_that_leaves_none_to_follow_is_taken_from_a_host_that_proved_nothing(wire: Wire):
    furthest = 2**52  # beyond it are the leaps of those who did
    wire.send(encode(request(furthest + 1, "echo")))
    (answer,) = wire.heard()
    assert answer["error"]["data"] == {"last_id": 0}
    wire.send(encode(request(furthest, "echo")))
    assert wire.heard()[0]["id"] == furthest
    wire.send(encode(request(furthest + 4_096, "echo")))  # goes on from the last one
    assert [method for method, _ in wire.ran] == ["echo", "echo"]
