"""The shapes of JSON-RPC 2.0 messages and the error codes of this protocol.

`docs/protocol.md` lists the methods; this module knows only the envelopes.
"""

PROTOCOL = 3  # changes when an old host and a new device would misunderstand each other

# JSON-RPC 2.0, section 5.1
PARSE = -32700
BAD_REQUEST = -32600
UNKNOWN_METHOD = -32601
BAD_PARAMS = -32602
INTERNAL = -32603

# ours
WRONG_STATE = -32001  # the state does not allow it
LIMIT = -32002  # past a hard limit of the device
INTERLOCK = -32003  # guard, stop, cartridge, contact or trigger forbid it
STALE_ID = -32004  # an id that has already been used
BUSY = -32005  # another command is still being carried out
FAULTED = -32006  # a latched fault must be acknowledged first
UNAUTHORIZED = -32007  # say who you are first, or ask one who may
LOCKED = -32008  # the same alarm came too often; service must look
IN_DOUBT = -32009  # it is not known what an earlier dose gave

_MAX_WHOLE = (1 << 53) - 1  # the largest integer that every JSON library keeps exact
_DEEPEST = 4  # levels of objects and lists in a request's params
_MOST_VALUES = 100  # in a request's params, lists and objects counted too


def request(
    id: int, method: str, params: "dict[str, object] | None" = None
) -> "dict[str, object]":
    """A request that wants an answer; `id` is used once and grows with every request."""
    message: "dict[str, object]" = {"jsonrpc": "2.0", "id": id, "method": method}
    if params:
        message["params"] = params
    return message


def result(id: int, value: object) -> "dict[str, object]":
    """The answer to request `id`."""
    return {"jsonrpc": "2.0", "id": id, "result": value}


def error(
    id: "int | None", code: int, message: str, data: "dict[str, object] | None" = None
) -> "dict[str, object]":
    """A refusal: one sentence that names the cause and the way out, and figures in `data`."""
    body: "dict[str, object]" = {"code": code, "message": message}
    if data:
        body["data"] = data
    return {"jsonrpc": "2.0", "id": id, "error": body}


def notification(method: str, seq: int, params: "dict[str, object]") -> "dict[str, object]":
    """An event; `seq` grows by one with each, so that a gap is seen."""
    body: "dict[str, object]" = {"seq": seq}
    body.update(params)
    return {"jsonrpc": "2.0", "method": method, "params": body}


def request_fault(message: "dict[str, object]") -> "str | None":
    """Why `message` is not a request, as one sentence; None when it is one."""
    if message.get("jsonrpc") != "2.0":
        return 'The request lacks "jsonrpc":"2.0".'
    id = message.get("id")
    if not isinstance(id, int) or isinstance(id, bool) or not 0 < id <= _MAX_WHOLE:
        return "The request's id must be a whole number from 1 to 2^53-1."
    if not isinstance(message.get("method"), str):
        return "The request's method must be a string."
    if not isinstance(message.get("params", {}), dict):
        return "The request's params must be an object with named values."
    for key in message:
        if key not in ("jsonrpc", "id", "method", "params"):
            return "The request has an unknown key '%s'." % key
    return _fault_within(message.get("params", {}))


def _fault_within(params: object) -> "str | None":
    # A board's stack is small, and so is the time it has: what compares or prints a request must
    # go neither deep nor far.
    level: "list[object]" = [params]
    count = 0
    for _ in range(_DEEPEST):
        below: "list[object]" = []
        for outer in level:
            inner: "list[object]" = outer.values() if isinstance(outer, dict) else outer  # pyright: ignore
            for value in inner:
                count += 1
                if count > _MOST_VALUES:
                    return (
                        "The request's params hold more than %d values; send fewer." % _MOST_VALUES
                    )
                if isinstance(value, (dict, list)):
                    below.append(value)  # pyright: ignore
                elif isinstance(value, int) and not -_MAX_WHOLE <= value <= _MAX_WHOLE:
                    return "The request's params hold a number beyond 2^53-1; send a smaller one."
        level = below
    if level:
        return "The request's params are nested deeper than %d levels; flatten them." % _DEEPEST
    return None
