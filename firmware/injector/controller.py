"""The states, who may change them, and what may be live in each."""

from injector import alarms
from injector.causes import (
    GLITCH,
    HELD_INPUTS,
    HOT_INPUTS,
    alarm_sentence,
    capital,
    first_fallen,
)
from injector.delivery import Delivery
from injector.errors import Refusal, Trouble
from injector.limits import HOST_SILENCE_MS
from injector.profile import SINGLE
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

_PACE_MS = 10
_DELIVERING_PACE_MS = 20  # between two moments at which a strike wants to be looked at
_COLLECT_EVERY = 8  # strikes; one leaves about 5 KiB behind, and 100 KiB and more are free


class Controller:
    """Owns the state. `tell(method, params)` sends a notification.

    Every `step` looks at the inputs first, then lets what is under way go on.
    """

    def __init__(self, port, inputs, drives, uptime, tell, collect):
        self.state = SELF_TEST
        self.why = "power-up"
        self.alarm = None
        self.heard_ms = 0  # when the host last said something valid
        self.delivery = None  # of the profile that is loaded
        self._port = port
        self._inputs = inputs
        self._drives = drives
        self._uptime = uptime
        self._tell = tell
        self._collect = collect  # frees memory; called only while nothing moves
        self._activity = None  # the generator that homes or primes
        self._answer = None  # whom to tell when it has ended
        self._hot_mask = inputs.mask(HOT_INPUTS)
        self._deliver_mask = self._hot_mask | inputs.mask(("contact", "trigger"))
        self._ready_mask = inputs.mask(HELD_INPUTS)

    @property
    def pace_ms(self) -> int:
        """How long the loop may sleep. Stops do not wait for it: they are interrupts."""
        if self.state == DELIVERING:
            return min(_DELIVERING_PACE_MS, max(1, self.job.look_ms - self._uptime()))
        return _PACE_MS

    # what the loop calls

    def step(self) -> None:
        """One look at everything; at most a few hundred µs unless a shot is being started."""
        now = self._uptime()
        self._inputs.poll(now)
        try:
            self._check(now)
            if self.state == HOMING:
                self._advance()
            elif self.state == DELIVERING:
                self._deliver(now)
            elif self.state in (ARMED, PAUSED) and self._inputs.pulled and self._inputs.touching:
                self.go(DELIVERING, "the trigger was pulled")
                self.job.watch()
                self._deliver(now)
        except Trouble as trouble:
            self._fault(trouble.code, trouble.sentence)

    def self_tested(self, failures) -> None:
        """Leave SELF_TEST: to SAFE, or to FAULT naming the first failed check."""
        if failures:
            self._fault("selftest", failures[0])
        else:
            self.go(SAFE, "self-test passed")

    # what happens by itself

    def _check(self, now):
        """Act on what has fallen since the last look."""
        if self.state not in POWERED:
            return
        if self._port.link_lost or not self._port.line.connected():
            self._lose_host("the host closed the port")
        elif self.state != READY and now - self.heard_ms > HOST_SILENCE_MS:
            self._lose_host("the host was silent for %d ms" % HOST_SILENCE_MS)
        elif self.state == DELIVERING:
            self._check_delivering()
        elif self.state in HOT:
            self._check_hot(self._inputs.now)
        elif self.state == READY and ~self._inputs.now & self._ready_mask:
            self.stop(SAFE, self._fallen(self._inputs.now))

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
            if stopped and self.job.running:
                self.job.stop("the interlock line fell")
                raise Trouble(*GLITCH)
            return
        self._check_hot(seen)
        contact = seen & self._inputs.masks["contact"]
        why = "the trigger was released" if contact else "skin contact was lost"
        self.job.stop(why)
        self._inputs.forget_press()
        self.go(READY if self.job.complete else PAUSED, why)

    def _deliver(self, now):
        delivery = self.job
        if self.state != DELIVERING:
            return
        if delivery.running:
            if now < delivery.look_ms:
                return
            delivery.step(now)
            if delivery.running:
                return
            if not delivery.done % _COLLECT_EVERY:
                self._collect()
            if delivery.complete:
                self.go(READY, "all shots are done")
            elif delivery.plan.profile.mode == SINGLE:
                self._inputs.forget_press()
                self.go(ARMED, "one shot a pull")
        elif now >= delivery.next_ms and self._inputs.on("needle_back"):
            delivery.start()

    def _advance(self):
        assert self._activity
        try:
            next(self._activity)
        except StopIteration as end:
            self._activity = None
            self.go(READY, "in position")
            self._tell_asker(end.value, None)
        except Interrupted as stop:
            self.stop(SAFE, str(stop) or self._fallen(self._port.inputs_at_stop))

    def begin(self, activity, why, answer):
        if self._activity:
            raise Refusal(BUSY, "The axes are still moving; wait or disarm.")
        self._activity = activity
        self._answer = answer
        self.alarm = None
        self._port.link_lost = False
        self._collect()
        self.go(HOMING, why)

    def _tell_asker(self, value, refusal):
        answer, self._answer = self._answer, None
        if answer:
            answer(value, refusal)

    # stopping

    def stop(self, state, why):
        """Stop what moves, report it, and go to `state`."""
        self._port.halt()
        if self.state in HOT:
            self.job.stop(why)
        self.go(state, why)

    def _lose_host(self, why):
        self.stop(SAFE, why)
        self._raise_alarm("host_lost", "%s; nothing goes on by itself." % capital(why))

    def _fault(self, code, sentence):
        self._port.halt()
        self.go(FAULT, sentence)
        self._raise_alarm(code, sentence)

    def _raise_alarm(self, code, sentence):
        self.alarm = {"code": code, "text": sentence}
        self._tell("alarm", {"code": code, "priority": alarms.PRIORITY[code], "text": sentence})

    def go(self, state, why):
        was, self.state, self.why = self.state, state, why
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

    def _fallen(self, inputs):
        fallen = first_fallen(inputs, self._inputs.masks, HELD_INPUTS)
        return fallen[1] if fallen else "the host closed the port"
