"""The strikes of a planned profile: let go by the hardware one after another, each reported once
with what the counted edges say it gave.
"""

from injector.causes import DEAF, DIR_STUCK, NEEDLE_AWAY, NEEDLE_LEFT, OCCLUDED, STALLED
from injector.errors import Trouble
from injector.limits import LOW_PCT
from injector.plan import ROUNDED_MS
from injector.uptime import LOW

_MUST_HOLD = ("interlock", "guard", "stop", "cartridge", "contact", "trigger", "rail", "driver_ok")

_OUT_GRACE_US = 3_000  # the needle must be seen out this long after its travel time
_BEGIN_MS = 100  # a strike must begin this long after it may
_BACK_GRACE_US = 20_000  # and back this long after its return time
_RELIEVED_MS = 50  # after a shot that the line has let go of its pressure
_AIR_NL = 500  # pushed without resistance: more than the pusher may be short of the plunger
_GONE_US = 2_000  # twice what its contact bounces, MIN_SETTLE_US
_REBOUND_MS = 20  # a carriage that has come back may leave its rest again for a moment
_QUEUED_AT_MOST = 32  # the port's room
_UNFELT = "the plunger was not felt to push"


class Delivery:
    """The strikes of one loaded profile. `report(t_us, outcome, …)` is called once for each; see
    `Reports.add`. `uptime_us(timer)` tells the uptime at a reading of the port's timer."""

    def __init__(self, port, inputs, sensors, plan, meter, plunger, uptime_us, report):
        self.plan = plan
        self.meter = meter
        self.done = 0  # strikes that have begun
        self.low = False  # less than LOW_PCT of the fill is left
        self.retreat = 0  # steps that the pusher stands behind where the plunger should be
        self._given_steps = 0  # within strikes
        self._pushed_steps = 0  # in all
        self.running = False  # strikes are queued or under way
        self._port = port
        self._force = sensors.force
        forces = plan.forces
        self._air_steps = max(2, meter.steps(_AIR_NL))
        self._fill_steps = max(2, meter.steps(_AIR_NL + forces.fill_nl))
        tail_nl = forces.tail_nl if forces.rise_mn else None
        self._tail_steps = None if tail_nl is None else meter.steps(tail_nl) + 2
        self._plunger = plunger
        self._uptime_us = uptime_us
        self._report = report
        self._mask = inputs.mask(_MUST_HOLD)
        self._out_mask = inputs.masks["needle_out"]
        self._back_mask = inputs.masks["needle_back"]
        self._strike_mask = inputs.strike_mask
        self.gone = 0  # where in the pull the needle was not where it should be at the last look
        self._gone_us = 0  # at a reading of the port's timer
        self._steps = [0] * _QUEUED_AT_MOST  # of the strikes that are queued
        self._forget_pull()
        self.mark()

    @property
    def _doses(self):
        return self.plan.profile.dose_nl > 0

    @property
    def complete(self) -> bool:
        return self.done >= self.plan.profile.shots

    @property
    def delivered_nl(self) -> int:
        """Volume given in strikes, from all their steps together so that no rounding adds up."""
        return self.meter.nl(self._given_steps)

    @property
    def left_nl(self) -> int:
        """Liquid still in the syringe."""
        return self.plan.profile.fill_nl - self.meter.nl(self._pushed_steps)

    def prime_done(self, steps: int) -> None:
        """The plunger has made `steps` outside a strike; start the doses afresh."""
        taken_up = min(max(0, steps), self.retreat)
        self.retreat -= taken_up
        self._push(steps - taken_up)
        self.meter.forget()

    @property
    def relieved(self) -> bool:
        """The line is not under pressure, as far as the plunger tells."""
        # On a falling force `value` is that of the look before, which may be long ago.
        return min(self._force.value, self._force.latest) <= self.plan.forces.rest_mn

    @property
    def next_pull(self) -> int:
        """Strikes that the next pull may give."""
        return min(self.plan.profile.a_pull, self.plan.profile.shots - self.done)

    def mark(self) -> None:
        """A dose or priming is announced; `since_mark` says what came of it."""
        self.cut = False
        self._marked_done = self.done
        self._marked_nl = self.left_nl

    def since_mark(self) -> "tuple[int, int]":
        """Strikes that have begun, and volume out of the syringe."""
        return self.done - self._marked_done, max(0, self._marked_nl - self.left_nl)

    @property
    def step_nl(self) -> int:
        """What a step of the plunger displaces, to the nearest nl."""
        return self.meter.nl(1)

    def watch(self) -> None:
        """From now on an input that falls lets no strike begin; what fell before is past."""
        forces = self.plan.forces
        self._port.limit_force(self._force.count(forces.stop_mn) if self._doses else 0)
        self._port.watch(self._mask)

    def start(self, now_ms: int, strikes: int) -> None:
        """Begin a pull of so many strikes, unless an input that must hold has fallen."""
        self._forget_pull()
        if self._port.stopped or self.complete:
            return
        self._wanted = strikes
        self.running = True
        self._due_ms = now_ms
        self._shown_ms = now_ms
        self._expect(self._force.value)
        self._queue(now_ms)
        self._port.start_strikes()
        if self._port.dir_stuck:
            self.stop("the plunger's direction is wrong")
            raise Trouble("driver_fault", DIR_STUCK % "plunger")

    def step(self, now_ms: int) -> None:
        """Look after the strikes; raise Trouble when one goes wrong."""
        self._collect()
        if self._ended >= self._wanted:
            self.running = False
            self._port.unwatch()
            return
        self._check_beginning(now_ms)
        self._check_under_way()
        if self._doses:
            self._check_force(now_ms)
        self._queue(now_ms)
        self._port.go_on()

    def stop(self, why: str) -> None:
        """End the strike under way, if any, here and now; what was given is reported."""
        self._port.halt()
        if self.running:
            self._collect()
            self._end_under_way("stopped", why)

    @property
    def next_ms(self) -> int:
        """Uptime before which no further pull may begin: the last strike's period is not over."""
        return self._due_ms + ROUNDED_MS

    def _forget_pull(self):
        self.gone = 0
        self._left = 0  # the strike under way whose needle was seen away from its rest
        self._wanted = 0  # strikes that this pull may give
        self._shown = 0  # of them, those that had ended when one last showed itself
        self._shown_ms = 0  # uptime of that
        self._queued = 0
        self._ended = 0
        self._counted = 0  # plunger edges of those that ended
        self._ended_ms = 0  # uptime at which the last was seen to have ended
        self._looked_ms = 0  # uptime of the last look
        self._unresisted = None  # plunger edges when it began to meet no resistance
        self._counted_before = 0  # plunger edges at the look before
        self._rest_mn = 0  # the least force in this pull
        self._due_ms = 0  # uptime at which the strike that is queued next is to begin
        self._due_rest_us = 0

    def _queue(self, now_ms):
        profile = self.plan.profile
        while (
            self._queued < self._wanted
            and self._queued - self._ended < _QUEUED_AT_MOST
            and (not self._queued or self._due_ms <= now_ms + self.plan.ahead_ms)
        ):
            steps = self.meter.next_steps(profile.dose_nl) if profile.dose_nl else 0
            self._steps[self._queued % _QUEUED_AT_MOST] = steps
            self._queued += 1
            self._port.queue_strike(
                self.plan.words_of(self._queued, steps), self.plan.moves[steps] if steps else None
            )
            rest_us = self._due_rest_us + profile.period_after_us(self._queued)
            self._due_ms += rest_us // 1000
            self._due_rest_us = rest_us % 1000

    def _collect(self):
        """Report the strikes that have ended well since the last look."""
        port = self._port
        lost = None
        still = None  # the first strike whose end was not felt
        while self._ended < port.finished:
            start, out, back, counted, unfelt = port.strike(self._ended)
            steps = self._steps[self._ended % _QUEUED_AT_MOST]
            made = counted - self._counted
            self._counted = counted
            self._ended += 1
            self._ended_ms = self._uptime_us(back) // 1000
            tail = self._tail_steps if steps and self._force.possible else None
            if tail is not None and unfelt > tail:
                port.halt()
                self._add(start, "stopped", steps, made, out, back, _UNFELT)
                still = still or self.done
            else:
                self._add(start, "done", steps, made, out, back, "")
            if made != steps and not lost:
                port.halt()
                lost = (self.done, steps, made)
        if lost:
            self._end_under_way("stopped", "steps were lost in a strike before")
            raise Trouble(
                "steps_lost",
                "Strike %d planned %d plunger steps and %d were counted; check the STEP and "
                "STRIKE wires." % lost,
            )
        if still:
            self._end_under_way("stopped", _UNFELT + " before")
            raise Trouble("stalled", STALLED % still)

    def _check_beginning(self, now_ms):
        """A strike that was let go shows itself at the STRIKE pin, or the wire is shorted."""
        pins = self._port.read()  # before what the interrupt has counted by now
        if self._port.started != self._ended or self._ended != self._shown:
            self._shown = self._ended
            self._shown_ms = now_ms
            return
        if pins & self._strike_mask:
            self.stop("the chip did not notice that it began")
            raise Trouble("selftest", DEAF)
        away = not self._port.read() & self._back_mask and self._port.started == self._ended
        if now_ms - self._ended_ms < _REBOUND_MS:
            away = False
        if self._seen_gone(away, 0):
            self.stop("the needle left its rest")
            raise Trouble("needle_stuck", NEEDLE_AWAY)
        wait_ms = _BEGIN_MS
        if self._ended:
            wait_ms += self.plan.profile.period_after_us(self._ended) // 1000
        if now_ms - self._shown_ms > wait_ms:
            self.stop("it did not begin")
            raise Trouble(
                "misfire",
                "Strike %d did not begin; check the STRIKE wire, then acknowledge."
                % (self.done + 1),
            )

    def _check_under_way(self):
        port = self._port
        if port.started == self._ended:
            return
        # In this order: a needle that comes while memory is freed in between counts.
        now_us = port.timer_us()
        start, out = port.strike_under_way()
        elapsed_us = (now_us - start) & LOW
        plan = self.plan
        late = elapsed_us > plan.travel_us + _OUT_GRACE_US
        pins = port.read()
        if port.finished != self._ended:
            return  # it has ended while we looked
        if not pins & self._back_mask:
            self._left = port.started
        stuck = elapsed_us > plan.on_us + plan.return_us + _BACK_GRACE_US
        if port.dose_refused or (out is None and late):
            self._port.halt()
            self._end_under_way("misfire", "the needle was not seen at its stop")
            raise Trouble(
                "misfire",
                "Strike %d did not reach its stop within %d ms; check actuator, sensor and stop."
                % (self.done, elapsed_us // 1000),
            )
        if stuck:
            # Seen away, and now at its rest: the interrupt has not told of that.
            deaf = pins & self._back_mask and self._left == port.started and not port.stopped
            self._port.halt()
            self._end_under_way("stopped", "the needle was not seen back")
            if deaf:
                raise Trouble("selftest", DEAF)
            raise Trouble(
                "needle_stuck",
                "The needle of strike %d did not come back; lift the device, then check the "
                "spring and the sensor." % self.done,
            )

        away = out is not None and not port.read() & self._out_mask
        elapsed_us = (port.timer_us() - start) & LOW
        away = away and elapsed_us < plan.on_us and port.finished == self._ended
        if self._seen_gone(away, 1):
            self._port.halt()
            self._end_under_way("misfire", "the needle left its stop")
            raise Trouble("misfire", NEEDLE_LEFT % self.done)

    def _seen_gone(self, gone, under_way):
        """Whether the needle is not where it should be, and was not at the look before, in the
        same strike, or the same time between two, and longer ago than its contact bounces."""
        if not gone:
            self.gone = 0
            return False
        where = 2 * self._port.started + under_way + 1
        now_us = self._port.timer_us()
        if self.gone != where:
            self.gone = where
            self._gone_us = now_us
        return (now_us - self._gone_us) & LOW >= _GONE_US

    def _check_force(self, now_ms):
        """The plunger resists while it is pushed, and the line lets go between two shots."""
        idle = self._ended == self._queued
        # The force was read after the look before, and maybe long before this one.
        rested = idle and self._looked_ms - self._ended_ms >= _RELIEVED_MS
        self._looked_ms = now_ms
        if self._ended and rested and not self.relieved:
            self.stop("the line kept its pressure after the shot")
            raise Trouble(*OCCLUDED)
        # The force was read before the steps are: what it stands for are those of the look before.
        counted, self._counted_before = self._counted_before, self._port.counted_in_strikes()
        forces = self.plan.forces
        if max(self._force.value, self._force.latest) >= forces.air_mn:
            self._unresisted = None
        elif self._unresisted is None:
            self._unresisted = self._counted_before
        elif counted - self._unresisted >= self._air_steps:
            self.stop("the plunger met no resistance")
            raise Trouble(
                "air",
                "The plunger meets no resistance in strike %d; check syringe and line for air, "
                "prime, then acknowledge." % self.done,
            )
        if forces.rise_mn and self._force.possible:
            if self._force.value < self._rest_mn:
                self._expect(self._force.value)
            if self._port.unfelt >= self._fill_steps:
                self.stop(_UNFELT)
                raise Trouble("stalled", STALLED % self.done)

    def _expect(self, rest_mn):
        """A plunger that pushes presses with so much more than at rest."""
        self._rest_mn = rest_mn
        self._port.expect_force(self._force.count(rest_mn + self.plan.forces.rise_mn))

    def _end_under_way(self, outcome, why):
        """The tracks are halted: what has begun ends here, what was queued is forgotten."""
        self.running = False
        port = self._port
        port.unwatch()
        for strike in range(port.started + 1, self._queued + 1):  # these take no time
            self._due_ms -= self.plan.profile.period_after_us(strike) // 1000
        made = port.counted_in_strikes() - self._counted
        self.meter.forget()
        if port.started > self._ended:
            self.cut = True
            start, out = port.strike_under_way()
            steps = self._steps[self._ended % _QUEUED_AT_MOST]
            self._add(start, outcome, steps, made, out, None, why)
        else:
            self._moved(made)

    def _add(self, start, outcome, steps, made, out, back, why):
        before_nl = self.delivered_nl
        self._moved(made)
        self.done += 1
        self._report(
            self._uptime_us(start),
            outcome,
            self.delivered_nl - before_nl,
            steps,
            made,
            None if out is None else (out - start) & LOW,
            None if back is None else (back - start) & LOW,
            why,
        )

    def _moved(self, made):
        steps = self._plunger.moved(made)
        self._given_steps += steps
        self._push(steps)

    def _push(self, steps):
        self._pushed_steps += steps
        fill_nl = self.plan.profile.fill_nl
        self.low = self._doses and 100 * self.left_nl < LOW_PCT * fill_nl
