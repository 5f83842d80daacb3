"""Moves of one axis at a time: homing, positioning, priming. Generators: each `next` is one look.

They raise Trouble when the machine does not do what it should, and Interrupted when a watch has
stopped the move.
"""

from injector.errors import Trouble
from injector.limits import RAIL_UP_MS
from injector.motion import Ramp, plan

_STOPPERS = ("interlock", "guard", "stop", "rail")


class Interrupted(Exception):
    """The move was stopped; the text says why, unless the port's `inputs_at_stop` do."""


class Drive:
    """An axis with its motor: `number` is the port's name for it, speeds in µm/s."""

    def __init__(self, port, inputs, axis, number, speed_um_s, accel_um_s2, travel_um):
        self.axis = axis
        self.number = number
        self.travel_steps = axis.steps_at(travel_um)
        self._port = port
        self._inputs = inputs
        accel = accel_um_s2 * axis.steps_per_mm // 1000
        self._fast = Ramp(port.step_timing, accel, self._interval(speed_um_s))
        self._home_mask = inputs.masks[axis.name + "_home"]
        self._mask = inputs.mask(_STOPPERS)

    def ramp(self, um_s: int) -> Ramp:
        """A ramp to `um_s`, at most the drive's own speed."""
        return self._fast.slower(self._interval(um_s))

    def go_to(self, steps: int):
        """Move the driven part to `steps` from home."""
        yield from self.go_by(steps - self.axis.position, self._fast)

    def go_by(self, steps: int, ramp: Ramp):
        """Move the driven part by `steps`; negative is towards home."""
        if steps:
            yield from self._run_whole(steps, ramp)

    def face_forward(self):
        """Take up the backlash, so that the very next step forward moves the driven part."""
        if self.axis.turn(True):
            yield from self._run_whole(0, self._fast)

    def home(self, back_off_um: int, slow_um_s: int):
        """Find the home switch: off it if on it, fast on to it, off it, slowly on to it."""
        self.axis.homed = False
        back_off = self.axis.steps_at(back_off_um)
        slow = self.ramp(slow_um_s)
        if self._at_home:
            yield from self.go_by(back_off, self._fast)
            self._expect_away()
        yield from self._seek(self._fast, self.travel_steps)
        yield from self.go_by(back_off, self._fast)
        self._expect_away()
        yield from self._seek(slow, 2 * back_off)
        self.axis.set_home()

    def _seek(self, ramp, most_steps):
        yield from self._run(-most_steps, ramp, self._mask | self._home_mask)
        if not self._port.stopped:
            raise Trouble(
                "home_missing",
                "The %s axis did not find its home switch; check the switch and that the axis "
                "moves freely." % self.axis.name,
            )
        fallen = ~self._port.inputs_at_stop
        if fallen & self._mask or not fallen & self._home_mask:
            raise Interrupted

    def _run_whole(self, steps, ramp):
        yield from self._run(steps, ramp, self._mask)
        if self._port.stopped:
            self.axis.homed = False
            raise Interrupted

    def _run(self, steps, ramp, mask):
        forward = steps >= 0
        count = abs(steps) + self.axis.turn(forward)
        self._port.watch(mask)
        self._port.start_axis(self.number, forward, plan(ramp, count))
        try:
            while self._port.busy:
                yield
        finally:  # also when the move is given up in the midst of it
            self.axis.moved(self._port.counted(self.number))
            self._port.unwatch()

    def _interval(self, um_s):
        # ticks between two steps, rounded up: to the next lower speed that the clock can make
        steps_s = max(1, um_s * self.axis.steps_per_mm // 1000)
        return (self._port.step_timing.hz + steps_s - 1) // steps_s

    @property
    def _at_home(self):
        return not self._port.read() & self._home_mask

    def _expect_away(self):
        if self._at_home:
            raise Trouble(
                "home_stuck",
                "The %s home switch stays closed %d steps away from home; check its wire and the "
                "switch." % (self.axis.name, self.axis.position),
            )


def power_up(port, inputs, uptime):
    """Ask for the rail and wait until it is sensed."""
    port.set_enable(1)
    until = uptime() + RAIL_UP_MS
    while not inputs.on("rail"):
        if uptime() > until:
            raise Trouble(
                "rail_dead",
                "The motor rail did not come up within %d ms; check the supply and the stop loop."
                % RAIL_UP_MS,
            )
        yield
