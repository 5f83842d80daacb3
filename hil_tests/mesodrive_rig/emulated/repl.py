"""MicroPython's prompt on a rig in service mode, for programs: MicroPython's raw REPL."""

from mesodrive_rig.emulated.rig import EmulatedRig

_RAW, _RUN, _CANCEL = b"\x01", b"\x04", b"\x03"
_END = b"\x04"  # after what a snippet printed, and after its traceback
_BOOT_MS = 1000
_ANSWER_MS = 100


class SnippetError(Exception):
    """A snippet ended in an exception; the message is its traceback on the chip."""


class ServicePrompt:
    """Runs snippets of MicroPython on the chip of `rig` (made with `service=True`), one at a time.

    Names that a snippet defines stay for the next one. All times are emulated.
    """

    def __init__(self, rig: EmulatedRig):
        """Wait for the prompt. Raises TimeoutError when it does not come."""
        self.port = rig.connect()
        self._heard = b""
        self._until(b">>> ", _BOOT_MS)
        self.port.write(_RAW)
        self._until(b"raw REPL; CTRL-B to exit\r\n>", _ANSWER_MS)

    def run(self, source: str, within_ms: float = 1000) -> str:
        """Run `source` and return what it printed.

        Raises SnippetError when it ends in an exception, TimeoutError when it does not end.
        """
        self.start(source)
        return self.result(within_ms)

    def start(self, source: str) -> None:
        """Start `source` and come back as soon as it runs; `result` tells how it ended."""
        self.port.write(_CANCEL)  # whatever is left of a flood
        # Deaf to Ctrl-C from its first line on, so that `flood` cannot interrupt it.
        self.port.write(b"import micropython; micropython.kbd_intr(-1)\n")
        self.port.write(source.encode() + _RUN)
        self._until(b"OK", _ANSWER_MS + len(source))

    def flood(self, size: int) -> None:
        """Send `size` bytes to the chip as fast as it takes them; a snippet may read them, and
        those that none has read are harmless afterwards."""
        self.port.write(_CANCEL * size)

    def result(self, within_ms: float = 1000) -> str:
        """Wait for the end of the snippet that was started; returns and raises as `run` does."""
        printed = self._until(_END, within_ms)
        traceback = self._until(_END, _ANSWER_MS)
        self._until(b">", _ANSWER_MS)
        if traceback:
            raise SnippetError(traceback.decode())
        return printed.decode().replace("\r\n", "\n")

    def _until(self, mark: bytes, within_ms: float) -> bytes:
        """What comes before `mark`."""
        end_s = self.port.now_s() + within_ms / 1000
        while mark not in self._heard:
            left_s = end_s - self.port.now_s()
            if left_s <= 0:
                raise TimeoutError(
                    f"The chip said {self._heard[-200:]!r} and not {mark!r} within {within_ms} ms."
                )
            self._heard += self.port.read(left_s)
        said, self._heard = self._heard.split(mark, 1)
        return said
