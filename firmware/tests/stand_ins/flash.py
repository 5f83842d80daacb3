"""A flash that keeps what it is given. Runs under MicroPython too."""


class StandInFlash:
    """5 sectors of 1 KiB, so that a ledger soon goes round; `programs` and `erases` are counted.

    Bits of `stuck` (address → mask) stay 1; with `dead` nothing is erased.
    """

    page = 256

    def __init__(self, sectors=5, sector=1024):
        self.sector = sector
        self.size = sectors * sector
        self.data = bytearray(b"\xff" * self.size)
        self.programs = 0
        self.erases = [0] * sectors
        self.stuck = {}
        self.dead = False

    def read(self, address, buffer):
        buffer[:] = self.data[address : address + len(buffer)]

    def program(self, address, data):
        assert address // self.page == (address + len(data) - 1) // self.page
        self.programs += 1
        for place, byte in enumerate(data, address):
            self.data[place] &= byte | self.stuck.get(place, 0)

    def erase(self, address):
        assert address % self.sector == 0
        self.erases[address // self.sector] += 1
        if not self.dead:
            self.data[address : address + self.sector] = b"\xff" * self.sector


class Clock:
    """Time since the boot, which a test lets pass."""

    def __init__(self):
        self.ms = 0

    def __call__(self):
        return self.ms
