"""The inputs by name, and the two that a person's hand makes bounce.

What stops the machine acts at once; what lets it go on (contact made, trigger pressed) counts only
when it has held for DEBOUNCE_MS. A trigger must be seen released before a press counts.
"""

from injector.limits import DEBOUNCE_MS

_NAMES = (
    "guard",
    "stop",
    "interlock",
    "cartridge",
    "contact",
    "trigger",
    "rail",
    "needle_out",
    "needle_back",
    "plunger_home",
    "depth_home",
)


class Inputs:
    """`read()` gives all inputs as bits; `board` says which bit is which (`masks[name]`)."""

    def __init__(self, read, board):
        self.masks = {name: 1 << getattr(board, name.upper()) for name in _NAMES}
        self.now = 0  # all inputs at the last poll
        self._read = read
        self._contact = self.masks["contact"]
        self._trigger = self.masks["trigger"]
        self._hands = self._contact | self._trigger
        self._now_ms = 0
        self._contact_since = None
        self._trigger_since = None
        self._released = False

    def poll(self, now_ms: int) -> None:
        """Read all inputs; `now_ms` is uptime."""
        before = self.now
        self.now = now = self._read()
        self._now_ms = now_ms
        if not now & self._trigger:
            self._released = True
        if (now ^ before) & self._hands:
            self._contact_since = _since(now & self._contact, self._contact_since, now_ms)
            self._trigger_since = _since(now & self._trigger, self._trigger_since, now_ms)

    def on(self, name: str) -> bool:
        """Whether input `name` read 1 at the last poll."""
        return bool(self.now & self.masks[name])

    def mask(self, names) -> int:
        """The bits of several inputs."""
        return sum(self.masks[name] for name in names)

    def as_dict(self) -> "dict[str, int]":
        """The inputs of docs/protocol.md's `status`, 0 or 1."""
        return {name: int(self.on(name)) for name in _NAMES[:9]}

    @property
    def touching(self) -> bool:
        """Skin contact that has held."""
        return self._held(self._contact_since)

    def forget_press(self) -> None:
        """A press that has begun counts no more: it must be seen released first."""
        self._released = not self.now & self._trigger

    @property
    def pulled(self) -> bool:
        """The trigger is pressed, has held, and was seen released before."""
        return self._released and self._held(self._trigger_since)

    def _held(self, since: "int | None") -> bool:
        return since is not None and self._now_ms - since >= DEBOUNCE_MS


def _since(is_on: int, since: "int | None", now_ms: int) -> "int | None":
    if not is_on:
        return None
    return now_ms if since is None else since
