"""One strike after another, each reported once, with what the counted edges say it gave."""

from injector.errors import Trouble
from injector.motion import plan
from injector.strike import strike_words

_MUST_HOLD = ("interlock", "guard", "stop", "cartridge", "contact", "trigger", "rail")

_OUT_GRACE_MS = 3  # the needle must be seen out this long after its travel time
_BACK_GRACE_MS = 20  # and back this long after its return time


class Plan:
    """A profile worked out for this machine: words and steps, before anything moves.

    Raises ValueError, with the reason as text, when the profile cannot be true here.
    """

    def __init__(self, profile, board, meter, drive, timing):
        self.profile = profile
        self.on_ms = board.STRIKE_TRAVEL_MS + profile.dwell_ms
        self.cycle_ms = self.on_ms + board.STRIKE_RETURN_MS + profile.rest_ms
        if profile.period_ms < self.cycle_ms:
            raise ValueError(
                "period_ms is %d but travel, dwell, return and rest take %d ms; strike slower."
                % (profile.period_ms, self.cycle_ms)
            )
        if self.seat_um(profile.fill_nl, board) < 0:
            raise ValueError(
                "fill_nl is %d and the plunger's way is too short for so much in this syringe; "
                "fill less." % profile.fill_nl
            )
        self.words = strike_words(timing, board.STRIKE_PEAK_MS, self.on_ms)
        self.moves = {}
        self.dose_us = 0
        self.dose_steps = meter.steps(profile.dose_nl)
        if profile.dose_nl:
            self._plan_dose(profile, board, drive, timing)

    def seat_um(self, left_nl, board):
        """Where the pusher meets the plunger when `left_nl` are in the syringe."""
        return board.PLUNGER_EMPTY_UM - (1000 * left_nl) // self.profile.nl_per_mm

    def _plan_dose(self, profile, board, drive, timing):
        um_s = profile.flow_nl_s * 1000 // profile.nl_per_mm
        if not 0 < um_s <= board.PLUNGER_MAX_UM_S:
            raise ValueError(
                "flow_nl_s asks for a plunger speed of %d um/s; this machine makes 1 to %d."
                % (um_s, board.PLUNGER_MAX_UM_S)
            )
        ramp = drive.ramp(um_s)
        lead = timing.ticks(board.STRIKE_TRAVEL_MS + profile.settle_ms)
        # The residue of the doses before it makes a dose one step longer or shorter.
        for steps in range(max(1, self.dose_steps - 1), self.dose_steps + 2):
            self.moves[steps] = plan(ramp, steps, lead)
        move = self.moves[max(1, self.dose_steps)]
        per_us = timing.hz // 1_000_000
        self.dose_us = (move.last_tick - move.first_tick) // per_us
        ends_ms = max(m.last_tick for m in self.moves.values()) * 1000 // timing.hz + 1
        if ends_ms > self.on_ms:
            raise ValueError(
                "the dose ends %d ms after the start but the needle leaves after %d ms; choose a "
                "longer dwell_ms or a higher flow_nl_s." % (ends_ms, self.on_ms)
            )


class Delivery:
    """The strikes of one loaded profile. `report(dict)` is called once for each of them."""

    def __init__(self, port, inputs, plan, meter, plunger, plunger_number, times, uptime, report):
        self.plan = plan
        self.done = 0  # strikes that have been started
        self._given_steps = 0  # within strikes
        self._pushed_steps = 0  # in all
        self.running = False
        self.next_ms = 0  # uptime before which no strike may begin
        self.look_ms = 0  # uptime at which `step` or `start` is next of use
        self._port = port
        self._inputs = inputs
        self.meter = meter
        self._plunger = plunger
        self._number = plunger_number
        self._travel_ms, self._return_ms = times
        self._uptime = uptime
        self._report = report
        self._steps = 0
        self._start_ms = 0
        self._mask = inputs.mask(_MUST_HOLD)

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
        self._pushed_steps += steps
        self.meter.forget()

    def watch(self) -> None:
        """From now on an input that falls lets no strike begin; what fell before is past."""
        self._port.watch(self._mask)

    def start(self) -> None:
        """Begin the next strike, unless an input that must hold has fallen."""
        self.watch()
        if self._port.stopped or self.complete:
            return
        dose_nl = self.plan.profile.dose_nl
        self._steps = self.meter.next_steps(dose_nl) if dose_nl else 0
        self.done += 1
        self.running = True
        move = self.plan.moves[self._steps] if self._steps else None
        self._port.start_strike(self.plan.words, move)
        # Read after the start: a garbage collection before it would make a sound strike look late.
        self._start_ms = self._uptime()
        self.next_ms = self._start_ms + self.plan.profile.period_ms
        self.look_ms = self._start_ms + self._travel_ms + _OUT_GRACE_MS

    def step(self, now_ms: int) -> None:
        """Look after the strike that is under way; raise Trouble when it goes wrong."""
        elapsed = now_ms - self._start_ms
        out_us, back_us = self._port.strike_times_us()
        if out_us is None:
            self._port.halt()
            self._end("misfire", "the needle was not seen at its stop")
            raise Trouble(
                "misfire",
                "Strike %d did not reach its stop within %d ms; check the actuator and its sensor."
                % (self.done, elapsed),
            )
        released = elapsed > self.plan.on_ms and not self._port.busy
        if released and back_us is not None:
            self._finish()
        elif elapsed > self.plan.on_ms + self._return_ms + _BACK_GRACE_MS:
            self._port.halt()
            self._end("done" if released else "stopped", "the needle was not seen back")
            raise Trouble(
                "needle_stuck",
                "The needle of strike %d did not come back; lift the device, then check the "
                "spring and the sensor." % self.done,
            )
        else:
            self.look_ms = max(now_ms, self._start_ms + self.plan.on_ms + self._return_ms) + 1

    def stop(self, why: str) -> None:
        """End the strike under way, if any, here and now; what was given is reported."""
        self._port.halt()
        if self.running:
            self._end("stopped", why)

    def _finish(self):
        counted = self._port.counted(self._number)
        self._end("done", "")
        if counted != self._steps:
            raise Trouble(
                "steps_lost",
                "Strike %d planned %d plunger steps and %d were counted; check the STEP wire."
                % (self.done, self._steps, counted),
            )

    def _end(self, outcome, why):
        self.running = False
        self.look_ms = self.next_ms
        self._port.unwatch()
        counted = self._port.counted(self._number) if self._steps else 0
        steps = self._plunger.moved(counted)
        before_nl = self.delivered_nl
        self._given_steps += steps
        self._pushed_steps += steps
        if outcome != "done":
            self.meter.forget()
        out_us, back_us = self._port.strike_times_us()
        profile = self.plan.profile
        self._report(
            {
                "shot": self.done,
                "t_ms": self._start_ms,
                "outcome": outcome,
                "why": why,
                "depth_um": None if out_us is None else profile.depth_um,
                "commanded_nl": profile.dose_nl,
                "dose_nl": self.delivered_nl - before_nl,
                "steps": self._steps,
                "audit": counted,
                "out_us": out_us,
                "back_us": back_us,
            }
        )
