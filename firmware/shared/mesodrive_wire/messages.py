"""The shapes of JSON-RPC 2.0 messages and the error codes of this protocol.

`docs/protocol.md` lists the methods; this module knows only the envelopes.
"""

PROTOCOL = 2  # changes when an old host and a new device would misunderstand each other

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

_MAX_ID = (1 << 53) - 1  # the largest integer that every JSON library keeps exact
_DEEPEST = 4  # levels of objects and lists in a request's params


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
    if not isinstance(id, int) or isinstance(id, bool) or not 0 < id <= _MAX_ID:
        return "The request's id must be a whole number from 1 to 2^53-1."
    if not isinstance(message.get("method"), str):
        return "The request's method must be a string."
    if not isinstance(message.get("params", {}), dict):
        return "The request's params must be an object with named values."
    if _is_deeper(message.get("params"), _DEEPEST):
        return "The request's params are nested deeper than %d levels; flatten them." % _DEEPEST
    for key in message:
        if key not in ("jsonrpc", "id", "method", "params"):
            return "The request has an unknown key '%s'." % key
    return None


def _is_deeper(value: object, levels: int) -> bool:
    # A board's stack is small: what compares or prints a request must not have to go deep.
    if not isinstance(value, (dict, list)):
        return False
    inner: "list[object]" = list(value.values() if isinstance(value, dict) else value)  # pyright: ignore[reportUnknownArgumentType]
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)
