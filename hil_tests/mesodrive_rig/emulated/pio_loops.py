"""Leaps over what a PIO machine does without anybody seeing it.

Three such stretches are known, and they are where our programs spend their time; all else runs
instruction by instruction.

* **Counting**: test a pin, count a register down, again. Its only effect is the count, its only
  input a pin that nobody may change without landing the machine first.
* **Latched**: raise a flag that is up already, again. It has no effect at all.
* **Jump**: a single `jmp(x_dec)` or `jmp(y_dec)` that is in no such loop.

Taking off puts the machine at the first instruction behind the stretch, at its time; landing puts
it where it would be had it not been leapt. None is taken that would move a side-set pin.
"""

from typing import Any, Protocol

from mesodrive_rig.emulated.chip_pio import ChipPio

NEVER_FP = 1 << 61

_JMP, _IRQ = 0b000, 0b110  # opcodes
_ALWAYS, _PIN = 0b000, 0b110  # conditions of a jump
_COUNTED = {0b010: "x", 0b100: "y"}  # jmp(x_dec), jmp(y_dec)
_RUN_OUT = 0xFFFFFFFF  # what counting down leaves of 0


class _Stretch(Protocol):
    def take_off(self, sm: Any) -> bool: ...

    def land(self, sm: Any, now_fp: int) -> None:
        """Instructions due before now have been made; one due just now has yet to be."""
        ...


class LeapingMachine:
    """A state machine that can be leapt over a stretch. Whoever looks at it or changes what it
    sees lands it first. It is in the air until `lands_fp`."""

    __slots__ = ("_gpio", "_pio", "_stretch", "_stretches", "lands_fp", "sm")

    def __init__(self, pio: ChipPio, sm: Any, mcu: Any):
        self.sm = sm
        self.lands_fp = 0
        self._pio = pio
        self._gpio = mcu.gpio
        self._stretches: dict[int, _Stretch | None] = {}  # by their first instruction
        self._stretch: Any = None

    def forget(self) -> None:
        """The program may be another one now."""
        self._stretches.clear()

    def leap(self) -> bool:
        """Leap, if the machine is about to run a stretch that can be leapt; whether it did."""
        sm = self.sm
        pc = sm.pc
        try:
            stretch = self._stretches[pc]
        except KeyError:
            stretch = self._stretches[pc] = _stretch_at(pc, sm, self._pio, self._gpio)
        if stretch is None or not stretch.take_off(sm):
            return False
        self._stretch = stretch
        self.lands_fp = sm.next_due_fp
        return True

    def land(self, now_fp: int) -> None:
        """Put the machine where it would be at `now_fp` had it not been leapt."""
        sm = self.sm
        # The last instruction of the stretch is due a tick before its end. A reset has made a
        # machine forget that it was leapt.
        if now_fp <= self.lands_fp - sm.div_fp and sm.enabled:
            self._stretch.land(sm, now_fp)
        self.lands_fp = 0


def _stretch_at(pc: int, sm: Any, pio: ChipPio, gpio: Any) -> _Stretch | None:
    here = pio.instructions[pc]
    condition, target = here >> 5 & 0b111, here & 0x1F
    after = _after(pc, sm)
    if here >> 13 == _IRQ:
        return _latched(pc, after, sm, pio, at_head=True)
    if here >> 13 != _JMP:
        return None
    if condition == _PIN:
        return _counting(pc, target, sm, pio, gpio, at_head=True)
    if condition == _ALWAYS:
        return _latched(target, pc, sm, pio, at_head=False)
    if condition in _COUNTED:
        loop = _counting(target, pc, sm, pio, gpio, at_head=False)
        return loop or _jump(pc, target, after, sm, pio)
    return None


class _Sides:
    """The side-set pins as some instructions set them."""

    __slots__ = ("_mask", "_pins", "_pio", "delay", "usable")

    def __init__(self, pcs: tuple[int, ...], sm: Any, pio: ChipPio):
        count = sm.pin_ctrl >> 29 & 0b111
        base = sm.pin_ctrl >> 10 & 0x1F
        delay_bits = 5 - count
        fields = {pio.instructions[pc] >> 8 & 0x1F for pc in pcs}
        field = fields.pop()
        self._pio = pio
        self._mask = ((1 << count) - 1) << base
        self._pins = field >> delay_bits << base
        self.delay = field & ((1 << delay_bits) - 1)
        optional = sm.exec_ctrl >> 30 & 1
        self.usable = not fields and not optional  # all the same

    def unchanged(self) -> bool:
        """Whether the pins are that already."""
        return self._pio.pin_values & self._mask == self._pins


def _counting(
    head: int, body: int, sm: Any, pio: ChipPio, gpio: Any, *, at_head: bool
) -> _Stretch | None:
    test, count = pio.instructions[head], pio.instructions[body]
    register = _COUNTED.get(count >> 5 & 0b111)
    sides = _Sides((head, body), sm, pio)
    there = test & 0xE0FF == _PIN << 5 | body
    back = not count >> 13 and register and count & 0x1F == head
    if not (there and back and register and sides.usable) or sides.delay:
        return None
    pin = gpio[sm.exec_ctrl >> 24 & 0x1F]
    return _Counting(head, body, _after(body, sm), register, pin, sides, at_head=at_head)


class _Counting:
    __slots__ = (
        "_after",
        "_at_head",
        "_body",
        "_due_fp",
        "_head",
        "_left",
        "_pin",
        "_register",
        "_sides",
    )

    def __init__(
        self,
        head: int,
        body: int,
        after: int,
        register: str,
        pin: Any,
        sides: _Sides,
        *,
        at_head: bool,
    ):
        self._head = head
        self._body = body
        self._after = after
        self._register = register
        self._pin = pin
        self._sides = sides
        self._at_head = at_head
        self._left = 0
        self._due_fp = 0

    def take_off(self, sm: Any) -> bool:
        if not (self._pin.input_value and self._sides.unchanged()):
            return False
        self._left = left = sm.y if self._register == "y" else sm.x
        self._due_fp = due_fp = sm.next_due_fp
        setattr(sm, self._register, _RUN_OUT)
        sm.pc = self._after
        # A round is the test and the count; from the body, half of one comes first.
        sm.next_due_fp = due_fp + (2 * left + 1 + self._at_head) * sm.div_fp
        return True

    def land(self, sm: Any, now_fp: int) -> None:
        ticks = max(0, -(-(now_fp - self._due_fp) // sm.div_fp))
        rounds, half = divmod(ticks if self._at_head else ticks + 1, 2)  # as if from the head
        sm.pc = self._body if half else self._head
        setattr(sm, self._register, self._left - rounds)
        sm.next_due_fp = self._due_fp + ticks * sm.div_fp


def _latched(head: int, body: int, sm: Any, pio: ChipPio, *, at_head: bool) -> _Stretch | None:
    raised, back = pio.instructions[head], pio.instructions[body]
    sides = _Sides((head, body), sm, pio)
    plain = raised >> 13 == _IRQ and not raised & 0xE0  # neither clears nor waits
    if not plain or back & 0xE0FF != _ALWAYS << 5 | head or not sides.usable or sides.delay:
        return None
    flag = raised & 0x07
    if raised & 0x10:  # relative to the machine's number, modulo 4
        flag = raised & 0x04 | (raised + sm.index) & 0x03
    return _Latched(head, body, 1 << flag, pio, sides, at_head=at_head)


class _Latched:
    __slots__ = ("_at_head", "_body", "_due_fp", "_flag", "_head", "_pio", "_sides")

    def __init__(
        self, head: int, body: int, flag: int, pio: ChipPio, sides: _Sides, *, at_head: bool
    ):
        self._head = head
        self._body = body
        self._flag = flag
        self._pio = pio
        self._sides = sides
        self._at_head = at_head
        self._due_fp = 0

    def take_off(self, sm: Any) -> bool:
        if not (self._pio.irq & self._flag and self._sides.unchanged()):
            return False
        self._due_fp = sm.next_due_fp
        sm.next_due_fp = NEVER_FP
        return True

    def land(self, sm: Any, now_fp: int) -> None:
        ticks = max(0, -(-(now_fp - self._due_fp) // sm.div_fp))
        at_body = (ticks + (not self._at_head)) % 2
        sm.pc = self._body if at_body else self._head
        sm.next_due_fp = self._due_fp + ticks * sm.div_fp


def _jump(pc: int, target: int, after: int, sm: Any, pio: ChipPio) -> _Stretch | None:
    sides = _Sides((pc,), sm, pio)
    if not sides.usable:
        return None
    register = _COUNTED[pio.instructions[pc] >> 5 & 0b111]
    return _Jump(pc, target, after, register, sides)


class _Jump:
    __slots__ = ("_after", "_due_fp", "_pc", "_register", "_sides", "_target")

    def __init__(self, pc: int, target: int, after: int, register: str, sides: _Sides):
        self._pc = pc
        self._target = target
        self._after = after
        self._register = register
        self._sides = sides
        self._due_fp = 0

    def take_off(self, sm: Any) -> bool:
        if not self._sides.unchanged():
            return False
        left = sm.y if self._register == "y" else sm.x
        setattr(sm, self._register, left - 1 & _RUN_OUT)
        sm.pc = self._target if left else self._after
        self._due_fp = due_fp = sm.next_due_fp
        sm.next_due_fp = due_fp + (1 + self._sides.delay) * sm.div_fp
        return True

    def land(self, sm: Any, now_fp: int) -> None:
        if now_fp > self._due_fp:
            return  # it has been made, and only its delay is under way
        left = sm.y if self._register == "y" else sm.x
        setattr(sm, self._register, left + 1 & _RUN_OUT)
        sm.pc = self._pc
        sm.next_due_fp = self._due_fp


def _after(pc: int, sm: Any) -> int:
    """The instruction that follows `pc` when it does not jump."""
    wrap_top, wrap_bottom = sm.exec_ctrl >> 12 & 0x1F, sm.exec_ctrl >> 7 & 0x1F
    return wrap_bottom if pc == wrap_top else (pc + 1) & 0x1F
