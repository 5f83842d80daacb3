"""The states, who may change them, and what may be live in each."""

from injector import alarms
from injector.causes import (
    DEAF,
    DRIVEN,
    GLITCH,
    HELD_INPUTS,
    HOT_INPUTS,
    NEEDLE_AWAY,
    OCCLUDED,
    RAIL_ON,
    alarm_sentence,
    capital,
    first_fallen,
)
from injector.delivery import Delivery
from injector.errors import Refusal, Trouble
from injector.limits import HOST_SILENCE_MS, IDLE_MS, LOW_PCT, NEEDLE_AWAY_MS
from injector.profile import BURST, STAMP
from injector.trace import INPUTS, STATE
from injector.travel import Interrupted
from mesodrive_wire import BUSY, INTERLOCK

SELF_TEST = "SELF_TEST"
SAFE = "SAFE"
HOMING = "HOMING"
READY = "READY"
ARMED = "ARMED"
DELIVERING = "DELIVERING"
PAUSED = "PAUSED"
FAULT = "FAULT"

# The rail may be on in these; anything not named is off.
POWERED = (HOMING, READY, ARMED, DELIVERING, PAUSED)
# In these a person may set the needle going: an open interlock is a fault.
HOT = (ARMED, DELIVERING, PAUSED)

STOPPED_BY_HOST = "stopped by the host"

STATES = (SELF_TEST, SAFE, HOMING, READY, ARMED, DELIVERING, PAUSED, FAULT)

# what a strike's report says of it, where it is not the alarm's own sentence
_WHYS = {
    "occlusion": "the line is blocked",
    "sensor": "a sensor failed",
    "free_running": "steps were made unasked",
}

_PACE_MS = 10
_DELIVERING_PACE_MS = 15  # strikes are queued for longer than that
_DOUBT_PACE_MS = 2  # the needle is not where it should be: a bounce, or liquid goes elsewhere
_IDLE_PACE_MS = 20  # while nobody may strike


class Controller:
    """Owns the state. `tell(method, params)` sends a notification.

    Every `step` looks at the inputs first, then lets what is under way go on, and when nothing
    moves writes into the journal what has been.
    """

    def __init__(self, port, inputs, condition, drives, uptime, tell, collect, trace, journal):
        self.state = SELF_TEST
        self.why = "power-up"
        self.alarm = None
        self.heard_ms = 0  # when the host last said something valid
        self.delivery = None  # of the profile that is loaded
        self.command = 0  # id of the request that armed the device
        self.steps = 0
        self.sound = True  # every part lives: only then is the rail held
        self.pressed = False  # the line was blocked, and has not been primed since
        self._port = port
        self._inputs = inputs
        self._condition = condition
        self._warned = None  # the delivery whose low syringe has been told
        self._drives = drives
        self._uptime = uptime
        self._tell = tell
        self._collect = collect  # frees memory; called only while nothing moves
        self._trace = trace
        self._journal = journal
        self.latched = _uncounted  # (code) → why the device is locked now, or None
        self._untold = []  # (code, sentence) of what the start has found besides
        self._live = None  # what of FAULT was not safe when it was last looked at
        self._latched_last = ""  # the alarm's code
        self._pushed = self._pushed_unasked  # bound once: each look hands it on
        self._away_ms = None  # since when the needle is away from its rest, while none strikes
        self._activity = None  # the generator that homes or primes
        self._answer = None  # whom to tell when it has ended
        self._hot_mask = inputs.mask(HOT_INPUTS)
        self._deliver_mask = self._hot_mask | inputs.mask(("contact", "trigger"))
        # Of what a look sees: interrupts note the needle, and outputs are no news.
        self._noted_mask = inputs.all_mask & ~inputs.mask(("needle_out", "needle_back"))
        self._ready_mask = inputs.mask(HELD_INPUTS)

    @property
    def pace_ms(self) -> int:
        """How long the loop may sleep. Stops do not wait for it: they are interrupts, but for a
        host's silence, and that ends no sleep late."""
        if self.state in (HOMING, ARMED, PAUSED):
            return _PACE_MS
        if self.state != DELIVERING:
            return _IDLE_PACE_MS
        if self.job.gone:
            return _DOUBT_PACE_MS
        left_ms = self.heard_ms + HOST_SILENCE_MS + 1 - self._uptime()
        return max(1, min(_DELIVERING_PACE_MS, left_ms))

    # what the loop calls

    def step(self) -> None:
        """One look at everything; at most a few hundred µs unless a shot is being started."""
        now = self._uptime()
        before = self._inputs.now
        self._inputs.poll(now)
        if (self._inputs.now ^ before) & self._noted_mask:
            self._port.note(INPUTS, self._inputs.now)
        self.steps += 1
        if self.state in POWERED and self.sound:
            self._port.hold_rail()
        try:
            self._check(now)
            if self.state == HOMING:
                self._advance()
            elif self.state == DELIVERING:
                self._deliver(now)
            elif self.state in (ARMED, PAUSED) and self._inputs.pulled and self._inputs.touching:
                self._begin_pull(now)
            self._keep(now)
        except Trouble as trouble:
            self.fault(trouble.code, trouble.sentence)

    def started(
        self, failures, ledger_trouble, restarted_in: "int | None" = None, locked=None
    ) -> None:
        """Leave SELF_TEST: to SAFE, or to FAULT naming what is wrong with the ledger, the state
        (its place in STATES) in which the program hung or crashed, the first failed check, or why
        the device is `locked`. Of several the next is told when one is acknowledged: most are told
        at this start or never."""
        troubles = []
        if ledger_trouble:
            troubles.append(("ledger", ledger_trouble))
        if restarted_in is not None:
            sentence = "The program hung or crashed in %s and was restarted" % STATES[restarted_in]
            if failures:
                sentence += ", and t%s" % failures[0][1:]
            else:
                sentence += "; note what the last shot gave, then acknowledge."
            troubles.append(("restarted", sentence))
        elif failures:
            troubles.append(("selftest", failures[0]))
        if locked:
            troubles.append(("locked", locked))
        self._untold = troubles
        self.go_safe("self-test passed")

    def go_safe(self, why: str) -> None:
        """To SAFE, or to FAULT with what the start has found and not told yet."""
        self.alarm = None
        if self._untold:
            self.fault(*self._untold.pop(0))
            return
        self.go(SAFE, why)
        self.warn_of_doubt()

    def look_at_fault(self) -> None:
        """In FAULT rail and needle must have fallen back: called now and then, and what is so
        twice in a row is told."""
        live = None
        if self.state == FAULT and self._inputs.on("rail"):
            live = RAIL_ON
        elif self.state == FAULT and not self._inputs.on("needle_back"):
            live = "needle_stuck", NEEDLE_AWAY
        before, self._live = self._live, live
        if live and live == before and live[0] != self._latched_last:
            self._latch(live[0], live[1], FAULT)

    def idle_tested(self, failures) -> None:
        """What the self-test found while nothing moves."""
        if failures:
            self.fault("selftest", failures[0])

    # what happens by itself

    def _check(self, now):
        """Act on what has fallen since the last look."""
        stopped = self._port.host_stopped
        self._port.host_stopped = False
        if self.state not in POWERED:
            self._port.link_lost = False  # what is lost after this look ends what has begun since
        if self.state in (SELF_TEST, FAULT):
            return
        self._check_machine(now)
        if self.state not in POWERED:
            return
        if self._inputs.split:
            self._trigger_broken()
        if stopped and self.state != READY:
            self.stop(READY if self.state in HOT else SAFE, STOPPED_BY_HOST)
        elif self._port.link_lost or not self._port.line.connected():
            self._lose_host("the host closed the port")
        elif self.state != READY and now - self.heard_ms > HOST_SILENCE_MS:
            self._lose_host("the host was silent for %d ms" % HOST_SILENCE_MS)
        elif self.state == DELIVERING:
            self._check_delivering()
        elif self.state in HOT:
            self._check_hot(self._inputs.now)
        elif self.state == READY and ~self._inputs.now & self._ready_mask:
            self._end_hold(self._inputs.now)

    def _check_machine(self, now):
        """What the machine itself senses, whatever the hands do."""
        condition = self._condition
        powered = self.state in POWERED
        trouble = condition.pressed(self.why == "homing") if powered else None
        trouble = trouble or condition.sensed() or condition.astray()
        if not trouble:
            trouble = condition.stray(self.state == DELIVERING, self._pushed)
        if not trouble and self._needle_away(now):
            trouble = Trouble("needle_stuck", NEEDLE_AWAY)
        if trouble:
            self._end(trouble)
        if powered and self.delivery and self.delivery.low and self._warned is not self.delivery:
            self._warned = self.delivery
            self._raise_alarm(
                "syringe_low",
                "The syringe holds %d nl, less than %d %% of its fill; end the place under "
                "treatment and fill it." % (self.delivery.left_nl, LOW_PCT),
            )

    def _needle_away(self, now):
        if self.state not in POWERED or self.state == DELIVERING or self._inputs.on("needle_back"):
            self._away_ms = None
            return False
        if self._away_ms is None:
            self._away_ms = now
        return now - self._away_ms > NEEDLE_AWAY_MS

    def _pushed_unasked(self, steps):
        """The plunger has pushed by itself, where it is known to be: that has left the syringe."""
        if self.delivery and self.state in POWERED and self._drives[0].axis.homed:
            meter, left_nl = self.delivery.meter, max(0, self.delivery.left_nl)
            self.delivery.prime_done(min(steps, meter.steps(left_nl)))

    def _end(self, trouble):
        """Whatever is under way ends with an alarm; a strike is reported first."""
        self._port.halt()
        if self.state in HOT:
            self.job.stop(_WHYS.get(trouble.code, trouble.sentence))
        raise trouble

    def _end_hold(self, inputs):
        """An input that the axes need has fallen while nobody can strike."""
        fallen = first_fallen(inputs, self._inputs.masks, HELD_INPUTS)
        if not fallen and self._port.link_lost:
            self._lose_host("the host closed the port")
        elif not fallen and self._port.host_stopped:
            self.stop(SAFE, STOPPED_BY_HOST)
        elif not fallen:
            self.stop(SAFE, "the interlock line fell")
        elif fallen[0] == "driver_fault":
            raise Trouble(fallen[0], alarm_sentence(fallen[0], fallen[1]))
        else:
            self.stop(SAFE, fallen[1])

    def _trigger_broken(self):
        self._port.halt()
        if self.state in HOT:
            self.job.stop("the trigger's contacts disagree")
        raise Trouble(
            "trigger",
            "The two contacts of the trigger disagree; release it and check its wires, then "
            "acknowledge.",
        )

    def _check_hot(self, seen):
        fallen = first_fallen(seen, self._inputs.masks) if ~seen & self._hot_mask else None
        if fallen:
            code, why = fallen
            self.job.stop(why)
            raise Trouble(code, alarm_sentence(code, why))

    def _check_delivering(self):
        stopped = self._port.stopped
        # What the watch saw at the instant of the stop counts, even if it has come back since.
        seen = self._inputs.now & self._port.inputs_at_stop if stopped else self._inputs.now
        if not ~seen & self._deliver_mask:
            if self._stopped_since:
                return
            if stopped and not self._port.dose_refused:
                self.job.stop("the interlock line fell")
                raise Trouble(*GLITCH)
            return
        self._check_hot(seen)
        if not stopped:
            self.job.stop("the chip did not notice that it was let go")
            raise Trouble("selftest", DEAF)
        contact = seen & self._inputs.masks["contact"]
        why = "the trigger was released" if contact else "skin contact was lost"
        self.job.stop(why)
        whole = self.job.since_mark()[0] and not self.job.cut
        if contact or not whole or self.job.plan.profile.mode != STAMP:
            self._inputs.forget_press()  # a stamp may be lifted as soon as it has struck
        if self.job.complete:
            self.go(READY, "all shots are done")
        else:
            self.go(PAUSED if self.job.plan.profile.goes_on else ARMED, why)
        self._trace.keep()

    @property
    def _stopped_since(self):
        """Host or force has stopped the tracks since this look began; the next one acts."""
        port = self._port
        return port.host_stopped or port.link_lost or port.pressed_too_hard

    def _begin_pull(self, now):
        job = self.job
        if now < job.next_ms:
            return
        if not self._inputs.on("needle_back"):
            return  # a bounce, or soon an alarm
        if self._inputs.driven:
            raise Trouble("misfire", DRIVEN)
        dose_nl = job.plan.profile.dose_nl
        if dose_nl:
            if not job.relieved:
                raise Trouble(*OCCLUDED)
            if job.left_nl + job.meter.nl(1) < dose_nl:
                raise Trouble(
                    "syringe_empty",
                    "The syringe holds %d nl and a shot needs %d; fill it, acknowledge, and load "
                    "the profile again." % (job.left_nl, dose_nl),
                )
        strikes, why = self._journal.allowed(job.next_pull, dose_nl)
        if self._journal.is_full:
            strikes, why = 0, "the ledger is full; disarm, so that it can make room"
        if not strikes:
            self.go(READY, why)
            return
        self._journal.announce(job, self.command, strikes, dose_nl)
        if job.plan.profile.mode == STAMP:
            self._inputs.forget_touch()
        self.go(DELIVERING, "the trigger was pulled")
        job.watch()  # also sees what has come while the flash was written
        job.start(self._uptime(), strikes)

    def _deliver(self, now):
        job = self.job
        if self.state != DELIVERING or self._stopped_since:
            return
        job.step(now)
        if job.running:
            return
        mode = job.plan.profile.mode
        if job.complete:
            self.go(READY, "all shots are done")
        elif mode == STAMP:
            self.go(ARMED, "one stamp a contact")
        else:
            self._inputs.forget_press()
            self.go(ARMED, "one burst a pull" if mode == BURST else "one shot a pull")

    def _keep(self, now):
        """Have the journal write, unless something moves."""
        self._journal.look(self._inputs.on("cartridge"), now)
        state = self.state
        if state in (HOMING, DELIVERING):
            return
        if self._journal.tend(state in (SAFE, FAULT), state == FAULT):
            self._collect()

    def _advance(self):
        assert self._activity
        try:
            next(self._activity)
        except StopIteration as end:
            self._activity = None
            self.go(READY, "in position")
            self._tell_asker(end.value, None)
        except Interrupted as stop:
            trouble = self._condition.pressed(self.why == "homing")
            if trouble:  # since this look began
                raise trouble from None
            if str(stop):
                self.stop(SAFE, str(stop))
            else:
                self._end_hold(self._port.inputs_at_stop)

    def begin(self, activity, why, answer):
        if self._activity:
            raise Refusal(BUSY, "The axes are still moving; wait or disarm.")
        self._activity = activity
        self._answer = answer
        if self.alarm and alarms.PRIORITY[self.alarm["code"]] == alarms.LOW:
            self.alarm = None
        self._collect()
        self.go(HOMING, why)

    def _tell_asker(self, value, refusal):
        answer, self._answer = self._answer, None
        if answer:
            answer(value, refusal)

    # stopping

    def stop(self, state, why):
        """Stop what moves, report it, and go to `state`, or to FAULT if the report shows one."""
        self._port.halt()
        if self.state in HOT:
            try:
                self.job.stop(why)
            except Trouble as trouble:
                self.fault(trouble.code, trouble.sentence)
                return
        self.go(state, why)
        self._trace.keep()

    def _lose_host(self, why):
        self._port.link_lost = False
        self.stop(SAFE, why)
        if self.state == SAFE:
            self._raise_alarm("host_lost", "%s; nothing goes on by itself." % capital(why))

    def leave(self, why):
        """Nobody answers for the machine any more: nothing is live from here on."""
        if self.state in POWERED:
            self.stop(SAFE, why)

    def abandon(self):
        """The same, because nobody did anything for too long."""
        if self.state in POWERED:
            why = "nobody did anything for %d minutes" % (IDLE_MS // 60_000)
            self.stop(SAFE, why)
            if self.state == SAFE:
                self._raise_alarm("idle", "%s; log in again." % capital(why))

    def fault(self, code, sentence):
        """Stop everything, the rail included, and stay like that until a person acknowledges."""
        was = self.state
        self._port.halt()
        if code == OCCLUDED[0]:
            self.pressed = True
        self.go(FAULT, sentence)
        self._trace.keep()
        self._latch(code, sentence, was)

    def _latch(self, code, sentence, was):
        self._latched_last = code
        self._raise_alarm(code, sentence)
        self._journal.faulted(code, was)
        locked = self.latched(code)
        if locked:
            self._raise_alarm("locked", locked)

    def warn_of_doubt(self):
        """Tell of a dose whose outcome is not known."""
        doubt = self._journal.doubt
        if doubt:
            self._raise_alarm("dose_in_doubt", doubt.sentence)

    def doubt_resolved(self):
        """A person has said what a dose gave; the next in doubt is told, if there is one."""
        if self.alarm and self.alarm["code"] == "dose_in_doubt":
            self.alarm = None
            self.warn_of_doubt()

    def _raise_alarm(self, code, sentence):
        held = self.alarm
        if not held or not alarms.is_less(code, held["code"]):
            self.alarm = {"code": code, "text": sentence}
        self._tell("alarm", {"code": code, "priority": alarms.PRIORITY[code], "text": sentence})

    def go(self, state, why):
        was, self.state, self.why = self.state, state, why
        self._live = None
        self._port.note(STATE, STATES.index(state))
        self._port.remember(STATES.index(state))
        if state not in POWERED:
            self._port.off()
            for drive in self._drives:
                drive.axis.homed = False
        self._port.set_led(state in HOT)
        if state != HOMING and self._activity:
            activity, self._activity = self._activity, None
            activity.close()  # it counts what it has moved
            self._tell_asker(None, Refusal(INTERLOCK, "The move was stopped: %s." % why))
        self._tell("state", {"state": state, "was": was, "why": why})

    # small things

    @property
    def job(self) -> Delivery:
        """The delivery of the loaded profile; only asked for where there is one."""
        assert self.delivery
        return self.delivery


def _uncounted(code: str) -> "str | None":  # noqa: ARG001  # as Repeats.note
    return None
