"""A device that comes up does nothing by itself, and says what is wrong with it."""

import random
from pathlib import Path
from zlib import crc32

import pytest
from rp2040py.peripherals.ssi import CMD_SECTOR_ERASE

from mesodrive.keys import KeyStore
from mesodrive.ledger.rows import Boot, Row
from mesodrive.link.client import RefusedError
from mesodrive.link.port import PortLostError
from mesodrive.login import claim, log_in
from mesodrive_rig.emulated.edges import DRIVING, EdgeLog
from mesodrive_rig.emulated.rig import ROOT, EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, PRIME_UL, Operator, profile
from mesodrive_rig.plant import NeedleState, Output, Sensor

pytestmark = pytest.mark.hil

BOOT_MS = 600.0
FILE_SYSTEM = 0x0A0000  # first byte of what MicroPython keeps for files on a Pico, of 2 MiB


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("flash", ["as built", "with a broken file system"])
def test_power_up_leads_to_safe_moves_nothing_and_writes_down_the_start_alone(flash: str):
    rig = EmulatedRig(NEAR_HOME)
    edges = EdgeLog(rig, DRIVING)
    ledger = slice(rig.board.LEDGER_START, rig.board.LEDGER_START + rig.board.LEDGER_SIZE)
    if flash != "as built":
        size = ledger.start - FILE_SYSTEM
        rig.chip.mcu.flash[FILE_SYSTEM : ledger.start] = random.Random(1).randbytes(size)
    before = bytes(rig.chip.mcu.flash)
    rig.run_for(BOOT_MS)
    operator = Operator(rig, role=None)  # a login is kept
    operator.wait(500)
    assert operator.state() == "SAFE"
    assert edges.edges == []
    assert not rig.truth().rail_on
    after = bytes(rig.chip.mcu.flash)
    assert after[: ledger.start] == before[: ledger.start]
    assert after[ledger.stop :] == before[ledger.stop :]
    (row,) = [Row.parse(raw) for raw in operator.device.ledger_records(1)]
    image = (ROOT / "build/firmware/pico/mesodrive-pico.bin").read_bytes()
    assert row.event == Boot(cause=1, image=crc32(image))


@pytest.mark.requirement("R2")
def test_a_bit_of_the_image_that_turns_over_is_noticed_and_nothing_starts_with_it():
    rig = EmulatedRig(NEAR_HOME)
    words = bytes(rig.chip.mcu.flash).find(b"mesodrive service mode")  # nothing that runs here
    assert words > 0
    operator = Operator(rig, role=None)
    assert operator.device.selftest().passed
    rig.chip.mcu.flash[words] ^= 1
    (failed,) = [one for one in operator.device.selftest().checks if not one.ok]
    assert failed.name == "image"
    rig.chip.reset()
    operator = Operator(rig)
    status = operator.device.status()
    assert status.state == "FAULT"
    assert status.why.startswith("The self-test failed: the image in flash is not what was built")
    with pytest.raises(RefusedError, match="flashed again"):
        operator.device.acknowledge()


@pytest.mark.requirement("R17", "R18")
def test_a_device_without_a_ledger_says_so_and_gets_one_from_a_person(tmp_path: Path):
    rig = EmulatedRig(NEAR_HOME, blank=True)
    rig.chip.flash_time.busy_ms[CMD_SECTOR_ERASE] = 1.0  # 128 of them: let nobody wait for it
    operator = Operator(rig)
    status = operator.device.status()
    assert (status.state, status.alarm and status.alarm.code) == ("FAULT", "ledger")
    assert "let service create a ledger" in status.why
    claim(operator.device, KeyStore(tmp_path))  # it has no keys either
    with pytest.raises(RefusedError, match="let service create a ledger"):
        operator.device.acknowledge()
    log_in(operator.device, KeyStore(tmp_path), "service")
    head = operator.device.create_ledger()
    assert (head.sequence, head.boot, head.damage) == (1, 1, [])
    with pytest.raises(RefusedError, match="There is a ledger already"):
        operator.device.create_ledger()
    operator.device.acknowledge()
    assert operator.state() == "SAFE"


@pytest.fixture(scope="module")
def struck() -> tuple[EmulatedRig, EdgeLog, float]:
    """A device that lost its power in mid-dose, trigger and contact held on: rig, edges, when."""
    rig = EmulatedRig(NEAR_HOME)
    edges = EdgeLog(rig)
    operator = Operator(rig)
    operator.make_ready(profile(depth_um=250))
    operator.device.prime(PRIME_UL)
    operator.device.arm()
    operator.touch()
    edges.clear()
    operator.press()
    operator.wait_until(lambda: len(edges.rises(Output.PLUNGER_STEP)) > 300, 200)
    rig.reset()
    with pytest.raises(PortLostError):
        operator.wait(1)
    return rig, edges, rig.now_ms()


@pytest.mark.requirement("R1")
def test_a_power_cut_in_mid_dose_lets_the_needle_go_at_once(
    struck: tuple[EmulatedRig, EdgeLog, float],
):
    rig, edges, cut_ms = struck
    rig.run_for(20)
    assert rig.truth().needle is NeedleState.BACK
    assert not rig.truth().rail_on
    assert edges.after(cut_ms) == []


@pytest.mark.requirement("R1")
def test_after_a_power_cut_in_mid_dose_nothing_resumes(
    struck: tuple[EmulatedRig, EdgeLog, float],
):
    rig, edges, cut_ms = struck
    rig.set(Sensor.TRIGGER, False)
    rig.run_for(BOOT_MS)
    operator = Operator(rig)
    assert operator.state() == "SAFE"
    rig.set(Sensor.TRIGGER, True)
    operator.wait(1200)
    status = operator.device.status()
    assert (status.state, status.homed, status.profile) == ("SAFE", False, None)
    assert edges.after(cut_ms) == []
    assert not rig.truth().rail_on


@pytest.mark.requirement("R16", "R17")
def test_a_dose_that_was_cut_off_blocks_the_next_until_a_person_has_said_what_it_gave(
    struck: tuple[EmulatedRig, EdgeLog, float],
):
    rig, _, _ = struck
    operator = Operator(rig)
    operator.rest()
    status = operator.device.status()
    ((number, strikes, dose_nl),) = status.in_doubt
    assert (strikes, dose_nl) == (40, 10_000)
    assert status.alarm
    assert status.alarm.code == "dose_in_doubt"
    assert status.session_nl == status.hour_nl == 400_000
    operator.make_ready(profile(depth_um=250))
    with pytest.raises(RefusedError, match=rf"cut off in dose {number}, of up to 400000 nl"):
        operator.device.arm()
    with pytest.raises(RefusedError, match=rf"cut off in dose {number}, of up to 400000 nl"):
        operator.device.prime(PRIME_UL)
    operator.device.disarm()
    operator.device.resolve(number, 1, 10_000)
    status = operator.device.status()
    assert (status.in_doubt, status.session_nl, status.hour_nl) == ([], 10_000, 10_000)
    operator.make_ready(profile(depth_um=250, shots=2))
    operator.device.arm()
    operator.touch()
    assert [shot.outcome for shot in operator.shoot(2)] == ["done", "done"]
    assert operator.device.status().session_nl == pytest.approx(30_000, abs=10)


@pytest.mark.requirement("R2")
@pytest.mark.parametrize(
    ("sensor", "level", "sentence"),
    [
        (Sensor.TRIGGER, True, "the trigger is pressed or shorted"),
        (Sensor.NEEDLE_BACK, False, "the needle is not seen at its rest"),
        (Sensor.NEEDLE_OUT, True, "the needle is seen at its stop"),
        (Sensor.RAIL, True, "the motor rail is on although it was not asked for"),
        (Sensor.INTERLOCK, False, "the interlock line does not agree with guard and stop"),
    ],
)
def test_a_failed_self_test_is_a_fault_with_one_sentence(
    sensor: Sensor, level: bool, sentence: str
):
    rig = EmulatedRig(NEAR_HOME)
    edges = EdgeLog(rig, DRIVING)
    rig.chip.drive(rig.gpio(sensor), level)
    status = Operator(rig).device.status()
    assert status.state == "FAULT"
    assert status.why == f"The self-test failed: {sentence}; put it right, then acknowledge."
    assert status.alarm
    assert status.alarm.code == "selftest"
    assert edges.edges == []
