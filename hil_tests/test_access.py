"""Roles on the chip: a proof, a lock that outlives the supply, a new device that is claimed."""

from pathlib import Path

import pytest

from mesodrive.keys import KeyStore
from mesodrive.link.client import RefusedError
from mesodrive.login import claim, log_in
from mesodrive_rig.emulated.provision import KEYS
from mesodrive_rig.emulated.repl import ServicePrompt
from mesodrive_rig.emulated.rig import ROOT, EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, Operator, profile
from mesodrive_rig.plant import Sensor
from mesodrive_wire import LOCKED, UNAUTHORIZED

GUIDE = ROOT / "docs" / "guide-builders.md"

pytestmark = [pytest.mark.hil, pytest.mark.requirement("R28")]


@pytest.fixture(scope="module")
def rig() -> EmulatedRig:
    return EmulatedRig(NEAR_HOME)


def refused(operator: Operator, code: int) -> None:
    with pytest.raises(RefusedError) as refusal:
        operator.device.load(profile())
    assert refusal.value.code == code


def test_a_proof_ends_with_the_port(rig: EmulatedRig):
    operator = Operator(rig)
    assert operator.device.info.serial == rig.serial
    assert operator.device.status().role == "operator"
    operator.device.load(profile())
    operator.device.close()
    rig.run_for(5)  # a host sends one control transfer after the other
    stranger = Operator(rig, role=None)
    refused(stranger, UNAUTHORIZED)
    nonces = {
        stranger.device.client.call("auth.challenge", {"role": "operator"})["nonce"]
        for _ in range(8)
    }
    assert len(nonces) == 8


@pytest.mark.requirement("R19")
def test_the_third_alarm_locks_and_a_power_cut_does_not_unlock(rig: EmulatedRig):
    operator = Operator(rig)
    for number in range(3):
        if number:
            operator.device.acknowledge()
        operator.make_ready(profile())
        operator.device.arm()
        rig.set(Sensor.GUARD, False)
        operator.wait(30)
        rig.set(Sensor.GUARD, True)
        operator.wait(50)
    assert [alarm["code"] for alarm in operator.told("alarm")][-2:] == ["guard_open", "locked"]
    rig.reset()
    rig.run_for(500)
    operator.reconnect()
    assert operator.state() == "FAULT"
    with pytest.raises(RefusedError) as refusal:
        operator.device.acknowledge()
    assert refusal.value.code == LOCKED
    operator.forgive()
    operator.device.acknowledge()
    assert operator.state() == "SAFE"


def test_a_new_device_is_claimed_and_keeps_its_keys(tmp_path: Path):
    rig = EmulatedRig(NEAR_HOME, claimed=False)
    store = KeyStore(tmp_path)
    operator = Operator(rig)  # it has no keys to log in with
    refused(operator, UNAUTHORIZED)
    claim(operator.device, store)
    operator.device.load(profile())
    operator.device.close()
    rig.reset()
    rig.run_for(500)
    operator = Operator(rig, role=None)
    with pytest.raises(RefusedError):
        operator.device.login("operator", KEYS["operator"])
    operator.wait(1_100)
    log_in(operator.device, store, "operator")
    operator.device.load(profile())


FORGET = """
import board
from injector.ports.rp2_flash import Region, Watchdog

settings = Region(board.FLASH_SIZE, board.SETTINGS_START, board.SETTINGS_SIZE, Watchdog())
for sector in range(0, settings.size, settings.sector):
    settings.erase(sector)
"""


def test_keys_that_are_lost_are_forgotten_with_the_service_jumper():
    rig = EmulatedRig(NEAR_HOME, service=True)
    prompt = ServicePrompt(rig)
    prompt.run(FORGET)
    prompt.port.close()
    rig.set(Sensor.SERVICE, False)
    rig.reset()
    rig.run_for(600)
    assert not Operator(rig).device.info.claimed
    assert FORGET.strip() in GUIDE.read_text(encoding="utf-8")
