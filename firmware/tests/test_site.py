"""A site lowers limits and measures positions; nobody raises what the image holds."""

import drives
import pytest
from situations import HARD_LIMITS
from stand_ins import PROFILE, Machine

from injector import limits
from injector.errors import Refusal
from injector.ledger import record
from injector.settings import CALIBRATION, LIMITS, SERVICE
from mesodrive_wire import BAD_PARAMS, FAULTED, LIMIT, WRONG_STATE


def service() -> Machine:
    machine = Machine().boot()
    machine.host = SERVICE
    return machine


def put(machine: Machine, name: object, value: object) -> Refusal | None:
    return machine.request("settings.set", {"name": name, "value": value})[1]


def load(machine: Machine, **changes: object) -> Refusal | None:
    return machine.request("profile.load", {"profile": {**PROFILE, **changes}})[1]


def test_all_limits_that_can_be_lowered_are_told():
    assert set(HARD_LIMITS) == set(LIMITS)
    told = Machine().boot().request("info")[0]["limits"]
    assert {name: told[name] for name in HARD_LIMITS} == HARD_LIMITS


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_lowered_and_never_raised(name: str):
    machine = service()
    for value in (HARD_LIMITS[name] + 1, 2**32, 0, -1):
        refusal = put(machine, name, value)
        assert refusal
        assert refusal.code == LIMIT
    assert put(machine, name, HARD_LIMITS[name] - 1) is None
    assert machine.request("info")[0]["limits"][name] == HARD_LIMITS[name] - 1
    again = Machine(machine.port).boot()
    assert again.site.limit(name) == HARD_LIMITS[name] - 1
    assert put(machine, name, HARD_LIMITS[name]) is None  # back to the image's
    assert machine.site.limit(name) == HARD_LIMITS[name]


@pytest.mark.requirement("R8", "R28")
@pytest.mark.parametrize(
    ("name", "value"), [*((name, 1) for name in LIMITS), ("plunger_empty_um", 59_900)]
)
def test_a_profile_that_was_loaded_before_a_setting_changed_is_not_given(name: str, value: int):
    machine = service()
    assert load(machine) is None
    assert put(machine, name, value) is None
    refusal = machine.request("home")[1]
    assert refusal
    assert "profile" in refusal.sentence
    machine.run(20)
    assert (machine.state, machine.port.enable) == ("SAFE", 0)


def test_what_is_no_setting_leaves_the_profile():
    machine = service()
    assert load(machine) is None
    assert machine.request("unlock", {})[1] is None
    assert machine.request("home")[1] is None


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("name", LIMITS)
def test_settings_in_flash_that_say_more_do_not_raise_a_limit(name: str):
    machine = Machine().boot()
    machine.settings.values[name] = 2**32 - 1
    machine.settings.save()
    assert Machine(machine.port).boot().site.limit(name) == HARD_LIMITS[name]


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("name", "limit", "within", "past"),
    [
        ("depth_um", 1_500, {"depth_um": 1_500}, {"depth_um": 1_501}),
        ("dose_nl", 800, {"dose_nl": 800}, {"dose_nl": 801}),
        (
            "drip_nl",
            900,
            {"mode": "drip", "dose_nl": 900},
            {"mode": "drip", "dose_nl": 901},
        ),
        ("shots", 5, {"shots": 5}, {"shots": 6}),
    ],
)
def test_a_profile_past_a_lowered_limit_is_refused(
    name: str, limit: int, within: dict[str, object], past: dict[str, object]
):
    machine = service()
    assert put(machine, name, limit) is None
    assert load(machine, **within) is None
    refusal = load(machine, **past)
    assert refusal
    assert refusal.code == LIMIT
    assert refusal.data["limit"] == limit


@pytest.mark.requirement("R8")
def test_priming_is_bounded_by_the_lowered_limit():
    machine = service()
    put(machine, "prime_nl", 2_000)
    machine.make_ready()
    refusal = machine.request("prime", {"volume_nl": 2_001})[1]
    assert refusal
    assert refusal.code == LIMIT
    assert machine.request("prime", {"volume_nl": 2_000})[1] is None


def test_a_dry_session_is_not_bounded_by_shots_with_a_dose():
    machine = service()
    put(machine, "shots", 5)
    assert load(machine, mode="dry", dose_nl=0, shots=500) is None


@pytest.mark.requirement("R28")
@pytest.mark.parametrize("name", CALIBRATION)
def test_a_measured_position_holds_from_the_next_homing_and_over_a_reset(name: str):
    built = getattr(drives, name.upper())
    machine = service()
    assert machine.request("info")[0]["calibration"][name] == built
    assert put(machine, name, built + 250) is None
    assert getattr(machine.site, name.upper()) == built + 250
    again = Machine(machine.port).boot()
    assert again.request("info")[0]["calibration"][name] == built + 250


def test_the_surface_that_was_measured_moves_the_depth_stop():
    steps: list[int] = []
    for off in (0, 100):
        machine = service()
        put(machine, "depth_surface_um", drives.DEPTH_SURFACE_UM + off)
        machine.make_ready()
        steps.append(machine.depth.position)
        assert machine.request("status")[0]["depth_um"] == PROFILE["depth_um"]
    assert steps[1] - steps[0] == 100 * drives.DEPTH.steps_per_mm // 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth_surface_um", drives.DEPTH_SURFACE_UM + 1_001),
        ("depth_surface_um", max(0, drives.DEPTH_SURFACE_UM - 1_001)),
        ("plunger_empty_um", drives.PLUNGER.travel_um + 1),
        ("plunger_empty_um", drives.PLUNGER_EMPTY_UM - 5_001),
    ],
)
def test_a_position_of_another_machine_is_refused(name: str, value: int):
    refusal = put(service(), name, value)
    assert refusal
    assert refusal.code == LIMIT


@pytest.mark.parametrize("name", ["dose_nl", "depth_surface_um"])
def test_what_cannot_be_kept_does_not_hold(name: str):
    machine = service()
    was = machine.site.value(name)
    assert machine.log_in(SERVICE) is None
    flash = machine.port.settings_flash
    flash.stuck = dict.fromkeys(range(flash.size), 255)
    refusal = put(machine, name, 900)
    assert refusal
    assert refusal.code == FAULTED
    assert machine.site.value(name) == was


@pytest.mark.parametrize(
    ("name", "value"), [("pressure", 1), ("", 1), (5, 1), ("dose_nl", "1"), ("dose_nl", None)]
)
def test_what_cannot_be_set_is_refused(name: object, value: object):
    machine = service()
    machine.log_in(SERVICE)
    data = bytes(machine.port.settings_flash.data)
    refusal = put(machine, name, value)
    assert refusal
    assert refusal.code == BAD_PARAMS
    assert machine.port.settings_flash.data == data


@pytest.mark.requirement("R28")
@pytest.mark.parametrize("state", ["READY", "ARMED", "PAUSED"])
def test_nothing_is_set_while_something_is_live(state: str):
    machine = service().make_ready(mode="series")
    if state != "READY":
        machine.request("arm")
    if state == "PAUSED":
        machine.pull()
        machine.port.set("trigger", 0)
        machine.run(20)
    assert machine.state == state
    data = bytes(machine.port.settings_flash.data)
    for method, params in (
        ("settings.set", {"name": "dose_nl", "value": 1}),
        ("keys.set", {"role": SERVICE, "key": "11" * 32}),
    ):
        refusal = machine.request(method, params)[1]
        assert refusal
        assert refusal.code == WRONG_STATE
    assert machine.port.settings_flash.data == data


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("name", ["session_nl", "hour_nl"])
def test_the_limit_of_a_session_or_an_hour_holds_as_lowered(name: str):
    machine = service()
    assert put(machine, name, 2_500) is None
    refusal = load(machine, shots=3, dose_nl=1_000)
    assert refusal
    assert refusal.data["limit"] == 2_500
    assert load(Machine(machine.port).boot(), shots=3, dose_nl=1_000)  # after a reset too
    assert load(machine, shots=2, dose_nl=1_000) is None


@pytest.mark.requirement("R21")
def test_what_service_changes_stands_in_the_ledger():
    machine = service()
    put(machine, "dose_nl", 5_000)
    machine.request("unlock")
    changes = [
        record.read(raw)[3]
        for raw in machine.journal.ledger.records()
        if record.read(raw)[0] == record.CHANGE
    ]
    assert [(what.rstrip(b"\0"), was, becomes) for what, was, becomes in changes] == [
        (b"dose_nl", limits.MAX_DOSE_NL, 5_000),
        (b"lock", 0, 0),
    ]


@pytest.mark.requirement("R28")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth_surface_um", 1),
        ("depth_surface_um", drives.DEPTH_SURFACE_UM + 1_000),
        ("plunger_empty_um", drives.PLUNGER_EMPTY_UM - 5_000),
        ("plunger_empty_um", drives.PLUNGER.travel_um),
    ],
)
def test_a_position_may_be_off_as_far_as_assembly_goes(name: str, value: int):
    machine = service()
    assert put(machine, name, value) is None
    assert machine.site.value(name) == value
