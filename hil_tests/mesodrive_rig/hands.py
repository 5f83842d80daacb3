"""The hands of a running simulator, for programs: press, open, hold, and look at the truth."""

import json
import socket
from pathlib import Path
from typing import Any

from mesodrive.errors import MesodriveError
from mesodrive.link.discovery import hands_of

_ANSWER_S = 30


class RemoteHands:
    """Talks to the `.hands` socket beside a simulator's serial path."""

    def __init__(self, port: Path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_ANSWER_S)
        try:
            self._socket.connect(str(hands_of(port)))
        except OSError as error:
            self._socket.close()
            raise MesodriveError(
                f"No simulator answers beside {port}; start one with mesodrive sim."
            ) from error
        self._lines = self._socket.makefile("r")

    def __enter__(self) -> "RemoteHands":
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def set(self, switch: str, is_true: bool) -> None:
        """Move trigger, contact, guard, stop or cartridge."""
        self._ask({"set": switch, "on": is_true})

    def strike(self, index: int) -> dict[str, Any] | None:
        """What truly happened in strike `index` (from 0 since power-on), or None."""
        return self._ask({"strike": index})["strike"]

    def status(self) -> dict[str, Any]:
        """Emulated time, strikes, volumes in skin, lost and left in the syringe, rail, and whether
        the port is open."""
        return self._ask({"status": True})

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        try:
            self._socket.sendall(json.dumps(order).encode() + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise MesodriveError("The simulator does not answer; start it again.") from error
        if not line:
            raise MesodriveError("The simulator has ended; start it again.")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise MesodriveError(answer["error"])
        return answer
