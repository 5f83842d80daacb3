"""One JSON message a line, each line closed by the CRC-32 of its text.

    {"jsonrpc":"2.0","id":7,"method":"status"} bd2b7617\\n

The checksum is CRC-32/ISO-HDLC (`zlib.crc32`) of the bytes before the last space, as eight
lower-case hexadecimal digits. A person with a serial terminal can read every line.
"""

import binascii
import json

STOP = b"\x18"  # ASCII CAN, anywhere in the stream: stop now; it belongs to no line
MAX_LINE = 2048  # bytes, newline included; longer lines are refused whole
_CRC_DIGITS = 8


class FrameError(Exception):
    """A line that is not a message; its text says why in one sentence."""


def encode(message: "dict[str, object]") -> bytes:
    """Return `message` as one line of bytes, checksum and newline included.

    Raises FrameError when the line would be longer than MAX_LINE bytes.
    """
    body = json.dumps(message, separators=(",", ":")).encode()
    line = body + b" " + ("%08x" % (binascii.crc32(body) & 0xFFFFFFFF)).encode() + b"\n"
    if len(line) > MAX_LINE:
        raise FrameError(
            "The message is %d bytes and a line holds at most %d; send it in smaller parts."
            % (len(line), MAX_LINE)
        )
    return line


def decode(line: bytes) -> "dict[str, object]":
    """Return the message in `line` (without its newline); raise FrameError for anything else."""
    line = line.rstrip(b"\r")
    body = line[: -_CRC_DIGITS - 1]
    digits = line[-_CRC_DIGITS:]
    if len(line) < _CRC_DIGITS + 2 or line[-_CRC_DIGITS - 1 : -_CRC_DIGITS] != b" ":
        raise FrameError("The line has no checksum; end it with a space and eight hex digits.")
    if digits != ("%08x" % (binascii.crc32(body) & 0xFFFFFFFF)).encode():
        raise FrameError("The line's checksum does not match its text; send it again.")
    try:
        message: object = json.loads(body.decode())
    except MemoryError:
        raise FrameError("The line is too much to read; send fewer values a line.") from None
    except (ValueError, RuntimeError):  # the latter: nested too deep
        raise FrameError("The line is not JSON; send one JSON object a line.") from None
    if not isinstance(message, dict):
        raise FrameError("The line is JSON but not an object; send one JSON-RPC object a line.")
    return message  # pyright: ignore[reportUnknownVariableType]


class LineReader:
    """Cuts a stream of bytes into lines, in bounded memory.

    `feed` returns the lines completed by `data`, without their newlines. A line longer than
    `limit` comes back as None once, when its newline arrives; nothing of it is kept.
    """

    def __init__(self, limit: int = MAX_LINE):
        self._limit = limit
        self._line = bytearray()
        self._too_long = False

    def feed(self, data: "bytes | bytearray | memoryview") -> "list[bytes | None]":
        """Add received bytes; return the completed lines, None standing for one too long."""
        lines: "list[bytes | None]" = []
        start = 0
        data = bytes(data).replace(STOP, b"")
        while True:
            end = data.find(b"\n", start)
            part = data[start:] if end < 0 else data[start:end]
            if len(self._line) + len(part) >= self._limit:
                self._too_long = True
                self._line = bytearray()
            elif not self._too_long:
                self._line.extend(part)
            if end < 0:
                return lines
            lines.append(None if self._too_long else bytes(self._line))
            self._line = bytearray()
            self._too_long = False
            start = end + 1

    def clear(self) -> None:
        """Forget a half-received line, as when the other side has gone."""
        self._line = bytearray()
        self._too_long = False
