"""Whatever a host asks, a person does and a part fails at, in any order: what must always hold."""

from fractions import Fraction

import drives
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from situations import MODES, QUICK, STEPS_PER_MM
from stand_ins import PLUNGER, PROFILE, TICKS_US, Machine

from injector.errors import Refusal
from injector.limits import DEBOUNCE_MS, HOST_SILENCE_MS

POWERED = {"HOMING", "READY", "ARMED", "DELIVERING", "PAUSED"}
HOT = ("ARMED", "DELIVERING", "PAUSED")
HEARING = {"HOMING", *HOT}
MOVING = {"HOMING", "DELIVERING"}
NEXT = {
    "SELF_TEST": {"SAFE", "FAULT"},
    "SAFE": {"SAFE", "HOMING", "FAULT"},  # the latter by the self-test while idle
    "HOMING": {"READY", "SAFE", "FAULT"},
    "READY": {"HOMING", "ARMED", "SAFE", "FAULT"},
    "ARMED": {"DELIVERING", "READY", "SAFE", "FAULT"},
    "DELIVERING": {"PAUSED", "ARMED", "READY", "SAFE", "FAULT"},
    "PAUSED": {"DELIVERING", "READY", "SAFE", "FAULT"},
    "FAULT": {"SAFE"},
}
SEVERAL = ("burst", "series", "dry")
DOSES = {
    "shots": st.integers(1, 30),
    "dose_nl": st.sampled_from([3, 6, 300, 1_000]),
    "period_us": st.sampled_from([45_490, 80_000, 300_000]),
    "depth_um": st.sampled_from([0, 2_000]),
    "fill_nl": st.sampled_from([30_000, 1_000_000]),
}
GOOD_PROFILES = st.one_of(
    st.fixed_dictionaries({"mode": st.sampled_from(["single", "stamp", "drip"])}, optional=DOSES),
    st.fixed_dictionaries(
        {"mode": st.just("burst"), "burst": st.integers(2, 6), "soft_strikes": st.integers(0, 3)},
        optional=DOSES,
    ),
    st.fixed_dictionaries(
        {"mode": st.just("series"), "soft_strikes": st.integers(0, 3)}, optional=DOSES
    ),
    st.fixed_dictionaries(
        {**{key: st.just(QUICK[key]) for key in QUICK}, "shots": st.integers(1, 60)},
        optional={"soft_strikes": st.integers(0, 3)},
    ),
)
WRONG = {
    "depth_um": st.just(4_001),  # past the cartridge
    "dwell_us": st.sampled_from([0, -1]),
    "period_us": st.just(45_488),
    "pressure": st.just(1),
}
PROFILES = GOOD_PROFILES | st.fixed_dictionaries({}, optional=WRONG)
REQUESTS = st.sampled_from(["selftest", "home", "arm", "disarm", "ack"])
HANDS = st.sampled_from(["guard", "stop", "cartridge", "contact", "trigger", "supply"])
CAUSES = {
    "selftest": "needle_sticks",
    "misfire": "needle_jams",
    "needle_stuck": "needle_sticks",
    "steps_lost": "lost_steps",
}
FAILURES = st.sampled_from(sorted({*CAUSES.values()}))
MOMENTS = st.sampled_from([1, 3, 10, 25, 40, 90])


class Session(RuleBasedStateMachine):
    """A machine, and what a witness beside it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine().boot()
        self.port = self.machine.port
        self.port.on_strike = self.a_strike_begins
        self.since = dict.fromkeys(["contact", "trigger"], 0)  # ms of the last change
        self.lifted_ms = 0  # when the device last left the skin
        self.rested_ms = 0  # when ARMED or PAUSED was last entered
        self.strikes_before = self.pushed_before = 0  # when the profile was loaded
        self.seen = 0  # notifications looked at
        self.loaded: dict[str, object] = {}
        self.failed: set[str] = set()  # parts that ever failed

    @property
    def begun(self) -> list[int]:
        """Ticks at which the strikes of the loaded profile began."""
        return self.port.begun[self.strikes_before :]

    # what is done

    def let_pass(self, ms: int) -> None:
        while ms > 0:
            now = min(ms, self.machine.controller.pace_ms, 3)
            self.machine.look()
            self.port.advance(now)
            ms -= now
            self.look()
        self.machine.look()
        self.look()

    def ask(self, method: str, params: dict[str, object] | None = None) -> bool:
        was, before = self.machine.state, self.machine.snapshot()
        refusal = self.machine.request(method, params)[1]
        if refusal:
            assert self.machine.snapshot() == before, f"a refused {method} changed something"
        elif was == "FAULT":
            assert method in ("ack", "selftest")
            assert method == "selftest" or self.cause_is_gone()
        elif method == "profile.load":
            assert was in ("SAFE", "READY"), "a profile changed while something may move"
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
            if hand == "contact" and not state:
                self.lifted_ms = self.port.now_ms
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
        self.machine.run(HOST_SILENCE_MS + 40, host_speaks=False)
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

    @precondition(lambda self: self.machine.state in POWERED)
    @rule(ms=MOMENTS)
    def send_the_stop_byte(self, ms: int) -> None:
        was, strikes = self.machine.state, self.port.strikes
        self.port.host_stop()
        assert not self.port.moving
        self.machine.look()
        self.look()
        assert self.machine.state in ("SAFE" if was == "HOMING" else "READY", "FAULT")
        self.let_pass(ms)
        assert self.port.strikes == strikes

    @precondition(lambda self: self.machine.state in HOT)
    @rule(hand=HANDS, comes_back=st.booleans(), ms=MOMENTS)
    def let_go(self, hand: str, comes_back: bool, ms: int) -> None:
        self.treat(ms)
        self.move_hand(hand, 0, ms)
        if comes_back:
            self.move_hand(hand, 1, ms)

    @precondition(lambda self: self.machine.state in HOT)
    @rule(ms=MOMENTS)
    def lift_and_set_down_with_the_trigger_held(self, ms: int) -> None:
        self.treat(ms)
        self.move_hand("contact", 0, 10)
        self.move_hand("contact", 1, 60)

    @precondition(lambda self: self.machine.state in HOT)
    @rule(part=FAILURES, ms=MOMENTS)
    def fail_within_a_strike(self, part: str, ms: int) -> None:
        self.failed.add(part)
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
        for part in CAUSES.values():
            self.port.set(part, 0)
        for hand, state in (("trigger", 0), ("guard", 1), ("stop", 1), ("cartridge", 1)):
            self.move_hand(hand, state, 10)
        self.move_hand("supply", 1, 20)
        if self.machine.state == "FAULT":
            self.machine.repeats.forgive()  # service has looked
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
        mode = self.loaded["mode"]
        assert self.machine.state == "DELIVERING"
        assert self.port.must_hold, "a strike began without all that it needs"
        assert now - self.since["contact"] >= DEBOUNCE_MS
        assert now - self.since["trigger"] >= DEBOUNCE_MS
        if mode == "stamp":
            last = self.begun[-2] // (1_000 * TICKS_US) if len(self.begun) > 1 else -1
            assert self.lifted_ms > last or last < 0, "a second stamp at one contact"
        else:
            assert self.since["trigger"] >= self.rested_ms, "a strike began without a fresh press"
        if len(self.begun) > 1:
            apart_us = Fraction(self.begun[-1] - self.begun[-2], TICKS_US)
            assert apart_us > self.loaded["period_us"] - 1  # whole counts are up to 16 ns short

    def look(self) -> None:
        for method, told in self.machine.told[self.seen :]:
            cause = CAUSES.get(told.get("code"))
            assert cause is None or cause in self.failed, told
            if method == "state":
                again = told["was"] == told["state"] == "READY"  # a stop byte and its disarm
                assert again or told["state"] in NEXT[told["was"]], told
                assert not again or told["why"] == "disarmed by the host"
                if told["state"] == "PAUSED":
                    assert self.loaded["mode"] in SEVERAL
                if told["state"] in ("ARMED", "PAUSED"):
                    self.rested_ms = self.port.now_ms
        self.seen = len(self.machine.told)
        self.only_what_the_state_allows_is_live()

    @invariant()
    def only_what_the_state_allows_is_live(self) -> None:
        state = self.machine.state
        assert state in POWERED or not self.port.enable
        assert state not in POWERED - {"HOMING"} or self.port.enable  # homing begins by asking
        assert not self.port.moving or state in MOVING
        assert bool(self.port.led) == (state in HOT)

    @invariant()
    def each_strike_is_told_once_and_in_order(self) -> None:
        job = self.machine.controller.delivery
        rows = self.machine.rows
        assert [row[0] for row in rows] == [*range(1, len(rows) + 1)]
        starts_us = [tick // TICKS_US for tick in self.begun]
        assert [row[1] for row in rows] == starts_us[: len(rows)]
        if not (job and job.running):
            assert len(rows) == len(self.begun)
        assert len(self.begun) <= self.loaded.get("shots", 0)

    @invariant()
    def the_dose_told_is_the_dose_pushed(self) -> None:
        job = self.machine.controller.delivery
        if not job or job.running or self.port.lost_steps:
            return
        # what a counter once missed is missing for good
        if any(row[2] == "done" and row[4] != row[5] for row in self.machine.rows):
            return
        pushed = self.port.pushed - self.pushed_before
        if sum(row[5] for row in self.machine.rows) != pushed:
            assert "steps_lost" in [told.get("code") for _, told in self.machine.told]
            return
        nl = Fraction(pushed * job.plan.profile.nl_per_mm, STEPS_PER_MM)
        assert abs(job.delivered_nl - nl) <= Fraction(1, 2)
        assert sum(row[3] for row in self.machine.rows) == job.delivered_nl

    @invariant()
    def the_plunger_stays_on_its_way_and_never_gives_more_than_was_filled(self) -> None:
        if self.machine.plunger.homed and self.machine.state != "HOMING":
            at_um = 1_000 * self.port.at[PLUNGER] // STEPS_PER_MM
            assert 0 <= at_um <= drives.PLUNGER.travel_um
        pushed_nl = (self.port.pushed - self.pushed_before) * Fraction(
            PROFILE["syringe_nl_per_mm"], STEPS_PER_MM
        )
        stops = 1 + sum(row[2] != "done" for row in self.machine.rows)
        assert pushed_nl <= self.loaded.get("fill_nl", 0) + 3 * stops  # half a step a series


# No shrinking: a failure of at most 30 steps can be read as it is, and shrinking takes minutes.
Session.TestCase.settings = settings(
    max_examples=120, stateful_step_count=30, phases=[Phase.reuse, Phase.generate]
)
TestSession = pytest.mark.requirement("R9", "R12", "R23", "R24")(Session.TestCase)


@pytest.mark.parametrize("mode", sorted(MODES))
def test_the_witness_sees_strikes_in_every_mode(mode: str):
    session = Session()
    session.go_on(MODES[mode], 2, 90)
    session.each_strike_is_told_once_and_in_order()
    assert session.port.strikes >= 1


def test_the_witness_objects_to_a_strike_without_contact():
    session = Session()
    session.go_on(MODES["series"], 1, 1)
    session.machine.request("arm")
    session.machine.controller.state = "DELIVERING"
    with pytest.raises(AssertionError, match="without all that it needs"):
        session.a_strike_begins()


def test_a_refused_request_is_a_refusal():
    with pytest.raises(Refusal):
        Machine().boot().make_ready(depth_um=7_000)
