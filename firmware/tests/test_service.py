"""What service changes: kept, told by fingerprint, and written into the ledger."""

import hmac

import drives
import pytest
from situations import HARD_LIMITS, alarms
from stand_ins import KEYS, Machine, StandInPort, claim

from injector.access import key_mask
from injector.hmac import xor
from injector.ledger import record
from injector.service import fingerprint
from injector.settings import OPERATOR, SERVICE
from mesodrive_wire import BAD_PARAMS, FAULTED, LIMIT, UNAUTHORIZED

pytestmark = pytest.mark.requirement("R28")

NEW = bytes(range(32))
BUILT = {
    "depth_surface_um": (drives.DEPTH_SURFACE_UM, 1_000),
    "plunger_empty_um": (drives.PLUNGER_EMPTY_UM, 5_000),  # as far as the travel goes
}


def service() -> Machine:
    machine = Machine().boot()
    machine.host = SERVICE
    return machine


def changes(machine: Machine) -> list[tuple[bytes, int, int]]:
    read = [record.read(raw) for raw in machine.journal.ledger.records()]
    return [
        (what.rstrip(b"\0"), was, becomes)
        for kind, _, _, values in read
        if kind == record.CHANGE
        for what, was, becomes in [values]
    ]


def refusal(machine: Machine, method: str, **params: object) -> object:
    return machine.request(method, params)[1]


def test_a_fingerprint_is_four_bytes_of_a_tag_and_none_for_no_key():
    tag = hmac.digest(NEW, b"mesodrive fingerprint", "sha256")
    assert fingerprint(NEW) == int.from_bytes(tag[:4], "little")
    assert fingerprint(b"") == 0


@pytest.mark.parametrize("role", [OPERATOR, SERVICE])
def test_a_key_that_is_changed_is_kept_told_and_tried_afresh(role: str):
    machine = service()
    machine.settings.failures[role] = 5
    machine.access._failed_ms[role] = -10_000_000
    assert machine.log_in(SERVICE) is None
    machine.settings.failures[role] = 5
    mask = key_mask(KEYS[SERVICE], role, machine.access._mask)
    params = {"role": role, "key": xor(NEW, mask).hex()}
    assert machine.request("keys.set", params) == ({"role": role}, None)
    assert machine.settings.keys == {**KEYS, role: NEW}
    assert machine.settings.failures[role] == 0
    assert changes(machine) == [
        (f"key {role}".encode(), fingerprint(KEYS[role]), fingerprint(NEW)),
    ]
    assert machine.access.role is None
    again = Machine(machine.port).boot()
    assert again.settings.keys == {**KEYS, role: NEW}


CHANGES: list[tuple[str, dict[str, object]]] = [
    ("settings.set", {"name": "dose_nl", "value": 7}),
    ("unlock", {}),
]


class CutError(Exception):
    """The power went."""


@pytest.mark.requirement("R16")
def test_a_power_cut_leaves_no_change_that_the_ledger_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
):
    machine = service()
    assert machine.log_in(SERVICE) is None

    def cut() -> None:
        raise CutError

    monkeypatch.setattr(machine.settings, "save", cut)
    with pytest.raises(CutError):
        machine.request("settings.set", {"name": "dose_nl", "value": 7})
    again = Machine(machine.port).boot()
    assert changes(again) == [(b"dose_nl", HARD_LIMITS["dose_nl"], 7)]
    assert again.site.limit("dose_nl") == HARD_LIMITS["dose_nl"]


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(("method", "params"), CHANGES)
def test_what_the_ledger_cannot_take_is_not_changed(method: str, params: dict[str, object]):
    machine = service()
    for _ in range(2):
        machine.repeats.note("air")
    machine.settings.locked_by = "air"
    flash = machine.port.ledger_flash
    flash.stuck = dict.fromkeys(range(flash.size), 255)
    before = dict(machine.settings.values)
    for _ in range(4):  # and what is refused again is no further alarm
        assert refusal(machine, method, **params).code == FAULTED
        assert machine.settings.values == before
        assert (machine.settings.locked_by, machine.repeats.times("air")) == ("air", 2)
        assert machine.site.limit("dose_nl") == HARD_LIMITS["dose_nl"]
    assert alarms(machine) == ["ledger"]
    assert Machine(machine.port).boot().settings.values == before


@pytest.mark.requirement("R17")
def test_nothing_is_changed_where_the_ledger_cannot_be_read():
    port = service().port
    port.ledger_flash.data[:] = bytes(port.ledger_flash.size)
    machine = Machine(port).boot()
    machine.host = SERVICE
    for method, params in CHANGES:
        assert refusal(machine, method, **params).code == FAULTED
    assert machine.settings.values == {}


@pytest.mark.parametrize("role", [OPERATOR, SERVICE])
def test_a_key_that_cannot_be_kept_does_not_hold(role: str):
    machine = service()
    assert machine.log_in(SERVICE) is None
    mask = key_mask(KEYS[SERVICE], role, machine.access._mask)
    flash = machine.port.settings_flash
    flash.stuck = dict.fromkeys(range(flash.size), 255)
    assert refusal(machine, "keys.set", role=role, key=xor(NEW, mask).hex())
    assert machine.settings.keys == KEYS


def test_the_first_key_of_a_new_device_is_services():
    machine = service()
    machine.settings.keys.clear()
    machine.host = None
    told = refusal(machine, "keys.set", role=OPERATOR, key=NEW.hex())
    assert told.code == UNAUTHORIZED
    assert machine.request("keys.set", {"role": SERVICE, "key": NEW.hex()})[1] is None
    assert machine.settings.keys == {SERVICE: NEW}
    assert changes(machine) == [(b"key service", 0, fingerprint(NEW))]


@pytest.mark.parametrize("name", HARD_LIMITS)
def test_a_limit_is_set_from_1_to_the_images_own(name: str):
    machine = service()
    hard = HARD_LIMITS[name]
    for value, limit in ((0, 1), (hard + 1, hard)):
        told = refusal(machine, "settings.set", name=name, value=value)
        assert (told.code, told.data["limit"]) == (LIMIT, limit)
    for value in (1, hard, hard - 1):
        told = machine.request("settings.set", {"name": name, "value": value})
        assert told == ({"name": name, "value": value}, None)
        assert machine.site.limit(name) == machine.site.value(name) == value
    assert changes(machine) == [
        (name.encode(), hard, 1),
        (name.encode(), 1, hard),
        (name.encode(), hard, hard - 1),
    ]


@pytest.mark.parametrize("name", BUILT)
def test_a_measured_position_may_be_so_far_off_and_no_um_more(name: str):
    machine = service()
    built, off = BUILT[name]
    low, high = max(1, built - off), built + off
    if name == "plunger_empty_um":
        high = min(high, drives.PLUNGER.travel_um)
    for value, limit in ((low - 1, low), (high + 1, high)):
        told = refusal(machine, "settings.set", name=name, value=value)
        assert (told.code, told.data["limit"]) == (LIMIT, limit)
    for value in (low, high):
        told = machine.request("settings.set", {"name": name, "value": value})
        assert told == ({"name": name, "value": value}, None)
        assert machine.site.calibration()[name] == value
    assert changes(machine) == [(name.encode(), built, low), (name.encode(), low, high)]


@pytest.mark.parametrize("locked_by", ["", "misfire"])
def test_unlocking_tells_by_what_the_device_was_locked(locked_by: str):
    machine = service()
    machine.settings.locked_by = locked_by
    assert machine.request("unlock", {})[0] == {"locked_by": locked_by}
    assert machine.settings.locked_by == ""
    assert changes(machine) == [(b"lock", int(bool(locked_by)), 0)]
    again = Machine(machine.port).boot()
    assert again.settings.locked_by == ""


def test_nothing_unknown_is_taken_by_service():
    machine = service()
    for method, params in (
        ("unlock", {}),
        ("settings.set", {"name": "dose_nl", "value": 1}),
    ):
        assert refusal(machine, method, **params, more=1).code == BAD_PARAMS
    assert changes(machine) == []


@pytest.mark.requirement("R16")
def test_what_is_changed_once_a_ledger_was_made_is_written_into_it():
    port = StandInPort()
    claim(port.settings_flash)
    machine = Machine(port).boot()
    machine.host = SERVICE
    assert machine.request("ledger.create") == (None, None)
    machine.run(500)
    assert machine.request("ack")[1] is None
    assert machine.log_in(SERVICE) is None
    assert refusal(machine, "settings.set", name="dose_nl", value=7) is None
    assert changes(machine) == [(b"dose_nl", HARD_LIMITS["dose_nl"], 7)]
