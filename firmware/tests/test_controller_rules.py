"""Whatever a host asks, a person does and a part fails at, in any order: what must always hold."""

from fractions import Fraction

import board
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from stand_ins import PLUNGER, PROFILE, Machine

from injector.errors import Refusal
from injector.limits import DEBOUNCE_MS, HOST_SILENCE_MS

POWERED = {"HOMING", "READY", "ARMED", "DELIVERING", "PAUSED"}
HEARING = {"HOMING", "ARMED", "DELIVERING", "PAUSED"}
NEVER_ON = {"SELF_TEST", "SAFE", "FAULT"}
MOVING = {"HOMING", "DELIVERING"}
NEXT = {
    "SELF_TEST": {"SAFE", "FAULT"},
    "SAFE": {"SAFE", "HOMING"},
    "HOMING": {"READY", "SAFE", "FAULT"},
    "READY": {"HOMING", "ARMED", "SAFE"},
    "ARMED": {"DELIVERING", "READY", "SAFE", "FAULT"},
    "DELIVERING": {"PAUSED", "ARMED", "READY", "SAFE", "FAULT"},
    "PAUSED": {"DELIVERING", "READY", "SAFE", "FAULT"},
    "FAULT": {"SAFE"},
}
CHANGES = {
    "mode": st.sampled_from(["single", "series"]),
    "shots": st.integers(1, 30),
    "dose_nl": st.sampled_from([0, 6, 300, 1_000]),
    "period_ms": st.sampled_from([60, 80, 300]),
    "depth_um": st.sampled_from([0, 2_000]),
    "fill_nl": st.sampled_from([30_000, 1_000_000]),
}
WRONG = {
    "depth_um": st.just(4_001),  # past the cartridge
    "period_ms": st.just(59),
    "pressure": st.just(1),
}
GOOD_PROFILES = st.fixed_dictionaries({}, optional=CHANGES)
PROFILES = GOOD_PROFILES | st.fixed_dictionaries({}, optional=WRONG)
REQUESTS = st.sampled_from(["selftest", "home", "arm", "disarm", "ack"])
HANDS = st.sampled_from(["guard", "stop", "cartridge", "contact", "trigger", "supply"])
FAILURES = st.sampled_from(["needle_jams", "needle_sticks", "lost_steps"])
MOMENTS = st.sampled_from([1, 3, 10, 25, 40, 90])


class Session(RuleBasedStateMachine):
    """A machine, and what a witness beside it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine().boot()
        self.port = self.machine.port
        self.port.on_strike = self.a_strike_begins
        self.since = dict.fromkeys(["contact", "trigger"], 0)  # ms of the last change
        self.rested_ms = 0  # when ARMED or PAUSED was last entered
        self.struck_ms: int | None = None
        self.strikes_before = self.pushed_before = 0  # when the profile was loaded
        self.seen = 0  # notifications looked at
        self.loaded: dict[str, object] = {}

    # what is done

    def let_pass(self, ms: int) -> None:
        for _ in range(ms):
            self.machine.run(1)
            self.look()

    def ask(self, method: str, params: dict[str, object] | None = None) -> bool:
        was, before = self.machine.state, self.machine.snapshot()
        refusal = self.machine.request(method, params)[1]
        if refusal:
            assert self.machine.snapshot() == before, f"a refused {method} changed something"
        elif was == "FAULT":
            assert method in ("ack", "selftest")
            assert method == "selftest" or self.cause_is_gone()
        self.look()
        return not refusal

    def cause_is_gone(self) -> bool:
        hands = self.port.hands
        return bool(hands["guard"] and hands["stop"] and hands["cartridge"])

    @rule(method=REQUESTS)
    def request(self, method: str) -> None:
        self.ask(method)

    @rule(changes=PROFILES)
    def load(self, changes: dict[str, object]) -> None:
        profile = {**PROFILE, **changes}
        if self.ask("profile.load", {"profile": profile}):
            self.loaded = profile
            self.strikes_before = self.port.strikes
            self.pushed_before = self.port.pushed

    @rule(volume_nl=st.sampled_from([0, 1, 2_000, 900_000]))
    def prime(self, volume_nl: int) -> None:
        self.ask("prime", {"volume_nl": volume_nl})

    @rule(hand=HANDS, state=st.integers(0, 1), ms=MOMENTS)
    def move_hand(self, hand: str, state: int, ms: int) -> None:
        if hand in self.since and self.port.hands[hand] != state:
            self.since[hand] = self.port.now_ms
        striking = self.machine.state == "DELIVERING" and self.port.moving
        self.port.set(hand, state)
        if striking and not state:
            assert not self.port.moving, f"the strike went on without {hand}"
        self.let_pass(ms)

    @rule(ms=MOMENTS)
    def wait(self, ms: int) -> None:
        self.let_pass(ms)

    @precondition(lambda self: self.machine.state in HEARING)
    @rule()
    def be_silent(self) -> None:
        self.machine.run(HOST_SILENCE_MS + 20, host_speaks=False)
        self.look()
        assert self.machine.state in ("SAFE", "READY", "FAULT")  # READY: all shots were done

    @precondition(lambda self: self.machine.state in POWERED)
    @rule(ms=MOMENTS)
    def close_the_port(self, ms: int) -> None:
        self.port.set("open", False)
        assert not self.port.moving
        self.let_pass(ms)
        assert self.machine.state in ("SAFE", "FAULT")
        self.port.set("open", True)

    @precondition(lambda self: self.machine.state in ("ARMED", "DELIVERING", "PAUSED"))
    @rule(hand=HANDS, comes_back=st.booleans(), ms=MOMENTS)
    def let_go(self, hand: str, comes_back: bool, ms: int) -> None:
        self.treat(ms)
        self.move_hand(hand, 0, ms)
        if comes_back:
            self.move_hand(hand, 1, ms)

    @precondition(lambda self: self.machine.state in ("ARMED", "DELIVERING", "PAUSED"))
    @rule(part=FAILURES, ms=MOMENTS)
    def fail_within_a_strike(self, part: str, ms: int) -> None:
        self.port.set(part, 1)
        self.treat(ms)

    # the way that leads on

    @rule(changes=GOOD_PROFILES, steps=st.integers(1, 3), ms=MOMENTS)
    def go_on(self, changes: dict[str, object], steps: int, ms: int) -> None:
        """Whatever the state, what leads towards the next strike."""
        for _ in range(steps):
            if self.machine.state in ("SAFE", "FAULT"):
                self.put_everything_right_and_home(changes)
            else:
                self.treat(ms)

    def put_everything_right_and_home(self, changes: dict[str, object]) -> None:
        for part in ("needle_jams", "needle_sticks", "lost_steps"):
            self.port.set(part, 0)
        for hand, state in (("trigger", 0), ("guard", 1), ("stop", 1), ("cartridge", 1)):
            self.move_hand(hand, state, 10)
        self.move_hand("supply", 1, 20)
        if self.machine.state == "FAULT":
            assert self.ask("ack")
        self.load(changes)
        if self.ask("home"):
            self.machine.run_while("HOMING")
            self.look()

    def treat(self, ms: int) -> None:
        if self.machine.state in ("READY", "ARMED", "PAUSED"):
            self.move_hand("trigger", 0, 10)
            self.ask("arm")
            self.move_hand("contact", 1, 10)
            self.move_hand("trigger", 1, 30)
        self.let_pass(ms)

    # what must hold

    def a_strike_begins(self) -> None:
        now = self.port.now_ms
        assert self.machine.state == "DELIVERING"
        assert self.port.must_hold, "a strike began without all that it needs"
        assert now - self.since["contact"] >= DEBOUNCE_MS
        assert now - self.since["trigger"] >= DEBOUNCE_MS
        assert self.since["trigger"] >= self.rested_ms, "a strike began without a fresh press"
        if self.struck_ms is not None:
            assert now - self.struck_ms >= self.loaded.get("period_ms", 0)
        self.struck_ms = now

    def look(self) -> None:
        for method, told in self.machine.told[self.seen :]:
            if method == "state":
                assert told["state"] in NEXT[told["was"]], told
                if told["state"] in ("ARMED", "PAUSED"):
                    self.rested_ms = self.port.now_ms
            if told.get("why") == "a profile was loaded":
                self.struck_ms = None
        self.seen = len(self.machine.told)
        self.only_what_the_state_allows_is_live()

    @invariant()
    def only_what_the_state_allows_is_live(self) -> None:
        state = self.machine.state
        assert state in POWERED or not self.port.enable
        assert state in {"HOMING", *NEVER_ON} or self.port.enable  # homing begins by asking for it
        assert not self.port.moving or state in MOVING
        assert bool(self.port.led) == (state in ("ARMED", "DELIVERING", "PAUSED"))

    @invariant()
    def each_strike_is_reported_once_and_in_order(self) -> None:
        numbers: list[object] = []
        for method, told in self.machine.told:
            if told.get("why") == "a profile was loaded":
                numbers = []
            if method == "shot":
                numbers.append(told["shot"])
        delivery = self.machine.controller.delivery
        begun = self.port.strikes - self.strikes_before
        running = bool(delivery and delivery.running)
        assert numbers == [*range(1, begun - running + 1)]
        assert begun <= self.loaded.get("shots", 0)

    @invariant()
    def the_dose_told_is_the_dose_pushed(self) -> None:
        delivery = self.machine.controller.delivery
        if not delivery or delivery.running or self.port.lost_steps:
            return
        if any(told.get("audit") != told.get("steps") for _, told in self.machine.told):
            return
        pushed = self.port.pushed - self.pushed_before
        nl = Fraction(pushed * delivery.plan.profile.nl_per_mm, board.PLUNGER_STEPS_PER_MM)
        assert abs(delivery.delivered_nl - nl) <= Fraction(1, 2)

    @invariant()
    def the_plunger_stays_on_its_way(self) -> None:
        if self.machine.plunger.homed and self.machine.state != "HOMING":
            at_um = 1_000 * self.port.at[PLUNGER] // board.PLUNGER_STEPS_PER_MM
            assert 0 <= at_um <= board.PLUNGER_TRAVEL_UM


# No shrinking: a failure of at most 30 steps can be read as it is, and shrinking takes minutes.
Session.TestCase.settings = settings(
    max_examples=120, stateful_step_count=30, phases=[Phase.reuse, Phase.generate]
)
TestSession = Session.TestCase


def test_the_witness_sees_strikes_at_all():
    session = Session()
    session.go_on({}, 2, 90)
    session.each_strike_is_reported_once_and_in_order()
    assert session.port.strikes > 1


def test_the_witness_objects_to_a_strike_without_contact():
    session = Session()
    session.go_on({}, 1, 1)
    session.machine.request("arm")
    session.machine.controller.state = "DELIVERING"
    with pytest.raises(AssertionError, match="without all that it needs"):
        session.a_strike_begins()


def test_a_refused_request_is_a_refusal():
    with pytest.raises(Refusal):
        Machine().boot().make_ready(depth_um=7_000)
