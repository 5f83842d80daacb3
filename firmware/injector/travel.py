"""Moves of one axis at a time: homing, positioning, priming. Generators: each `next` is one look.

They raise Trouble when the machine does not do what it should, and Interrupted when a watch has
stopped the move.
"""

from injector.causes import DEAF, DIR_STUCK, first_fallen
from injector.errors import Trouble
from injector.limits import MOVE_LATE_MS, RAIL_UP_MS
from injector.motion import Ramp, plan, room_for

_STOPPERS = ("interlock", "guard", "stop", "rail", "driver_ok")
_LOOP = ("stop", "guard", "interlock")  # without them there is no rail
_HOME_AGREES_UM = 50  # half of what a needle may go too deep
_FALSE_HOMES = 4  # a switch that was closed for less than two looks was not home


class Interrupted(Exception):
    """The move was stopped; the text says why, unless the port's `inputs_at_stop` do."""


class Drive:
    """An axis with its motor: `number` is the port's name for it; `mechanics` its limits;
    `uptime()` is in ms."""

    def __init__(self, port, inputs, axis, number, mechanics, uptime):
        self.axis = axis
        self.number = number
        self.speed_um_s = mechanics.speed_um_s
        self.force_counts = 0  # at which the port stops a move, see `limit_force`; 0 is nowhere
        self.travel_steps = axis.steps_at(mechanics.travel_um)
        self._port = port
        self._inputs = inputs
        self._uptime = uptime
        self._limits = mechanics.limits
        self._fast = self._ramp(self.speed_um_s, None)
        self._room = None
        self._home_mask = inputs.masks[axis.name + "_home"]
        self._mask = inputs.mask(_STOPPERS)
        self._asked = self._made = 0  # edges of the last move
        self._back_off = 0  # steps
        self.moving = False

    def ramp(self, um_s: int, steps: int) -> Ramp:
        """A ramp to `um_s`, at most the drive's own speed, or to what `steps` have room for."""
        if um_s == self.speed_um_s and steps >= self._fast.least_steps:
            return self._fast  # the longest to work out
        return self._ramp(um_s, steps)

    def rooms(self, number: int) -> "list[object]":
        """Room for `number` moves that are to be kept, at any speed of the drive."""
        return [room_for(self._fast) for _ in range(number)]

    def share_room(self, other: "Drive") -> None:
        """Make room for the moves of both drives, of which one moves at a time. It is kept: later
        the heap may have no place for so much in a row."""
        rooms = [room_for(drive._fast) for drive in (self, other)]
        self._room = other._room = max(rooms, key=len)

    def _ramp(self, um_s, steps):
        steps_s = max(1, um_s * self.axis.steps_per_mm // 1000)
        return Ramp(self._port.step_timing, self._limits, steps_s, steps)

    def go_to(self, steps: int):
        """Move the driven part to `steps` from home."""
        yield from self.go_by(steps - self.axis.position, self.speed_um_s)

    def go_by(self, steps: int, um_s: int):
        """Move the driven part by `steps`; negative is towards home."""
        if steps:
            yield from self._run_whole(steps, um_s)

    def face_forward(self):
        """Take up the backlash, so that the very next step forward moves the driven part."""
        if self.axis.turn(True):
            yield from self._run_whole(0, self.speed_um_s)

    def home(self, back_off_um: int, slow_um_s: int):
        """Find the home switch: off it if on it, fast on to it, off it, slowly on to it."""
        self.axis.homed = False
        self._back_off = back_off = self.axis.steps_at(back_off_um)
        if self._at_home:
            yield from self.go_by(back_off, self.speed_um_s)
            self._expect_away()
        yield from self._seek(self.speed_um_s, self.travel_steps)
        found = self.axis.position
        yield from self.go_by(back_off, self.speed_um_s)
        self._expect_away()
        yield from self._seek(slow_um_s, 2 * back_off)
        apart_um = self.axis.um_at(abs(self.axis.position - found))
        if apart_um > _HOME_AGREES_UM:
            raise Trouble(
                "home_stuck",
                "The %s axis found its home switch at two places, %d um apart; check the switch "
                "and its wire." % (self.axis.name, apart_um),
            )
        self.axis.set_home()

    @property
    def astray(self) -> "Trouble | None":
        """It stands still and says that it is at home, which it left long ago."""
        far = self.axis.homed and self.axis.position > self._back_off
        if not far or self.moving or self._inputs.now & self._home_mask:
            return None
        return self._still_home()

    def _seek(self, um_s, most_steps):
        end = self.axis.position - most_steps
        for _ in range(_FALSE_HOMES):
            left = max(1, self.axis.position - end)
            yield from self._run(-left, um_s, self._mask | self._home_mask)
            at_home = self._at_home  # before what the interrupt has stopped by now
            if not self._port.stopped:
                if at_home:
                    raise Trouble("selftest", DEAF)
                raise Trouble(
                    "home_missing",
                    "The %s axis did not find its home switch; check the switch and that the axis "
                    "moves freely." % self.axis.name,
                )
            fallen = ~self._port.inputs_at_stop
            if fallen & self._mask or not fallen & self._home_mask:
                raise Interrupted
            yield
            stays = self._at_home
            yield
            if stays and self._at_home:
                return
        raise Trouble(
            "home_stuck",
            "The %s home switch does not keep saying that it is at home; check its wire and the "
            "switch." % self.axis.name,
        )

    def _run_whole(self, steps, um_s):
        yield from self._run(steps, um_s, self._mask)
        if self._port.stopped:
            self.axis.homed = False
            raise Interrupted
        if self._made != self._asked:
            self.axis.homed = False
            raise Trouble(
                "steps_lost",
                "A move of the %s axis planned %d steps and %d were counted; check the STEP wire."
                % (self.axis.name, self._asked, self._made),
            )

    def _run(self, steps, um_s, mask):
        forward = steps >= 0
        count = abs(steps) + self.axis.turn(forward)
        move = plan(self.ramp(um_s, count), count, room=self._room)
        self._asked = count
        self._port.limit_force(self.force_counts)
        self._port.watch(mask)
        self.moving = True
        self._port.start_axis(self.number, forward, move)
        try:
            if self._port.dir_stuck:
                raise Trouble("driver_fault", DIR_STUCK % self.axis.name)
            until = (
                self._uptime() + move.last // (self._port.step_timing.hz // 1000) + MOVE_LATE_MS
            )
            while self._port.busy:
                if self._uptime() > until:
                    raise Trouble(
                        "steps_lost",
                        "A move of the %s axis did not end in its time; restart the device and "
                        "check it." % self.axis.name,
                    )
                yield
        finally:  # also when the move is given up in the midst of it
            self._made = self._port.counted(self.number)
            self.axis.moved(self._made)
            self.moving = False
            self._port.unwatch()

    @property
    def _at_home(self):
        return not self._port.read() & self._home_mask

    def _expect_away(self):
        if self._at_home:
            raise self._still_home()

    def _still_home(self):
        return Trouble(
            "home_stuck",
            "The %s home switch still says home %d steps away from it; check switch, wire and "
            "the DIR wire." % (self.axis.name, self.axis.position),
        )


def power_up(port, inputs, uptime):
    """Ask for the rail and wait until it is sensed."""
    until = uptime() + RAIL_UP_MS
    port.hold_rail()
    while not inputs.on("rail"):
        if uptime() > until:
            raise Trouble(
                "rail_dead",
                "The motor rail did not come up within %d ms; check the supply and the stop loop."
                % RAIL_UP_MS,
            )
        yield
        fallen = first_fallen(inputs.now, inputs.masks, _LOOP)
        if fallen:
            raise Interrupted(fallen[1])
