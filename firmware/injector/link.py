"""The device's end of the wire: lines in, each request run once, answers and notifications out.

Nothing here waits. What the host does not read piles up to a bound; then notifications are
dropped, counted, and the gap shows in their sequence numbers. Answers are never dropped: a host
that reads none of them is not listened to until it does, so they too are bounded.
"""

from injector.errors import Refusal
from mesodrive_wire import (
    BAD_REQUEST,
    INTERNAL,
    PARSE,
    STALE_ID,
    STOP,
    UNKNOWN_METHOD,
    FrameError,
    LineReader,
    decode,
    encode,
    error,
    notification,
    request_fault,
    result,
)

LATER = object()  # what a handler returns when its answer follows when the work is done

_LEAP = 4_096  # ids that a host's next one may lie ahead; it leaps by 1,024 over those of another
_STRANGERS = 1 << 52  # who proves nothing gets no further; ids from a clock do in 2109
_FURTHEST = (1 << 53) - (1 << 40)  # a million leaps beyond that; then they only go on
_REMEMBERED = 16  # answers kept for a host that repeats its request
_QUEUED_LINES = 24
_CHUNKS = 8  # are read in one step at most, and none after one that held a line's end: a request
# may take as long as a look at the whole machine, and no look may wait for two
_UNREAD_LINES = _QUEUED_LINES + _REMEMBERED  # with so many, the host must read first


def _nobody():
    return False


class Link:
    """`line` is the serial line (connected, readinto, write, discard). `methods` maps a method's
    name to a handler: handler(params, answer) → result, or LATER and answer(result, refusal).
    `proved()` says whether a host has proved who it is: then only ids that go on from its own run.
    `stop()` is called at each stop byte, after what came before it: the line says it too, but the
    moment that it comes, when a request before it may still wait to be read.
    """

    def __init__(self, line, methods, proved=_nobody, stop=_nobody):
        self.heard = 0  # valid requests so far
        self.last_id = 0
        self.steps = 0
        self.dropped = 0
        self._line = line
        self._methods = methods
        self._proved = proved
        self._stop = stop
        self._reader = LineReader()
        self._chunk = bytearray(64)
        self._queue = []
        self._offset = 0  # bytes of the first queued line that are already out
        self._seq = 0
        self._answers = []  # [id, method, params, line or None while it is being worked on]
        self._open = False
        self.sending = False  # the line took some of what waits: it will soon take more

    def step(self) -> None:
        """Take what has come, hand over what fits."""
        self.steps += 1
        if self._open and not self._line.connected():
            self._line.discard()
            self._reader.clear()
            self._queue.clear()
            self._offset = 0
        self._open = self._line.connected()
        for _ in range(_CHUNKS):
            if len(self._queue) >= _UNREAD_LINES:
                break
            n = self._line.readinto(self._chunk)
            if not n:
                break
            if self._take_all(bytes(memoryview(self._chunk)[:n])):
                break
        self._flush()

    @property
    def idle(self) -> bool:
        """A host has the port open and has been given all there was for it."""
        return self._open and not self._queue

    def tell(self, method: str, params: "dict[str, object]") -> None:
        """Queue a notification; drop it, and count it, when the host does not read."""
        self._seq += 1
        if len(self._queue) >= _QUEUED_LINES or not self._open:
            self.dropped += 1
            return
        self._queue.append(encode(notification(method, self._seq, params)))

    def leap(self, noise: bytes) -> int:
        """Go on with ids that nobody can have used: the last one is `noise` × 2 further on now."""
        further = self.last_id + 2 * int.from_bytes(noise, "big")
        if further < _FURTHEST:
            self.last_id = further
        return self.last_id

    def _take_all(self, data):
        """Take the lines that end in `data`, and the stop between them; whether there were any."""
        after_stop = data.rfind(STOP) + 1
        lines = self._reader.feed(data[:after_stop]) if after_stop else ()
        for line in lines:
            self._take(line)
        if after_stop:
            self._stop()
        more = self._reader.feed(data[after_stop:])
        for line in more:
            self._take(line)
        return lines or more

    def _take(self, line):
        if line is None:
            return self._refuse_line("The line is too long; send at most 2048 bytes.")
        if not line.strip():
            return None
        try:
            message = decode(line)
        except FrameError as fault:
            return self._refuse_line(str(fault))
        fault = request_fault(message)
        if fault:
            self._queue.append(_line(error(None, BAD_REQUEST, fault)))
            return None
        return self._run_once(message)

    def _refuse_line(self, sentence):
        self._queue.append(_line(error(None, PARSE, sentence)))

    def _run_once(self, message):
        id = message["id"]
        method = message["method"]
        params = message.get("params", {})
        for known in self._answers:
            if known[0] == id and known[1] == method and known[2] == params:
                self.heard += 1
                if known[3]:
                    self._queue.append(known[3])
                return None
        ahead = id - self.last_id
        if ahead <= 0:
            return self._refuse_id(id, "The id %d has been used; use one above %d.")
        if ahead > _LEAP and (id > _STRANGERS or self._proved()):
            return self._refuse_id(id, "The id %d does not go on from %d, the last one.")
        self.last_id = id
        self.heard += 1
        entry = [id, method, params, None]
        self._answers.append(entry)
        if len(self._answers) > _REMEMBERED:
            # The oldest goes, but never one that is still being worked on.
            self._answers.remove(next(old for old in self._answers if old[3] or old is entry))

        def answer(value, refusal):
            if refusal:
                reply = error(id, refusal.code, refusal.sentence, refusal.data)
            else:
                reply = result(id, value)
            entry[3] = _line(reply)
            if self._open:  # the next host to open the port has not asked for it
                self._queue.append(entry[3])

        handler = self._methods.get(method)
        if not handler:
            answer(None, Refusal(UNKNOWN_METHOD, "There is no method '%s'." % method))
            return None
        try:
            value = handler(params, answer)
        except Refusal as refusal:
            answer(None, refusal)
        except Exception as fault:
            answer(None, Refusal(INTERNAL, "A defect in the firmware: %r; report it." % fault))
            self._flush()  # nobody comes back here
            raise
        else:
            if value is not LATER:
                answer(value, None)

    def _refuse_id(self, id, sentence):
        last_id = self.last_id
        refusal = error(id, STALE_ID, sentence % (id, last_id), {"last_id": last_id})
        self._queue.append(_line(refusal))

    def _flush(self):
        self.sending = False
        while self._queue:
            line = self._queue[0]
            taken = self._line.write(memoryview(line)[self._offset :])
            self._offset += taken
            if self._offset < len(line):
                self.sending = taken > 0
                return
            self._queue.pop(0)
            self._offset = 0


def _line(answer):
    """`answer` as a line; one that quotes too much of its request says that instead."""
    try:
        return encode(answer)
    except FrameError as fault:
        code = answer["error"]["code"] if "error" in answer else INTERNAL
        return encode(error(answer["id"], code, str(fault)))
