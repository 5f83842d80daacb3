"""State machines of the PIO blocks: tracks that make pulses, counters of edges, the dead-man."""

import machine
import rp2

from injector.ports import rp2_programs as programs
from injector.ports import rp2_registers as registers
from injector.uptime import LOW


class Track:
    """A state machine that makes pulses from words."""

    def __init__(self, number, program, tick_hz, **pins):
        self._machine = rp2.StateMachine(number)  # pyright: ignore[reportCallIssue]  # later
        self._program = program
        self._tick_hz = tick_hz
        self._pins = pins
        self.rewind()

    def rewind(self):
        """Back to the first instruction with empty queues and outputs low; not running."""
        self._machine.init(self._program, freq=self._tick_hz, **self._pins)


class FedTrack(Track):
    """A track whose moves have more words than its queue: a DMA channel hands them over."""

    def __init__(self, number, program, tick_hz, **pins):
        super().__init__(number, program, tick_hz, **pins)
        self._dma = rp2.DMA()
        self._control = self._dma.pack_ctrl(inc_write=False, treq_sel=number)
        self.channel = self._dma.channel  # pyright: ignore  # missing in the stubs
        self._dma.config(write=self._machine, count=0, ctrl=self._control, trigger=False)

    def load(self, words):
        """Hand over the words of one move; they run when the track is started."""
        self._dma.config(
            read=words, write=self._machine, count=len(words), ctrl=self._control, trigger=True
        )

    @property
    def feeding(self):
        """Whether the DMA still has words to hand over."""
        return self._dma.active()

    def rewind_when_fed(self):
        """The same after a stop: an aborted channel is busy until its last write is through."""
        while self.feeding:
            pass
        self.rewind()


class EdgeCounter:
    """Counts rising edges of a step pin, apart from what makes them."""

    def __init__(self, number, pin):
        self._machine = rp2.StateMachine(number)  # pyright: ignore[reportCallIssue]  # init follows
        self._machine.init(programs.count, in_base=pin)
        self._number = number - 4  # within PIO1
        self._machine.exec("set(x, 0)")
        self._machine.active(1)
        self._mark = 0

    def mark(self):
        """Count from here; return the rising edges since boot."""
        self._mark = self.total()
        return self._mark

    def counted(self):
        """Rising edges since `mark`."""
        return self.since_mark(self.total())

    def since_mark(self, total):
        """Rising edges from `mark` until `registers.edges` was `total`."""
        return (total - self._mark) & LOW

    def total(self):
        """Rising edges since boot."""
        before = machine.disable_irq()  # the needle-back interrupt uses the same way
        total = registers.edges(self._number)
        machine.enable_irq(before)
        return total


class DeadMan:
    """Keeps the rail asked for as long as it is kicked, by the chip's own timer."""

    def __init__(self, number, pin, hold_ms):
        self._machine = rp2.StateMachine(number)  # pyright: ignore[reportCallIssue]  # drop follows
        self._pin = pin
        ticks = hold_ms * programs.DEAD_MAN_HZ // 1000 - programs.DEAD_MAN_EXTRA_TICKS
        self._rounds = ticks // programs.DEAD_MAN_TICKS
        self.drop()

    def kick(self):
        """The rail is asked for, and stays so for `hold_ms` from now at most."""
        if not self._machine.tx_fifo():
            self._machine.put(self._rounds)

    def drop(self):
        """The rail is not asked for, from now."""
        self._machine.init(programs.dead_man, freq=programs.DEAD_MAN_HZ, set_base=self._pin)
        self._machine.active(1)
