"""A serial line whose other end is a test."""


class StandInLine:
    """What arrives, what room there is, what was sent."""

    def __init__(self):
        self.open = True
        self.arrived = b""
        self.sent = b""
        self.room = 1 << 30  # bytes that the host will still take

    def connected(self):
        return self.open

    def readinto(self, buffer):
        part = self.arrived[: len(buffer)]
        buffer[: len(part)] = part
        self.arrived = self.arrived[len(part) :]
        return len(part)

    def write(self, part):
        taken = bytes(part)[: self.room] if self.open else b""
        self.room -= len(taken)
        self.sent += taken
        return len(taken)

    def discard(self):
        self.arrived = b""
