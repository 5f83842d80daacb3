"""What the device refuses whatever the host says, each with one sentence and nothing changed."""

import pytest

from mesodrive.link.client import RefusedError
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, PRIME_UL, Operator, profile
from mesodrive_rig.plant import Sensor
from mesodrive_wire import BAD_PARAMS, FAULTED, INTERLOCK, LIMIT, WRONG_STATE

pytestmark = pytest.mark.hil


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


@pytest.mark.parametrize("method", ["arm", "home", "ack"])
def test_what_is_not_for_safe_is_refused_there(table: Table, method: str):
    assert table.device.status().profile is None
    assert table.refuse(method).code == WRONG_STATE


def test_prime_is_refused_before_homing(table: Table):
    assert table.refuse("prime", {"volume_nl": 1000}).code == WRONG_STATE


@pytest.fixture(scope="module")
def loaded(table: Table) -> Table:
    table.device.load(profile())
    return table


@pytest.mark.parametrize(
    ("changes", "name", "limit"),
    [
        ({"depth_um": 6001, "cartridge_um": 13_000}, "depth_um", 6000),
        ({"depth_um": 2001, "cartridge_um": 2000}, "depth_um", 2000),
        ({"dose_nl": 100_001, "shots": 1}, "dose_nl", 100_000),
        ({"shots": 2001, "dose_nl": 0}, "shots", 2000),
        ({"shots": 103}, "shots", 102),  # × 10 µL, and 1020 µL in the syringe
        ({"shots": 0}, "shots", 1),
        ({"settle_ms": 1001}, "settle_ms", 1000),
        ({"settle_ms": 4}, "settle_ms", 5),
        ({"dwell_ms": 5001, "period_ms": 9000}, "dwell_ms", 5000),
        ({"dwell_ms": 0}, "dwell_ms", 1),
        ({"rest_ms": 4}, "rest_ms", 5),
        ({"period_ms": 60_001}, "period_ms", 60_000),
        ({"cartridge_um": 13_001}, "cartridge_um", 13_000),
        ({"needles": 26}, "needles", 25),
        ({"syringe_nl_per_mm": 999}, "syringe_nl_per_mm", 1000),
        ({"fill_nl": 10_000_001}, "fill_nl", 10_000_000),
        ({"version": 2}, "version", 1),
    ],
)
def test_a_profile_past_a_hard_limit_is_refused_with_the_limit(
    loaded: Table, changes: dict[str, object], name: str, limit: int
):
    refused = loaded.refuse("profile.load", {"profile": profile(**changes)})
    assert refused.code == LIMIT
    assert (refused.data["name"], refused.data["limit"]) == (name, limit)
    assert loaded.device.status().profile


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"period_ms": 229}, "take 230 ms"),  # 8 + 160 + 12 + 50
        ({"flow_nl_s": 1_000_000}, "plunger speed"),
        ({"flow_nl_s": 17}, "plunger speed"),
        ({"flow_nl_s": 60_000}, "longer dwell_ms"),  # 10 µL take 167 ms, and dwell is 160
    ],
)
def test_a_profile_that_cannot_be_carried_out_is_refused_with_the_figures(
    loaded: Table, changes: dict[str, object], sentence: str
):
    refused = loaded.refuse("profile.load", {"profile": profile(**changes)})
    assert refused.code == LIMIT
    assert sentence in str(refused)


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


def test_a_profile_with_an_unknown_or_a_missing_key_is_refused(loaded: Table):
    more = profile() | {"speed": 1}
    assert loaded.refuse("profile.load", {"profile": more}).code == BAD_PARAMS
    for key in ("version", "depth_um", "fill_nl"):
        less = {name: value for name, value in profile().items() if name != key}
        assert key in str(loaded.refuse("profile.load", {"profile": less}))


def test_the_fastest_profile_is_planned_before_the_watchdog_bites(loaded: Table):
    uptime_ms = loaded.device.status().uptime_ms
    fastest = {"flow_nl_s": 207_000, "dose_nl": 100_000, "shots": 1}
    loaded.device.load(profile(**fastest, dwell_ms=600, period_ms=800))
    assert loaded.device.status().uptime_ms > uptime_ms


def test_home_is_refused_with_the_guard_open(loaded: Table):
    loaded.rig.set(Sensor.GUARD, False)
    loaded.operator.wait(20)
    assert loaded.refuse("home").code == INTERLOCK
    loaded.operator.rest()


@pytest.fixture(scope="module")
def ready(table: Table) -> Table:
    table.operator.make_ready(profile())
    table.device.prime(PRIME_UL)
    return table


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


def test_prime_is_refused_on_the_skin(ready: Table):
    ready.operator.touch()
    refused = ready.refuse("prime", {"volume_nl": 1000})
    assert refused.code == INTERLOCK
    assert "touches the skin" in str(refused)
    ready.operator.rest()


@pytest.mark.parametrize("volume_nl", [0, 500_001])
def test_prime_past_its_limits_is_refused(ready: Table, volume_nl: int):
    assert ready.refuse("prime", {"volume_nl": volume_nl}).code == LIMIT


def test_an_armed_device_takes_no_other_orders(ready: Table):
    ready.operator.rest()
    ready.device.arm()
    orders: dict[str, dict[str, object] | None] = {
        "profile.load": {"profile": profile()},
        "home": None,
        "prime": {"volume_nl": 1000},
        "arm": None,
        "ack": None,
        "selftest": None,
    }
    for method, params in orders.items():
        assert ready.refuse(method, params).code == WRONG_STATE
    ready.device.disarm()


def test_with_the_guard_open_the_device_falls_back_to_safe_and_does_not_arm(ready: Table):
    ready.rig.set(Sensor.GUARD, False)
    ready.operator.wait(50)
    status = ready.device.status()
    assert (status.state, status.homed) == ("SAFE", False)
    assert not ready.rig.truth().rail_on
    assert ready.refuse("arm").code == WRONG_STATE


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
