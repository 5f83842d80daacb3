"""Feeds the watchdog only while every part of the machine shows that it lives.

A part lives when its beat, a number, has changed since the watchdog was fed last. While one does
not, the rail is not held either: the dead-man takes it away before the watchdog resets the chip.
"""


class Supervisor:
    """`parts` are (name, beat()); `feed()` is the watchdog's."""

    def __init__(self, feed, parts):
        self._feed = feed
        self._parts = parts
        self._beats = [None] * len(parts)
        self.dead = None  # the first part that has not shown itself, or None

    def look(self) -> bool:
        """Feed the watchdog if every part lives, and say whether it was."""
        beats = [beat() for _, beat in self._parts]
        for place, (name, _) in enumerate(self._parts):
            if beats[place] == self._beats[place]:
                self.dead = name
                return False
        self.dead = None
        self._beats = beats
        self._feed()
        return True
