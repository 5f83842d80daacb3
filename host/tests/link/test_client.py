"""A request is answered once, or given up in one sentence, whatever happens to the lines."""

from collections.abc import Callable, Generator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.link.client import Client, DeviceSilentError, Ids, RefusedError
from mesodrive.link.port import PortLostError
from mesodrive_rig.scripted import (
    Exchange,
    ScriptedPort,
    Vanish,
    cut,
    note,
    refusal,
    result,
    row,
    shot,
    state,
    torn,
    unreadable,
)
from mesodrive_wire import BAD_PARAMS, STALE_ID, LineReader, decode, encode
from mesodrive_wire import result as result_message

HEARD_EVERY_S = 0.2 + 1e-9


class Talk:
    """A client on a scripted port; what it is told ends up in `told`."""

    def __init__(self, *exchanges: Exchange):
        self.port = ScriptedPort(*exchanges)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.client = Client(self.port, lambda method, params: self.told.append((method, params)))

    def ids(self) -> list[int]:
        return [heard.id for heard in self.port.script.heard]

    def lines(self) -> list[bytes]:
        return [heard.line for heard in self.port.script.heard]

    def pauses_s(self) -> list[float]:
        """From each line sent to the next, and to now."""
        times = [heard.at_s for heard in self.port.script.heard] + [self.port.now_s()]
        return [after - before for before, after in pairwise(times)]


Begin = Callable[..., Talk]


@pytest.fixture
def talks() -> Generator[list[Talk]]:
    """Talks whose scripts must be at their end."""
    begun: list[Talk] = []
    yield begun
    for talk in begun:
        talk.port.script.finish()


@pytest.fixture
def talk(talks: list[Talk]) -> Begin:
    """Begins a talk."""

    def begin(*exchanges: Exchange) -> Talk:
        talks.append(Talk(*exchanges))
        return talks[-1]

    return begin


def test_an_answer_is_returned_and_the_params_arrive(talk: Begin) -> None:
    here = talk(Exchange("prime", result({"left_nl": 7}), params={"volume_nl": 5}))
    assert here.client.call("prime", {"volume_nl": 5}) == {"left_nl": 7}


def test_a_refusal_keeps_sentence_code_and_figures(talk: Begin) -> None:
    here = talk(Exchange("arm", refusal(BAD_PARAMS, "No; do so.", name="shots", limit=3)))
    with pytest.raises(RefusedError, match=r"^No; do so\.$") as refused:
        here.client.call("arm")
    assert (refused.value.code, refused.value.data) == (BAD_PARAMS, {"name": "shots", "limit": 3})


@pytest.mark.requirement("R16")
@pytest.mark.parametrize(
    "spoilt", [torn(result(1)), cut(result(1)), b""], ids=["torn", "cut", "empty"]
)
def test_a_spoilt_answer_is_asked_for_again_with_the_same_line(talk: Begin, spoilt: Any) -> None:
    here = talk(Exchange("arm", spoilt).again(spoilt).again(result("here")))
    assert here.client.call("arm") == "here"
    assert len(set(here.lines())) == 1
    assert len(here.lines()) == 3


@pytest.mark.requirement("R16")
def test_an_answer_that_comes_twice_answers_nothing_else(talk: Begin) -> None:
    here = talk(
        Exchange("arm", result("first"), 0.1, result("first")),
        Exchange("disarm", 0.15, result("second")),
    )
    assert here.client.call("arm") == "first"
    assert here.client.call("disarm") == "second"


def test_a_line_that_the_device_could_not_read_is_sent_again_at_once(talk: Begin) -> None:
    here = talk(Exchange("arm", 0.01, unreadable()).again(result("here")))
    assert here.client.call("arm") == "here"
    assert here.pauses_s()[0] == pytest.approx(0.01)
    assert len(set(here.lines())) == 1


def test_a_device_that_cannot_read_us_is_given_up_after_four_times(talk: Begin) -> None:
    never = Exchange("arm", unreadable())
    for _ in range(3):
        never.again(unreadable())
    here = talk(never)
    with pytest.raises(DeviceSilentError, match=r"^The device on scripted cannot read .*cable\.$"):
        here.client.call("arm")
    assert len(set(here.lines())) == 1


def test_a_silent_device_is_given_up_in_one_sentence(talk: Begin) -> None:
    here = talk(Exchange("info"))
    with pytest.raises(DeviceSilentError, match=r"^The device on scripted does not answer; .*\.$"):
        here.client.call("info")
    assert here.port.now_s() == pytest.approx(10.0)
    assert len(set(here.lines())) == 1


def test_after_a_device_was_given_up_the_next_command_has_a_new_id(talk: Begin) -> None:
    here = talk(Exchange("home"), Exchange("disarm", result("late")))
    with pytest.raises(DeviceSilentError):
        here.client.call("home")
    assert here.client.call("disarm") == "late"
    assert here.ids()[-1] > here.ids()[0]


@pytest.mark.requirement("R15")
def test_while_a_move_takes_long_the_device_hears_us_and_no_id_overtakes(talk: Begin) -> None:
    here = talk(Exchange("home", *state(1, "HOMING"), 9.9, result("there")))
    assert here.client.call("home", within_s=120) == "there"
    assert here.port.now_s() == pytest.approx(9.9)
    assert max(here.pauses_s()) <= HEARD_EVERY_S
    assert len(set(here.lines())) == 1


def test_an_answer_that_is_lost_after_a_long_move_still_comes(talk: Begin) -> None:
    home = Exchange("home", 9.9, torn(result("there")))
    for _ in range(49):  # as long as the device works on it, it says nothing
        home.again()
    here = talk(home.again(result("there")))
    assert here.client.call("home", within_s=120) == "there"
    assert len(set(here.lines())) == 1


def test_a_long_line_is_not_repeated_faster_than_asked(talk: Begin) -> None:
    here = talk(Exchange("profile.load", 2.5, result("plan")))
    assert here.client.call("profile.load", within_s=10, again_s=3.0) == "plan"
    assert len(here.lines()) == 1


@pytest.mark.requirement("R15")
def test_an_idle_host_says_so_at_least_every_200_ms(talk: Begin) -> None:
    here = talk()
    for _ in range(40):
        here.client.pump(0.05)
    here.client.pump(1.3)
    assert max(here.pauses_s()) <= HEARD_EVERY_S
    assert {heard.method for heard in here.port.script.heard} == {"ping"}
    assert here.ids() == sorted(set(here.ids()))


def test_pumping_takes_as_long_as_asked_even_when_the_device_says_much(talk: Begin) -> None:
    chatter = [item for seq in range(1, 50) for item in (0.011, note("alarm", seq, code="x"))]
    here = talk(Exchange("arm", result(1), *chatter))
    here.client.call("arm")
    here.client.pump(1.0)
    assert here.port.now_s() == pytest.approx(1.0)
    assert len(here.told) == 49


def test_a_stale_id_makes_it_go_on_above_the_last_one_and_once(talk: Begin) -> None:
    here = talk(
        Exchange("home", refusal(STALE_ID, "Used.", last_id=9_000_000_000_000_000)),
        Exchange("home", result("there")),
        Exchange("arm", result("armed")),
    )
    assert here.client.call("home") == "there"
    second = here.ids()[1]
    assert 9_000_000_000_000_000 < second <= 9_000_000_000_000_000 + (1 << 10)
    assert here.client.call("arm") == "armed"
    assert here.ids()[2] == second + 1


def test_a_device_that_calls_every_id_stale_is_given_up(talk: Begin) -> None:
    stale = refusal(STALE_ID, "Used.", last_id=9_000_000_000_000_000)
    here = talk(Exchange("home", stale), Exchange("home", stale))
    with pytest.raises(DeviceSilentError, match=r"^The device refuses every id; restart it\.$"):
        here.client.call("home")


@pytest.mark.requirement("R16")
def test_a_command_whose_own_id_outlived_a_restart_is_not_given_again(
    talk: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(_: Ids) -> int:
        return 77

    monkeypatch.setattr(Ids, "first", first)
    here = talk(Exchange("prime", refusal(STALE_ID, "Used.", last_id=77)))
    with pytest.raises(
        RefusedError, match=r"^The device may have restarted since it took 'prime',"
    ):
        here.client.call("prime")
    assert here.ids() == [77]


@pytest.mark.requirement("R16")
def test_a_command_that_was_sent_twice_is_not_given_again_above_anothers_id(talk: Begin) -> None:
    stale = refusal(STALE_ID, "Used.", last_id=9_000_000_000_000_000)
    here = talk(Exchange("prime").again(stale))
    with pytest.raises(RefusedError, match="may have restarted since it took 'prime'"):
        here.client.call("prime")
    assert len(set(here.ids())) == 1


def test_what_only_asks_is_asked_again_however_often_it_was_sent(talk: Begin) -> None:
    stale = refusal(STALE_ID, "Used.", last_id=9_000_000_000_000_000)
    here = talk(Exchange("status").again(stale), Exchange("status", result("here")))
    assert here.client.call("status") == "here"


@pytest.mark.requirement("R16")
def test_hosts_that_start_at_the_same_time_of_day_use_other_ids() -> None:
    ids = {Ids(lambda: 1_800_000_000_000).first() for _ in range(50)}
    assert len(ids) > 25
    assert all(id >> 10 == 1_800_000_000_000 for id in ids)
    assert Ids(lambda: 8_700_000_000_000).first() < 1 << 53  # in the year 2245


def test_a_stale_id_without_the_last_one_is_a_refusal_like_others(talk: Begin) -> None:
    here = talk(Exchange("home", refusal(STALE_ID, "Used.")))
    with pytest.raises(RefusedError, match="Used"):
        here.client.call("home")


def test_notifications_come_in_order_and_without_their_number(talk: Begin) -> None:
    here = talk(Exchange("arm", *state(4, "ARMED"), shot(5, 1), result(1), shot(6, 2)))
    here.client.call("arm")
    here.client.pump(0.1)
    assert [method for method, _ in here.told] == ["state", "shots", "shots"]
    assert [params.get("rows") for _, params in here.told] == [None, [row(1)], [row(2)]]
    assert all("seq" not in params for _, params in here.told)


@pytest.mark.requirement("R27")
def test_missed_notifications_are_counted(talk: Begin) -> None:
    here = talk(Exchange("arm", shot(7, 1), shot(8, 2), shot(11, 5), shot(13, 6), result(1)))
    here.client.call("arm")
    assert here.client.gaps == 3


def test_a_device_that_restarts_has_not_lost_notifications(talk: Begin) -> None:
    here = talk(Exchange("arm", shot(70, 1), *state(1, "SAFE"), *state(2, "SAFE"), result(1)))
    here.client.call("arm")
    assert here.client.gaps == 0


def test_a_torn_notification_is_counted_and_told_to_nobody(talk: Begin) -> None:
    here = talk(Exchange("arm", torn(shot(1, 1)), result(1)))
    here.client.call("arm")
    assert here.told == []
    assert here.client.broken_lines == 1


def test_a_port_that_vanishes_is_not_waited_for(talk: Begin) -> None:
    here = talk(Exchange("home", 0.3, Vanish()))
    with pytest.raises(PortLostError, match="gone"):
        here.client.call("home", within_s=120)
    assert here.port.now_s() == pytest.approx(0.3)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"x" * 5000 + b"\n",
        b"\x00\xff\n",
        b"[1]\n",
        encode({"method": "shot", "params": [1]}),
        encode({"method": "shot"}),
        encode({"id": 1, "error": "no"}),
        encode({"id": 1, "error": {"code": "x", "message": "y"}}),
        encode({"id": None, "error": 1, "result": 2}),
        encode({"id": [1], "neither": 1}),
        encode({}),
    ],
    ids=range(10),
)
def test_nonsense_is_counted_and_harms_nothing(talk: Begin, nonsense: bytes) -> None:
    here = talk(Exchange("arm", nonsense, 0.05, result("here")))
    assert here.client.call("arm") == "here"
    assert here.client.broken_lines == 1
    assert here.told == []


def test_a_port_that_echoes_what_we_say_is_a_silent_device() -> None:
    class Echo(ScriptedPort):
        def read(self, timeout_s: float) -> bytes:
            heard, self.script.heard = self.script.heard, []
            self._now_s += timeout_s
            return b"".join(one.line + b"\n" for one in heard)

    told: list[str] = []
    client = Client(Echo(Exchange("shot")), lambda method, _: told.append(method))
    with pytest.raises(DeviceSilentError, match="does not answer"):
        client.call("shot", {"shot": 1})
    assert told == []


@given(st.lists(st.binary(max_size=40) | st.just(b"\n"), max_size=30))
def test_noise_answers_nothing_and_breaks_nothing(noise: list[bytes]) -> None:
    talk = Talk(Exchange("arm", *noise, b"\n", 0.05, result("here")))
    assert talk.client.call("arm") == "here"
    assert talk.told == []


class Lossy:
    """A port with a device that runs an id once (docs/protocol.md), over a line that loses,
    spoils and doubles lines as `fates` says, in both directions; later it is a good line."""

    name = "lossy"

    def __init__(self, fates: list[str]):
        self._fates = fates
        self._now_s = 0.0
        self._reader = LineReader()
        self._to_host = b""
        self._answers: dict[int, bytes] = {}
        self._last_id = 0
        self.runs: list[str] = []

    def now_s(self) -> float:
        return self._now_s

    def read(self, timeout_s: float) -> bytes:
        data, self._to_host = self._to_host, b""
        self._now_s += 0.0 if data else timeout_s
        return data

    def write(self, data: bytes) -> None:
        for line in self._reader.feed(self._through(data)):
            self._to_host += self._through(self._answer(line or b""))

    def close(self) -> None:
        pass

    def _through(self, line: bytes) -> bytes:
        fate = self._fates.pop(0) if self._fates else "whole"
        if fate == "torn":
            return line[:20] + b"#" + line[21:]
        return line * {"lost": 0, "whole": 1, "doubled": 2}[fate]

    def _answer(self, line: bytes) -> bytes:
        try:
            message: Any = decode(line)
        except Exception:
            return unreadable()
        id = message["id"]
        if id in list(self._answers)[-16:]:
            return self._answers[id]
        if id <= self._last_id:
            return refusal(STALE_ID, "Used.", last_id=self._last_id)(id)
        self._last_id = id
        if message["method"] != "ping":
            self.runs.append(message["method"])
        self._answers[id] = encode(result_message(id, message["method"]))
        return self._answers[id]


FATES = st.sampled_from(["whole", "lost", "torn", "doubled"])


@pytest.mark.requirement("R16")
@given(st.lists(FATES, max_size=40), st.lists(st.sampled_from(["call", "pump"]), max_size=8))
def test_a_command_never_runs_twice_however_bad_the_line_is(
    fates: list[str], doings: list[str]
) -> None:
    port = Lossy(fates)
    client = Client(port)
    done: list[str] = []
    asked: list[str] = []
    for number, doing in enumerate(doings):
        if doing == "pump":
            client.pump(0.5)
            continue
        asked.append(f"move {number}")
        try:
            done.append(client.call(asked[-1]))
        except DeviceSilentError:
            port._fates.clear()  # pyright: ignore[reportPrivateUsage]
    assert len(port.runs) == len(set(port.runs))
    assert set(done) <= set(port.runs) <= set(asked)
    assert port.runs == sorted(port.runs, key=asked.index)
