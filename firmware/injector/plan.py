"""A profile worked out for this machine, before anything moves: words, steps, what is due when."""

from injector.motion import last_rise, plan
from injector.pressure import Forces
from injector.strike import strike_words

MOVES = 3  # that a plan keeps

_AHEAD_MS = 100  # strikes are queued this long before they begin: more than a look is late
ROUNDED_MS = 2  # a strike's turn is reckoned in whole ms, by less than this too early


class Plan:
    """A profile worked out for this machine: words and steps, before anything moves.

    `machine` has the mechanics (see drives.py), `plunger` is its Drive; `rooms` has room for
    MOVES moves, where those of the plan before may be. Raises ValueError, with the reason as
    text, when the profile cannot be true here; `rooms` are then as they were.
    """

    def __init__(self, profile, machine, meter, plunger, timing, rooms):
        self.profile = profile
        actuator = machine.ACTUATOR
        self.travel_us = actuator.travel_us(profile.depth_um)
        self.return_us = actuator.return_us(profile.depth_um)
        self.on_us = self.travel_us + profile.dwell_us
        self.cycle_us = self.on_us + self.return_us + profile.rest_us
        if profile.period_us < self.cycle_us:
            raise ValueError(
                "period_us is %d but travel, dwell, return and rest take %d at this depth; "
                "strike slower." % (profile.period_us, self.cycle_us)
            )
        self._empty_um = machine.PLUNGER_EMPTY_UM
        if self.seat_um(profile.fill_nl) < 0:
            raise ValueError(
                "fill_nl is %d and the plunger's way is too short for so much in this syringe; "
                "fill less." % profile.fill_nl
            )
        self.forces = Forces(profile)
        self.moves = {}
        self.dose_us = 0
        self.dose_steps = meter.steps(profile.dose_nl)
        gate_us = self.travel_us + profile.settle_us
        ramp = self._ramp(plunger, gate_us) if profile.dose_nl else None
        # One set of words for each of the first strikes of a pull, and one for all that follow.
        periods_us = [profile.period_after_us(n + 1) for n in range(profile.soft_strikes + 1)]
        peak_us = actuator.peak_us(profile.depth_um)

        def words(gate_us):
            return [strike_words(timing, peak_us, self.on_us, us, gate_us) for us in periods_us]

        self._words = words(gate_us) if profile.dose_nl else []
        # A dose of less than a step is none in some strikes. Nobody passes the gate in those, and
        # one left open would let the next dose begin too early.
        self._words_without = words(None) if self.dose_steps < 2 else []
        # What the last word is too short for is waited for before the next strike is queued.
        covered = periods_us[0] <= self.on_us + timing.longest_us
        self.ahead_ms = _AHEAD_MS if covered else -ROUNDED_MS
        if ramp:
            for steps, room in zip(self._dose_range(), rooms):
                self.moves[steps] = plan(ramp, steps, True, room)
            move = self.moves[max(1, self.dose_steps)]
            self.dose_us = (move.last - move.first) * 1000 // (ramp.timing.hz // 1000)

    def seat_um(self, left_nl):
        """Where the pusher meets the plunger when `left_nl` are in the syringe."""
        return self._empty_um - (1000 * left_nl) // self.profile.nl_per_mm

    def words_of(self, strike, steps):
        """The words of a pull's strike number `strike`, 1 the first, with a dose of `steps`."""
        words = self._words if steps else self._words_without
        return words[min(strike, len(words)) - 1]

    def _dose_range(self):
        """What the residue of the doses before it makes of a dose: MOVES numbers at most."""
        return range(max(1, self.dose_steps - 1), self.dose_steps + 2)

    def _ramp(self, plunger, gate_us):
        """That of the doses, when they end in time."""
        profile = self.profile
        um_s = profile.flow_nl_s * 1000 // profile.nl_per_mm
        if not 0 < um_s <= plunger.speed_um_s:
            raise ValueError(
                "flow_nl_s asks for a plunger speed of %d um/s; this machine makes 1 to %d."
                % (um_s, plunger.speed_um_s)
            )
        steps = self._dose_range()
        ramp = plunger.ramp(um_s, steps[0])
        counts_ms = ramp.timing.hz // 1000
        ends_us = gate_us + last_rise(ramp, steps[-1]) * 1000 // counts_ms + 1
        if ends_us > self.on_us:
            raise ValueError(
                "the dose ends %d us after the start but the needle leaves after %d; choose a "
                "longer dwell_us or a higher flow_nl_s." % (ends_us, self.on_us)
            )
        return ramp
