"""Claiming, logging in and changing keys, against the firmware's own access module."""

from collections.abc import Callable

import pytest

from mesodrive.access import Role
from mesodrive.keys import KeysError, KeyStore
from mesodrive.link.client import RefusedError
from mesodrive.login import change, claim, log_in
from mesodrive_rig.stand_in_bench import Bench
from mesodrive_wire import UNAUTHORIZED

pytestmark = pytest.mark.requirement("R28")
SERIAL = "5eed"
SetKey = Callable[[Role, bytes], None]


def test_a_new_device_is_told_apart_and_claimed(new: Bench, keys: KeyStore):
    with new.connect() as device:
        with pytest.raises(KeysError, match="mesodrive access claim"):
            log_in(device, keys, "operator")
        claim(device, keys)
        assert device.status().role == "operator"
    with new.restart() as device:
        assert device.info.claimed
        for role in ("operator", "service"):
            log_in(device, keys, role)
            assert device.status().role == role


def test_a_device_with_an_owner_is_not_claimed_by_another(
    owned: tuple[Bench, KeyStore], tmp_path_factory: pytest.TempPathFactory
):
    bench, _ = owned
    other = KeyStore(tmp_path_factory.mktemp("other"))
    with bench.connect() as device:
        with pytest.raises(KeysError, match="has an owner already"):
            claim(device, other)
        with pytest.raises(KeysError, match="copy"):
            log_in(device, other, "operator")


@pytest.mark.parametrize("cut", ["before service's key", "after it", "before operator's", "after"])
def test_claiming_that_was_cut_short_goes_on_when_it_is_run_again(
    new: Bench, keys: KeyStore, monkeypatch: pytest.MonkeyPatch, cut: str
):
    device = new.connect()
    usual = device.set_key
    wanted = "service" if cut in ("before service's key", "after it") else "operator"

    def set_key(role: str, key: bytes) -> None:
        if role == wanted and cut.startswith("before"):
            raise OSError("the cable is out")
        usual(role, key)  # pyright: ignore[reportArgumentType]
        if role == wanted:
            raise OSError("the cable is out")

    monkeypatch.setattr(device, "set_key", set_key)
    with pytest.raises(OSError, match="cable"):
        claim(device, keys)
    device.close()
    with new.restart() as device:
        claim(device, keys)
        assert device.status().role == "operator"


def test_a_changed_key_holds_and_the_old_one_does_not(owned: tuple[Bench, KeyStore]):
    bench, keys = owned
    (old,) = keys.candidates(SERIAL, "operator")
    with bench.connect() as device:
        change(device, keys, "operator")
        assert keys.candidates(SERIAL, "operator") != [old]
        with pytest.raises(RefusedError) as refusal:
            device.login("operator", old)
        assert refusal.value.code == UNAUTHORIZED
    with bench.restart() as device:
        device.client.pump(1.1)
        log_in(device, keys, "operator")


def test_service_s_own_key_is_changed_too(owned: tuple[Bench, KeyStore]):
    bench, keys = owned
    with bench.connect() as device:
        change(device, keys, "service")
        change(device, keys, "operator")
        assert device.status().role == "operator"


@pytest.mark.parametrize("arrived", [False, True])
def test_a_change_whose_answer_was_lost_locks_nobody_out(
    owned: tuple[Bench, KeyStore], monkeypatch: pytest.MonkeyPatch, arrived: bool
):
    bench, keys = owned
    device = bench.connect()
    usual = device.set_key

    def set_key(role: str, key: bytes) -> None:
        if arrived:
            usual(role, key)  # pyright: ignore[reportArgumentType]
        raise OSError("the cable is out")

    monkeypatch.setattr(device, "set_key", set_key)
    with pytest.raises(OSError, match="cable"):
        change(device, keys, "operator")
    device.close()
    assert len(keys.candidates(SERIAL, "operator")) == 2
    with bench.restart() as device:
        log_in(device, keys, "operator")
    assert len(keys.candidates(SERIAL, "operator")) == 1


@pytest.mark.parametrize("cuts", [(True, False), (True, True), (False, True), (False, False)])
@pytest.mark.parametrize("of", ["change", "claim"])
def test_however_often_a_change_is_cut_short_the_key_that_holds_is_kept(
    new: Bench, keys: KeyStore, monkeypatch: pytest.MonkeyPatch, of: str, cuts: tuple[bool, bool]
):
    if of == "change":
        with new.connect() as device:
            claim(device, keys)
        new.restart().close()
    for number, arrived in enumerate(cuts):
        device = new.connect()
        usual = device.set_key

        def set_key(
            role: Role, key: bytes, usual: SetKey = usual, arrived: bool = arrived
        ) -> None:
            if role == "service" or arrived:
                usual(role, key)
            if role == "operator":
                raise OSError("the cable is out")

        monkeypatch.setattr(device, "set_key", set_key)
        claims = of == "claim" and number == 0
        with pytest.raises(OSError, match="cable"):
            claim(device, keys) if claims else change(device, keys, "operator")
        device.close()
        new.restart().close()
    device = new.connect()
    if any(cuts) or of == "change":
        log_in(device, keys, "operator")
        assert keys.pending(SERIAL, "operator") is None
    change(device, keys, "operator")
    assert device.status().role == "operator"
    device.close()


@pytest.mark.parametrize("arrived", [False, True])
def test_a_change_after_one_that_was_cut_short_gives_a_key_that_nobody_has_seen(
    owned: tuple[Bench, KeyStore], arrived: bool
):
    bench, keys = owned
    begun = bytes(range(32))
    with bench.connect() as device:
        log_in(device, keys, "service")
        keys.put_next(SERIAL, "operator", begun)
        if arrived:
            device.set_key("operator", begun)
        change(device, keys, "operator")
    (key,) = keys.candidates(SERIAL, "operator")
    assert key != begun


def test_who_has_to_wait_long_is_told_so_at_once(owned: tuple[Bench, KeyStore]):
    bench, keys = owned
    bench.machine.settings.failures["operator"] = 10
    with bench.connect() as device:
        with pytest.raises(RefusedError, match="try again in"):
            log_in(device, keys, "operator")
        log_in(device, keys, "service")
