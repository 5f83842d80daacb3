"""What the device refuses whatever the host says, each with one sentence and nothing changed."""

import pytest

from mesodrive.link.client import RefusedError
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, Operator, profile
from mesodrive_rig.plant import Output, Sensor
from mesodrive_wire import BAD_PARAMS, FAULTED, INTERLOCK, LIMIT, WRONG_STATE, encode, request

pytestmark = pytest.mark.hil

# A thin syringe holds so little that priming can be asked for more than there is.
FILL_NL = 58_000
THIN = profile(
    dose_nl=100,
    flow_nl_s=1_000,
    syringe_nl_per_mm=1_000,
    fill_nl=FILL_NL,
    friction_mn=10_000,  # the rig's own syringe is wider and resists more
)
PRIMED_NL = 500
TRAVEL_US, RETURN_US = 2301, 2237  # at 1 mm: 300 + sqrt(2 * 2 / 1000) s, sqrt(2 * 2 / 800) s


class Table:
    def __init__(self) -> None:
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self.device = self.operator.device

    def refuse(self, method: str, params: dict[str, object] | None = None) -> RefusedError:
        """Ask, be refused with one sentence, and find everything as it was."""
        before = self.device.status()
        self.edges.clear()
        with pytest.raises(RefusedError) as refusal:
            self.device.client.call(method, params)
        self.operator.wait(50)
        after = self.device.status()
        assert after.model_copy(update={"uptime_ms": before.uptime_ms}) == before
        assert self.edges.edges == []
        assert str(refusal.value).endswith(".")
        assert "\n" not in str(refusal.value)
        return refusal.value


@pytest.fixture(scope="module")
def table() -> Table:
    return Table()


# The first tests meet the device as it came up: in SAFE, with nothing loaded.


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("method", ["arm", "home", "ack"])
def test_what_is_not_for_safe_is_refused_there(table: Table, method: str):
    assert table.device.status().profile is None
    assert table.refuse(method).code == WRONG_STATE


@pytest.mark.requirement("R11")
def test_prime_is_refused_before_homing(table: Table):
    assert table.refuse("prime", {"volume_nl": 1000}).code == WRONG_STATE


@pytest.fixture(scope="module")
def loaded(table: Table) -> Table:
    table.device.load(profile())
    return table


@pytest.mark.requirement("R8", "R11")
@pytest.mark.parametrize(
    ("changes", "name", "limit"),
    [
        ({"depth_um": 6001, "cartridge_um": 13_000}, "depth_um", 6000),
        ({"depth_um": 2001, "cartridge_um": 2000}, "depth_um", 2000),
        ({"dose_nl": 100_001, "shots": 1}, "dose_nl", 100_000),
        ({"dose_nl": 0}, "dose_nl", 1),
        ({"dose_nl": 500_001, "shots": 1, "mode": "drip"}, "dose_nl", 500_000),
        ({"dose_nl": 1, "mode": "dry"}, "dose_nl", 0),
        ({"shots": 2001, "dose_nl": 100}, "shots", 2000),
        ({"shots": 103}, "shots", 102),  # × 10 µL, and 1020 µL in the syringe
        ({"shots": 0}, "shots", 1),
        ({"shots": 100_001, "dose_nl": 0, "mode": "dry"}, "shots", 100_000),
        ({"burst": 2}, "burst", 1),
        ({"burst": 1, "mode": "burst"}, "burst", 2),
        ({"burst": 101, "mode": "burst"}, "burst", 100),
        ({"flow_nl_s": 0}, "flow_nl_s", 1),
        ({"flow_nl_s": 2_000_001}, "flow_nl_s", 2_000_000),
        ({"settle_us": 1_000_001}, "settle_us", 1_000_000),
        ({"settle_us": 999}, "settle_us", 1000),
        ({"dwell_us": 5_000_001, "period_us": 9_000_000}, "dwell_us", 5_000_000),
        ({"dwell_us": 30_000_001, "mode": "drip"}, "dwell_us", 30_000_000),
        ({"dwell_us": 99}, "dwell_us", 100),
        ({"dwell_us": 0}, "dwell_us", 100),
        ({"dwell_us": -160_000}, "dwell_us", 100),
        ({"rest_us": 199}, "rest_us", 200),
        ({"period_us": 3_999}, "period_us", 4_000),
        ({"period_us": 60_000_001}, "period_us", 60_000_000),
        ({"soft_strikes": 51}, "soft_strikes", 50),
        ({"soft_strikes": 1, "mode": "single"}, "soft_strikes", 0),
        ({"cartridge_um": 13_001}, "cartridge_um", 13_000),
        ({"needles": 26}, "needles", 25),
        ({"syringe_nl_per_mm": 999}, "syringe_nl_per_mm", 1000),
        ({"fill_nl": 10_000_001}, "fill_nl", 10_000_000),
        ({"version": 1}, "version", 2),
    ],
)
def test_a_profile_past_a_hard_limit_is_refused_with_the_limit(
    loaded: Table, changes: dict[str, object], name: str, limit: int
):
    refused = loaded.refuse("profile.load", {"profile": profile(**changes)})
    assert refused.code == LIMIT
    assert (refused.data["name"], refused.data["limit"]) == (name, limit)
    assert loaded.device.status().profile


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"period_us": TRAVEL_US + 160_000 + RETURN_US + 50_000 - 1},
            f"take {TRAVEL_US + 160_000 + RETURN_US + 50_000} at this depth",
        ),
        ({"flow_nl_s": 1_000_000}, "a plunger speed of 57640 um/s; this machine makes 1 to 12000"),
        ({"flow_nl_s": 17}, "a plunger speed of 0 um/s; this machine makes 1 to 12000"),
        # 10 µL take 167 ms, and dwell is 160
        ({"flow_nl_s": 60_000}, f"needle leaves after {TRAVEL_US + 160_000}; choose a longer"),
        ({"fill_nl": 1_041_000}, "plunger's way is too short"),  # 60 mm
    ],
)
def test_a_profile_that_cannot_be_carried_out_is_refused_with_the_figures(
    loaded: Table, changes: dict[str, object], sentence: str
):
    asked = profile(pressure_pa=83_000) | changes
    refused = loaded.refuse("profile.load", {"profile": asked})
    assert refused.code == LIMIT
    assert sentence in str(refused)


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "free"},
        {"name": ""},
        {"name": 41 * "x"},
        {"shots": "5"},
        {"shots": 1.5},
        {"shots": None},
        {"shots": True},
    ],
)
def test_a_profile_with_a_value_of_the_wrong_kind_is_refused(
    loaded: Table, changes: dict[str, object]
):
    refused = loaded.refuse("profile.load", {"profile": profile(**changes)})
    assert refused.code == BAD_PARAMS


@pytest.mark.requirement("R26")
def test_a_profile_with_an_unknown_or_a_missing_key_is_refused(loaded: Table):
    more = profile() | {"speed": 1}
    assert loaded.refuse("profile.load", {"profile": more}).code == BAD_PARAMS
    for key in ("version", "depth_um", "fill_nl"):
        less = {name: value for name, value in profile().items() if name != key}
        assert key in str(loaded.refuse("profile.load", {"profile": less}))


@pytest.mark.requirement("R14")
def test_the_fastest_profile_is_planned_before_the_watchdog_bites(loaded: Table):
    uptime_ms = loaded.device.status().uptime_ms
    fastest = {"flow_nl_s": 207_000, "dose_nl": 100_000, "shots": 1, "soft_strikes": 50}
    loaded.device.load(profile(**fastest, dwell_us=600_000, period_us=800_000))
    assert loaded.device.status().uptime_ms > uptime_ms


@pytest.mark.requirement("R4")
def test_home_is_refused_with_the_guard_open(loaded: Table):
    loaded.rig.set(Sensor.GUARD, False)
    loaded.operator.wait(20)
    assert loaded.refuse("home").code == INTERLOCK
    loaded.operator.rest()


@pytest.fixture(scope="module")
def ready(table: Table) -> Table:
    table.operator.rest()
    table.device.load(THIN)
    table.device.home()
    table.device.prime(PRIMED_NL / 1000)
    return table


@pytest.mark.requirement("R4")
@pytest.mark.parametrize(
    ("sensor", "is_true", "sentence"),
    [
        (Sensor.TRIGGER, True, "trigger is pressed"),
        (Sensor.CARTRIDGE, False, "no cartridge"),
    ],
)
def test_arming_is_refused_with(ready: Table, sensor: Sensor, is_true: bool, sentence: str):
    ready.operator.rest()
    ready.rig.set(sensor, is_true)
    ready.operator.wait(50)
    refused = ready.refuse("arm")
    assert refused.code == INTERLOCK
    assert sentence in str(refused)
    ready.operator.rest()


@pytest.mark.requirement("R8")
def test_prime_is_refused_on_the_skin(ready: Table):
    ready.operator.touch()
    refused = ready.refuse("prime", {"volume_nl": 1000})
    assert refused.code == INTERLOCK
    assert "touches the skin" in str(refused)
    ready.operator.rest()


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("volume_nl", [0, 500_001])
def test_prime_past_its_limits_is_refused(ready: Table, volume_nl: int):
    assert ready.refuse("prime", {"volume_nl": volume_nl}).code == LIMIT


@pytest.mark.requirement("R12")
def test_prime_beyond_what_the_syringe_holds_is_refused_with_what_it_holds(ready: Table):
    left_nl = ready.device.status().left_nl
    assert left_nl == pytest.approx(FILL_NL - PRIMED_NL, abs=1)
    refused = ready.refuse("prime", {"volume_nl": left_nl + 1})
    assert refused.code == LIMIT
    assert refused.data == {"name": "volume_nl", "value": left_nl + 1, "limit": left_nl}


ORDERS: dict[str, dict[str, object] | None] = {
    "profile.load": {"profile": THIN | {"depth_um": 2000}},
    "home": None,
    "prime": {"volume_nl": 1000},
    "arm": None,
    "ack": None,
    "selftest": None,
}


@pytest.mark.requirement("R26")
def test_an_armed_device_takes_no_other_orders(ready: Table):
    ready.operator.rest()
    ready.device.arm()
    for method, params in ORDERS.items():
        assert ready.refuse(method, params).code == WRONG_STATE
    ready.device.disarm()


@pytest.mark.requirement("R26")
def test_a_strike_under_way_is_not_changed_by_other_orders(ready: Table):
    ready.operator.rest()
    ready.device.arm()
    ready.operator.touch()
    ready.operator.forget()
    ready.edges.clear()
    ready.operator.press()
    ready.operator.wait_until(lambda: bool(ready.edges.rises(Output.PLUNGER_STEP)), 200)
    for method, params in ORDERS.items():
        with pytest.raises(RefusedError, match="the device is in DELIVERING") as refusal:
            ready.device.client.call(method, params)
        assert refusal.value.code == WRONG_STATE
    assert ready.edges.falls(Output.STRIKE) == []  # all of it in one strike
    ready.operator.wait_until(lambda: bool(ready.operator.shots), 400)
    ready.operator.disarm()
    (shot,) = ready.operator.shots
    assert (shot.outcome, shot.audit) == ("done", shot.steps)
    assert ready.device.status().depth_um == 1000


@pytest.mark.requirement("R26")
def test_a_profile_that_changes_while_the_axes_look_for_home_is_refused(ready: Table):
    ready.operator.rest()
    before = ready.device.status()
    ready.operator.forget()
    number = ready.device.client.call("info")["last_id"] + 2  # not the client's own next
    ready.device.client.port.write(encode(request(number, "home")))
    ready.rig.run_for(100)
    with pytest.raises(RefusedError, match="the device is in HOMING") as refusal:
        ready.device.load(THIN | {"depth_um": 2000})
    assert refusal.value.code == WRONG_STATE
    ready.operator.wait_until(
        lambda: [told["state"] for told in ready.operator.told("state")] == ["HOMING", "READY"],
        5000,
    )
    after = ready.device.status()
    assert (after.profile, after.depth_um) == (before.profile, 1000)


@pytest.mark.requirement("R4")
def test_with_the_guard_open_the_device_falls_back_to_safe_and_does_not_arm(ready: Table):
    ready.rig.set(Sensor.GUARD, False)
    ready.operator.wait(50)
    status = ready.device.status()
    assert (status.state, status.homed) == ("SAFE", False)
    assert not ready.rig.truth().rail_on
    assert ready.refuse("arm").code == WRONG_STATE


@pytest.mark.requirement("R18")
def test_a_latched_fault_refuses_everything_but_its_acknowledgement(ready: Table):
    ready.operator.rest()
    ready.device.home()
    ready.device.arm()
    ready.rig.set(Sensor.STOP, False)
    ready.operator.wait(50)
    ready.rig.set(Sensor.STOP, True)
    ready.operator.wait(50)
    for method in ("home", "arm", "disarm"):
        assert ready.refuse(method).code == FAULTED
    ready.device.acknowledge()
    assert ready.operator.state() == "SAFE"
