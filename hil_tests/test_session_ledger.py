"""A session against the shipping image, the power cut in a pull: no dose is forgotten."""

from dataclasses import replace
from pathlib import Path

import pytest

from mesodrive.device import Device
from mesodrive.ledger.fetch import check, fetch
from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.keeper import LedgerKeeper
from mesodrive.ledger.resolve import doubtful, resolution
from mesodrive.presets import load_cartridge, load_preset, load_syringe, prescribe
from mesodrive.records import Records, SessionOutcome, SessionRecord, ShotReport
from mesodrive.session import SessionError, TreatmentSession
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME
from mesodrive_rig.plant import Sensor
from mesodrive_rig.specs import plant_for

pytestmark = pytest.mark.hil

PRESET = load_preset("nappage")
BOOT_MS = 600


class Hands:
    """Treats when the device is armed; cuts the power once so many shots are recorded."""

    def __init__(self, rig: EmulatedRig, cut_after: int):
        self._rig, self._cut_after = rig, cut_after

    def step(self, text: str) -> None: ...
    def live(self, status: object, coverage: object) -> None: ...
    def alarm(self, code: str, text: str) -> None: ...

    def state(self, state: str, why: str) -> None:
        del why
        self._treat(state in ("ARMED", "DELIVERING"))

    def shot(self, report: ShotReport) -> None:
        if report.number == self._cut_after:
            self._treat(False)
            self._rig.reset()

    def _treat(self, is_true: bool) -> None:
        self._rig.set(Sensor.CONTACT, is_true)
        self._rig.set(Sensor.TRIGGER, is_true)


@pytest.mark.requirement("R16", "R17", "R21", "R27")
def test_a_power_cut_in_a_pull_is_in_doubt_until_a_person_says_what_it_was(tmp_path: Path):
    fitted = plant_for(load_cartridge(PRESET.cartridge), load_syringe(PRESET.syringe))
    rig = EmulatedRig(replace(fitted, plunger=NEAR_HOME.plunger, depth=NEAR_HOME.depth))
    rig.run_for(BOOT_MS)
    key = HostKey(bytes(32))

    def plug_in() -> Device:
        rig.run_for(BOOT_MS)
        return Device(rig.connect())

    def treat(
        device: Device, shots: int, cut_after: int = 0, primed: bool = False
    ) -> SessionRecord:
        TreatmentSession(
            device,
            records,
            PRESET,
            prescribe(PRESET, shots=shots),
            Hands(rig, cut_after),
            primed=primed,
            find_again=plug_in,
            ledger=LedgerKeeper(records, key),
        ).run()
        return records.session("last")

    with Records.open(tmp_path / "records.db") as records:
        cut = treat(plug_in(), shots=5, cut_after=2)
        assert cut.outcome is SessionOutcome.LINK_LOST
        assert cut.ledger
        assert (cut.ledger.in_doubt_strikes, cut.ledger.in_doubt_ul) == (5, 50.0)
        assert len(cut.shots) + (cut.uncertain_shots or 0) == 5
        assert len(cut.shots) <= len(rig.truth().strikes) <= 5

        device = plug_in()
        with pytest.raises(SessionError, match="mesodrive ledger resolve"):
            treat(device, shots=2)
        fetched = fetch(device, device.info.serial, records.ledgers, key)
        doubts = doubtful(fetched, records.ledgers)
        said = resolution(doubts, None, None, None, as_recorded=True, in_full=False)
        assert said.strikes == len(cut.shots)
        device.resolve(said.number, said.strikes, said.given_nl)
        device.acknowledge()

        done = treat(device, shots=2, primed=True)
        assert done.outcome is SessionOutcome.COMPLETE
        assert done.ledger
        assert (done.ledger.strikes, done.ledger.differences) == (2, ())
        assert records.session(cut.id).ledger != cut.ledger  # the resolution is known by now
        ledger = records.ledgers.current(device.info.serial)
        assert ledger
        assert check(records.ledgers, ledger, key).whole
        assert records.ledgers.flaws(ledger.key) == []
