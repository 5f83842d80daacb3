"""The inputs by name, and the two that a person's hand makes bounce.

What stops the machine acts at once; what lets it go on (contact made, trigger pressed) counts only
when it has held for DEBOUNCE_MS. A trigger must be seen released before a press counts, and after
a stamp the device must be seen lifted: for as long, or each bounce would be a new one. The trigger
has two contacts: pressed is both, released is neither, so that a shorted wire is no press.
"""

from injector.limits import DEBOUNCE_MS, TRIGGER_SPLIT_MS

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
    "driver_ok",
    "plunger_home",
    "depth_home",
)
_OUTPUTS = ("strike", "strike_peak", "plunger_step", "depth_step")  # low while nothing moves
_TOLD = _NAMES[:10]  # those of docs/protocol.md's `status`, in its order


class Inputs:
    """`read()` gives all pins as bits; `board` says which bit is which (`masks[name]`)."""

    def __init__(self, read, board):
        self.masks = {name: 1 << getattr(board, name.upper()) for name in _NAMES}
        self.masks["trigger"] |= 1 << board.TRIGGER_2
        self.all_mask = sum(self.masks.values())
        self.strike_mask = 1 << board.STRIKE
        self._outputs = sum([1 << getattr(board, name.upper()) for name in _OUTPUTS])
        self.now = 0  # all inputs at the last poll
        self.polls = 0
        self._read = read
        self._contact = self.masks["contact"]
        self._trigger = self.masks["trigger"]
        self._hands = self._contact | self._trigger
        self._now_ms = 0
        self._contact_since = None
        self._trigger_since = None
        self._away_since = None  # no contact
        self._open_since = None  # neither of the trigger's contacts
        self._split_since = None
        self._released = False
        self._lifted = True

    def poll(self, now_ms: int) -> None:
        """Read all inputs; `now_ms` is uptime."""
        self.polls += 1
        before = self.now
        self.now = now = self._read()
        self._now_ms = now_ms
        if (now ^ before) & self._hands or self.polls == 1:
            contact = now & self._contact
            self._contact_since = _since(contact, self._contact_since, now_ms)
            self._away_since = _since(not contact, self._away_since, now_ms)
            trigger = now & self._trigger
            pressed = trigger == self._trigger
            self._trigger_since = _since(pressed, self._trigger_since, now_ms)
            self._open_since = _since(not trigger, self._open_since, now_ms)
            self._split_since = _since(trigger and not pressed, self._split_since, now_ms)
        self._released = self._released or self._held(self._open_since)
        self._lifted = self._lifted or self._held(self._away_since)

    def on(self, name: str) -> bool:
        """Whether input `name` read 1 at the last poll; of the trigger, either contact."""
        return bool(self.now & self.masks[name])

    @property
    def driven(self) -> bool:
        """Whether a pin that makes something move read high at the last poll."""
        return bool(self.now & self._outputs)

    def mask(self, names) -> int:
        """The bits of several inputs."""
        return sum(self.masks[name] for name in names)

    def as_dict(self) -> "dict[str, int]":
        """The inputs of docs/protocol.md's `status`, 0 or 1."""
        return {name: int(self.on(name)) for name in _TOLD}

    def as_bits(self) -> int:
        """The same, the first input in bit 0."""
        return sum([1 << place for place, name in enumerate(_TOLD) if self.on(name)])

    @property
    def touching(self) -> bool:
        """Skin contact that has held, and that has not been used up."""
        return self._lifted and self._held(self._contact_since)

    def forget_touch(self) -> None:
        """The present contact counts no more: the device must be seen lifted first."""
        self._lifted = self._held(self._away_since)

    def forget_press(self) -> None:
        """A press that has begun counts no more: it must be seen released first."""
        self._released = self._held(self._open_since)

    @property
    def pulled(self) -> bool:
        """The trigger is pressed, has held, and was seen released before."""
        return self._released and self._held(self._trigger_since)

    @property
    def split(self) -> bool:
        """The trigger's contacts disagree, for longer than a hand takes: one of them is broken."""
        since = self._split_since
        return since is not None and self._now_ms - since >= TRIGGER_SPLIT_MS

    def _held(self, since: "int | None") -> bool:
        return since is not None and self._now_ms - since >= DEBOUNCE_MS


def _since(is_on: int, since: "int | None", now_ms: int) -> "int | None":
    if not is_on:
        return None
    return now_ms if since is None else since
