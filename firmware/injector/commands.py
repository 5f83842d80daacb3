"""What a host may ask of the machine: each command is carried out or refused, and then nothing has
changed."""

from injector.causes import absence, presence
from injector.controller import ARMED, FAULT, HOT, READY, SAFE, STOPPED_BY_HOST
from injector.delivery import Delivery
from injector.dose import DoseMeter
from injector.errors import Refusal, Trouble
from injector.params import only, whole
from injector.plan import MOVES, Plan
from injector.profile import Profile
from injector.travel import Interrupted, power_up
from mesodrive_wire import BAD_PARAMS, BUSY, FAULTED, INTERLOCK, LIMIT, WRONG_STATE

_HOMEWARD_MN = 1_000  # more than at its start: noise is some ten mN, friction about 2 N
# A blocked 1 mL syringe with its line takes 0.05 uL/kPa, and priming stops before 300 kPa.
_SHOWS_FREE_NL = 20_000
_RETREAT_UM = 1_000  # of the pusher; what a line gives back is a fraction of it

# A plan takes up to a quarter of a second and cannot be divided. Nothing moves meanwhile, and the
# dead-man takes the rail away as soon as ever.
_PLAN_MS = 1_000


class Commands:
    """`machine` has mechanics and limits, see site.py. `report` is called for every strike;
    `collect` frees memory while nothing moves; `request_id()` is that of the request under way."""

    def __init__(
        self,
        control,
        port,
        machine,
        inputs,
        sensors,
        condition,
        drives,
        uptime,
        report,
        collect,
        journal,
        request_id,
    ):
        self._control = control
        self._port = port
        self._machine = machine
        self._inputs = inputs
        self._sensors = sensors
        self._condition = condition
        self._plunger, self._depth = drives
        self._uptime = uptime
        self._report = report
        self._collect = collect
        self._journal = journal
        self._request_id = request_id
        self._rooms = self._plunger.rooms(MOVES)  # while the heap is in one piece

    def load(self, params):
        """Check a profile and plan it; leaves the machine in SAFE with the rail off."""
        self.want_state(SAFE, READY)
        only(params, ("profile",))
        values = params.get("profile")
        if not isinstance(values, dict):
            raise Refusal(BAD_PARAMS, "profile.load needs a profile object.")
        if self._journal.trouble:
            raise Refusal(FAULTED, self._journal.trouble)
        profile = Profile(values)
        self._machine.check(profile)
        self._journal.refuse_used(profile.cartridge)
        self._journal.refuse_past_limits(profile.shots * profile.dose_nl, True)
        plunger = self._plunger
        meter = DoseMeter(profile.nl_per_mm, plunger.axis.steps_per_mm)
        plan = self._planned(profile, meter)
        self._control.delivery = Delivery(
            self._port,
            self._inputs,
            self._sensors,
            plan,
            meter,
            plunger.axis,
            self._uptime.at,
            self._report,
        )
        self._control.go(SAFE, "a profile was loaded")
        self.write(self._journal.loaded, profile)
        return {
            "profile": profile.id,
            "dose_steps": plan.dose_steps,
            "dose_us": plan.dose_us,
            "travel_us": plan.travel_us,
            "strike_us": plan.on_us,
            "return_us": plan.return_us,
            "period_us": profile.period_us,
            "min_period_us": plan.cycle_us,
            "depth_steps": self._depth_steps(),
            "push_felt": bool(plan.forces.rise_mn),
        }

    def _planned(self, profile, meter):
        watchdog = self._port.watchdog
        watchdog.wait(_PLAN_MS)
        try:
            self._collect()
            return Plan(
                profile, self._machine, meter, self._plunger, self._port.strike_timing, self._rooms
            )
        except MemoryError:
            # Some of the room of the plan in use may be overwritten.
            self._control.delivery = None
            self._control.go(SAFE, "memory was short for a profile")
            raise Refusal(
                LIMIT,
                "There is no room in memory for the profile; restart the device and load it.",
            ) from None
        except ValueError as error:
            raise Refusal(LIMIT, "The profile cannot be carried out: %s" % error) from None
        finally:
            watchdog.go_on()

    def allow_change(self):
        """What is kept in flash is changed with everything off: meanwhile nothing could stop."""
        self.want_state(SAFE, FAULT)

    def home(self, answer):
        """Find both home switches and take up the profile's depth and syringe; then READY."""
        self.want_state(SAFE, READY)
        if not self._control.delivery:
            raise Refusal(WRONG_STATE, "Load a profile before homing.")
        self._want(("guard", "stop", "interlock", "needle_back", "driver_ok"))
        self._refuse_exchanged()
        self._control.begin(self._homing(), "homing", answer)

    def prime(self, params, answer):
        """Push `volume_nl` through the line with the needle back and away from the skin."""
        self.want_state(READY)
        only(params, ("volume_nl",))
        nl = whole(params, "volume_nl", 1, self._machine.limit("prime_nl"))
        job = self._control.job
        if nl - job.meter.nl(job.retreat) > job.left_nl:
            raise Refusal(
                LIMIT,
                "Priming takes %d nl and the syringe holds %d; fill it." % (nl, self._left()),
                {"name": "volume_nl", "value": nl, "limit": self._left()},
            )
        self._want(("guard", "stop", "interlock", "cartridge", "needle_back", "driver_ok"))
        self._want_not(("contact",))
        self._refuse_exchanged()
        self._refuse_doubt()
        self._refuse_full()
        self.write(self._journal.announce, self._control.job, self._request_id(), 0, nl)
        self._control.begin(self._priming(nl), "priming", answer)

    def arm(self):
        """READY → ARMED: from here a person's trigger and skin contact begin the strikes."""
        self.want_state(READY)
        self._want(("guard", "stop", "interlock", "cartridge", "needle_back", "rail", "driver_ok"))
        self._want_not(("trigger", "contact"))  # one that is stuck would show at no other time
        self._refuse_exchanged()
        delivery = self._control.job
        if delivery.complete:
            raise Refusal(WRONG_STATE, "The profile's shots are done; load it again for more.")
        needed = (delivery.plan.profile.shots - delivery.done) * delivery.plan.profile.dose_nl
        # What was given before was rounded to steps; the last dose may be that much short.
        if needed > self._left() + delivery.meter.nl(1):
            raise Refusal(
                LIMIT,
                "The shots need %d nl and the syringe holds %d; fill it or ask for fewer."
                % (needed, self._left()),
                {"name": "fill_nl", "value": needed, "limit": self._left()},
            )
        if delivery.plan.profile.dose_nl and self._control.pressed:
            nl = delivery.meter.nl(self._shows_free()) + 1  # or rounding may cost a step
            nl = min(nl, self._machine.limit("prime_nl"))
            raise Refusal(
                INTERLOCK,
                "The line was blocked and nothing has shown that it is free; prime into the air "
                "first, %d nl at once." % nl,
                {"prime_nl": nl},
            )
        if delivery.plan.profile.dose_nl and not delivery.relieved:
            raise Refusal(
                INTERLOCK,
                "The line is under pressure: the plunger feels %d mN; wait, or prime into the air."
                % self._sensors.force_mn,
            )
        self._refuse_doubt()
        self._journal.refuse_past_limits(needed, False)
        self._refuse_full()
        self._inputs.forget_press()
        self._control.command = self._request_id()
        self._control.go(ARMED, "armed by the host")
        return {"state": self._control.state}

    def disarm(self):
        """Stop whatever moves. ARMED and its like go to READY, all else to SAFE."""
        control = self._control
        if control.state == FAULT:
            raise Refusal(FAULTED, "A fault is latched; acknowledge it with ack.")
        # A host sends its stop byte before the request: then this is the same stop.
        stopped = control.state == READY and control.why == STOPPED_BY_HOST
        control.stop(READY if stopped or control.state in HOT else SAFE, "disarmed by the host")
        return {"state": self._control.state}

    def ack(self):
        """FAULT → SAFE, when the cause is gone."""
        self.want_state(FAULT)
        if self._journal.trouble:
            raise Refusal(FAULTED, self._journal.trouble)
        self._want(("guard", "stop", "interlock", "cartridge", "needle_back", "driver_ok"))
        trouble = self._condition.sensed()
        if trouble:
            raise Refusal(INTERLOCK, trouble.sentence)
        self._want_not(("trigger", "needle_out", "rail"))
        self._control.go_safe("fault acknowledged")
        return {"state": self._control.state}

    def status(self):
        """The `status` result of docs/protocol.md."""
        delivery = self._control.delivery
        depth = self._depth.axis
        homed = depth.homed and self._plunger.axis.homed
        return {
            "state": self._control.state,
            "why": self._control.why,
            "uptime_ms": self._uptime(),
            "homed": homed,
            "inputs": self._inputs.as_dict(),
            "depth_um": depth.um_at(depth.position) - self._machine.DEPTH_SURFACE_UM
            if homed
            else None,
            "left_nl": self._left(),
            "profile": delivery.plan.profile.id if delivery else None,
            "shots_done": delivery.done if delivery else 0,
            "shots_total": delivery.plan.profile.shots if delivery else 0,
            "delivered_nl": delivery.delivered_nl if delivery else 0,
            "alarm": self._control.alarm,
            "in_doubt": [list(dose) for dose in self._journal.in_doubt],
            "session_nl": self._journal.session_nl,
            "hour_nl": self._journal.hour_nl,
        }

    def beat(self):
        """What a host wants to see all the time, see `status` among docs/protocol.md's
        notifications."""
        delivery = self._control.job
        return {
            "state": self._control.state,
            "uptime_ms": self._uptime(),
            "shots_done": delivery.done,
            "delivered_nl": delivery.delivered_nl,
            "left_nl": delivery.left_nl,
            "inputs": self._inputs.as_bits(),
        }

    def _homing(self):
        machine = self._machine
        yield from power_up(self._port, self._inputs, self._uptime)
        # Nothing resists on the way home, unless the axis goes the other way.
        force = self._sensors.force
        self._plunger.force_counts = force.count(max(0, force.value) + _HOMEWARD_MN)
        for drive in (self._depth, self._plunger):
            yield from drive.home(machine.HOME_BACK_OFF_UM, machine.HOME_SLOW_UM_S)
        yield from self._depth.go_to(self._depth_steps())
        job, plunger = self._control.job, self._plunger
        seat = plunger.axis.steps_at(job.plan.seat_um(self._left()))
        # After an occlusion what was pressed into the line has come back: the pusher stays behind
        # it, and only priming into the air goes on from there.
        away = plunger.axis.steps_at(_RETREAT_UM) if self._control.pressed else 0
        job.retreat = min(seat, away)
        plunger.force_counts = self._sensors.force.count(job.plan.forces.rest_mn)
        yield from plunger.go_to(seat - job.retreat)
        yield from plunger.face_forward()
        return {"state": READY}

    def _priming(self, nl):
        plunger, job = self._plunger, self._control.job
        before = plunger.axis.position
        wanted, shows_free = job.meter.steps(nl), self._shows_free()
        moves = self._take_up(min(job.retreat, wanted)), self._push(wanted - job.retreat)
        try:
            for move in moves:
                for _ in move:
                    if self._inputs.on("contact"):
                        raise self._interrupted("skin contact was made while priming")
                    if not self._inputs.on("cartridge"):
                        raise self._interrupted("the cartridge was removed")
                    yield
        finally:  # stopped or not, what has been pushed has left the syringe
            for move in moves:
                move.close()
            steps = plunger.axis.position - before
            job.prime_done(steps)
        if steps >= shows_free:
            self._control.pressed = False  # all of it came out without too much force
        return {"steps": steps, "volume_nl": job.meter.nl(steps)}

    def _take_up(self, steps):
        """The pusher's way to the plunger: nothing may resist there."""
        self._plunger.force_counts = self._sensors.force.count(
            self._control.job.plan.forces.rest_mn
        )
        yield from self._plunger.go_by(steps, self._plunger.speed_um_s)

    def _push(self, steps):
        plunger, forces = self._plunger, self._control.job.plan.forces
        um_s = forces.prime_um_s(plunger.speed_um_s // 4)
        plunger.force_counts = self._sensors.force.count(forces.prime_mn(um_s))
        yield from plunger.go_by(max(0, steps), um_s)

    def _shows_free(self):
        """Steps of one priming that show the line to be free."""
        job = self._control.job
        # Where a site allows less at once, no priming shows more.
        nl = min(_SHOWS_FREE_NL, self._machine.limit("prime_nl"))
        return job.retreat + max(1, job.meter.steps(nl))

    def _interrupted(self, why):
        self._port.halt()  # before anybody counts
        return Interrupted(why)

    def write(self, write, *values):
        """Have the journal write; when it cannot, that is a fault."""
        try:
            write(*values)
        except Trouble as trouble:
            self._control.fault(trouble.code, trouble.sentence)
            raise Refusal(FAULTED, trouble.sentence) from None

    def _refuse_exchanged(self):
        if self._journal.was_out:
            raise Refusal(
                INTERLOCK,
                "The cartridge was taken out; load the profile again, for the one that is in.",
                {"input": "cartridge"},
            )

    def _refuse_doubt(self):
        doubt = self._journal.doubt
        if doubt:
            raise doubt

    def _refuse_full(self):
        if self._journal.is_full:
            raise Refusal(BUSY, "The ledger is full; disarm, so that it can make room.")

    def _left(self):
        return self._control.delivery.left_nl if self._control.delivery else 0

    def _depth_steps(self):
        um = self._control.job.plan.profile.depth_um + self._machine.DEPTH_SURFACE_UM
        return self._depth.axis.steps_at(um)

    def want_state(self, *states):
        """Refuse in any other state."""
        if self._control.state == FAULT and FAULT not in states:
            why = self._control.why
            raise Refusal(FAULTED, "A fault is latched (%s); acknowledge it with ack." % why)
        if self._control.state not in states:
            raise Refusal(
                WRONG_STATE,
                "This needs the state %s; the device is in %s."
                % (" or ".join(states), self._control.state),
            )

    def _want(self, names):
        for name in names:
            if not self._inputs.on(name):
                raise Refusal(INTERLOCK, absence(name), {"input": name})

    def _want_not(self, names):
        for name in names:
            if self._inputs.on(name):
                raise Refusal(INTERLOCK, presence(name), {"input": name})
