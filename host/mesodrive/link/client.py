"""Requests and their answers over one port; notifications on the way. One thread, no waiting room.

A request is sent again, with the same id, until its answer comes or the device has been given up.
The device runs an id once, so that is safe for every request, motion included.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any, cast

from mesodrive.errors import MesodriveError
from mesodrive.link.port import Port
from mesodrive_wire import (
    BAD_REQUEST,
    PARSE,
    STALE_ID,
    STOP,
    FrameError,
    LineReader,
    decode,
    encode,
    request,
)

KEEPALIVE_S = 0.2  # the device gives up on a host that is silent for 0.5 s
ANSWER_S = 10.0  # a simulated device on a busy computer takes seconds
_RANDOM_BITS = 10  # with 43 bits for the time of day until the year 2248
_ONLY_ASK = ("info", "ping", "status")  # they change nothing, however often they run
_TRIES = 4  # times that the device may say that it could not read a line


class RefusedError(MesodriveError):
    """The device said no: its sentence, its code, its figures."""

    def __init__(self, code: int, sentence: str, data: dict[str, Any]):
        super().__init__(sentence)
        self.code = code
        self.data = data


class DeviceSilentError(MesodriveError):
    """The port is open but nothing sensible answers."""


class Ids:
    """Where a host's ids begin and go on; no other host must choose the same.

    A computer without a clock of its own starts at the same time each day; with the same ids for
    the same commands, the device would take its first ones for repeats of the last ones. So ten
    bits of each are chance.
    """

    def __init__(
        self,
        ms: Callable[[], int] = lambda: int(time.time() * 1000),
        random_bits: Callable[[int], int] = secrets.randbits,
    ):
        self._ms = ms
        self._random_bits = random_bits

    def first(self) -> int:
        """The time of day in ms, and chance."""
        return self._ms() << _RANDOM_BITS | self._random_bits(_RANDOM_BITS)

    def above(self, last_id: int) -> int:
        """A little above one that the device has taken from another host."""
        return last_id + 1 + self._random_bits(_RANDOM_BITS)


class Client:
    """Speaks the wire protocol. `on_notification(method, params)` is called as they arrive."""

    def __init__(
        self,
        port: Port,
        on_notification: Callable[[str, dict[str, Any]], None] | None = None,
        ids: Ids | None = None,
    ):
        self.on_notification = on_notification or _ignore
        self.gaps = 0  # notifications that the device counted and we never saw
        self.broken_lines = 0
        self.sent_s = port.now_s() - KEEPALIVE_S  # when we last said something
        self._port = port
        self._reader = LineReader()
        self._ids = ids or Ids()
        self._next_id = self._ids.first()
        self._last_seq: int | None = None
        self._waiting_for: int | None = None
        self._answer: dict[str, Any] | None = None
        self._repeated = False  # the request was sent more than once
        self._unreadable = 0  # lines of ours that the device could not read

    @property
    def port(self) -> Port:
        return self._port

    def call(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        within_s: float = ANSWER_S,
        again_s: float = KEEPALIVE_S,
    ) -> Any:
        """Return the result of `method`. Raises RefusedError, DeviceSilentError, PortLostError.

        The line is sent again every `again_s`; where something may move, that must not exceed
        KEEPALIVE_S.
        """
        for _ in range(2):
            try:
                return self._call_once(method, params or {}, within_s, again_s)
            except RefusedError as refused:
                # Another host has used ids above ours: go on above them. Nothing has run, for
                # we let nothing overtake a request: no id of ours lies between. A line of theirs
                # may still be on its way, so not by one only.
                last_id = refused.data.get("last_id")
                if refused.code != STALE_ID or not isinstance(last_id, int):
                    raise
                # It is ours, or it was sent before: the device may have taken it, restarted, and
                # heard an old line of theirs first. With a new id the command would run twice.
                may_have_run = self._repeated or last_id == self._next_id - 1
                if may_have_run and method not in _ONLY_ASK:
                    raise RefusedError(
                        STALE_ID,
                        f"The device may have restarted since it took '{method}', and what came "
                        "of it is not known; look at its status before you ask again.",
                        refused.data,
                    ) from refused
                self.go_on_above(last_id)
        raise DeviceSilentError("The device refuses every id; restart it.")

    def go_on_above(self, last_id: int) -> None:
        """Take ids a little above `last_id` from now on."""
        self._next_id = self._ids.above(last_id)

    def stop_now(self) -> None:
        """Have the device stop whatever moves before it reads on; that has no answer."""
        self._port.write(STOP)

    def pump(self, for_s: float) -> None:
        """Take what comes for `for_s` seconds and keep the device sure that we are here."""
        end = self._port.now_s() + for_s
        while True:
            now = self._port.now_s()
            if now >= self._silent_until_s:
                self._send_request("ping", {})
            self._take(max(0.0, min(end, self._silent_until_s) - now))
            if now >= end:
                return

    def close(self) -> None:
        self._port.close()

    def _call_once(
        self, method: str, params: dict[str, Any], within_s: float, again_s: float
    ) -> Any:
        id, line = self._send_request(method, params)
        self._waiting_for, self._answer = id, None
        end = self._port.now_s() + within_s
        before = heeded = self._unreadable
        try:
            while self._answer is None:
                now = self._port.now_s()
                if now >= end:
                    raise DeviceSilentError(
                        f"The device on {self._port.name} does not answer; check that it is a "
                        "mesodrive and restart it."
                    )
                if self._unreadable - before >= _TRIES:
                    raise DeviceSilentError(
                        f"The device on {self._port.name} cannot read what it is sent; check the "
                        "cable."
                    )
                # The line again is also what tells the device that we are here. A ping would
                # not do: it would make the id stale if the request has not arrived.
                if self._unreadable > heeded or now >= self.sent_s + again_s:
                    heeded = self._unreadable
                    self._repeated = True
                    self._send(line)
                self._take(max(0.0, min(end, self.sent_s + again_s) - now))
        finally:
            self._waiting_for = None
        if "error" in self._answer:
            error = self._answer["error"]
            raise RefusedError(error["code"], error["message"], error.get("data", {}))
        return self._answer["result"]

    @property
    def _silent_until_s(self) -> float:
        return self.sent_s + KEEPALIVE_S

    def _send_request(self, method: str, params: dict[str, Any]) -> tuple[int, bytes]:
        id = self._next_id
        line = encode(request(id, method, params))
        self._next_id += 1
        self._repeated = False
        self._send(line)
        return id, line

    def _send(self, line: bytes) -> None:
        self._port.write(line)
        self.sent_s = self._port.now_s()

    def _take(self, timeout_s: float) -> None:
        for line in self._reader.feed(self._port.read(timeout_s)):
            try:
                if line is None or not self._dispatch(decode(line)):
                    self.broken_lines += 1
            except FrameError:
                self.broken_lines += 1

    def _dispatch(self, message: dict[str, Any]) -> bool:
        """Act on `message`; False when it is nothing that a device says."""
        id = message.get("id")
        if "method" in message:
            params = message.get("params")
            if "id" in message or not isinstance(params, dict):
                return False  # our own echo, perhaps
            self._notified(message["method"], dict(cast("dict[str, Any]", params)))
            return True
        if "error" in message:
            if not _is_refusal(message["error"]):
                return False
            if id is None and message["error"]["code"] in (PARSE, BAD_REQUEST):
                self._unreadable += 1
        elif "result" not in message:
            return False
        if id == self._waiting_for:
            self._answer = message
        return True

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        seq = params.pop("seq", None)
        if isinstance(seq, int):
            if self._last_seq is not None and seq > self._last_seq + 1:
                self.gaps += seq - self._last_seq - 1
            self._last_seq = seq
        self.on_notification(method, params)


def _is_refusal(error: object) -> bool:
    if not isinstance(error, dict):
        return False
    body = cast("dict[str, object]", error)
    return (
        isinstance(body.get("code"), int)
        and isinstance(body.get("message"), str)
        and isinstance(body.get("data", {}), dict)
    )


def _ignore(_method: str, _params: dict[str, Any]) -> None:
    pass
