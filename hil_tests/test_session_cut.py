"""A session against the image that ships, the power cut in the midst of a strike: the record and
the device's ledger are joined once, and what nobody saw end is uncertain.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from mesodrive.device import Device
from mesodrive.ledger.fetch import check, fetch
from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.keeper import LedgerKeeper
from mesodrive.ledger.resolve import doubtful, resolution
from mesodrive.ledger.rows import Intent
from mesodrive.presets import load_cartridge, load_preset, load_syringe, prescribe
from mesodrive.records import Records, SessionOutcome, ShotReport
from mesodrive.session import TreatmentSession
from mesodrive_rig.emulated.provision import KEYS
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME
from mesodrive_rig.plant import Output, Sensor
from mesodrive_rig.specs import plant_for

pytestmark = [pytest.mark.hil, pytest.mark.timeout(600)]

PRESET = load_preset("nappage")
SHOTS, CUT_AFTER = 5, 2
BOOT_MS = 800
INTO_A_STRIKE_MS = 20


class Hands:
    """Treats while the device is armed. Once so many shots are recorded, the power is cut in the
    midst of the next; the hands hold on."""

    def __init__(self, rig: EmulatedRig):
        self._rig = rig
        self._due = False
        rig.chip.on_edge(rig.gpio(Output.STRIKE), self._strike)

    def step(self, text: str) -> None: ...
    def live(self, status: object, coverage: object) -> None: ...
    def alarm(self, code: str, text: str) -> None: ...

    def state(self, state: str, why: str) -> None:
        del why
        if state == "ARMED":
            self.hold(True)

    def shot(self, report: ShotReport) -> None:
        self._due = report.number == CUT_AFTER

    def hold(self, is_true: bool) -> None:
        self._rig.set(Sensor.CONTACT, is_true)
        self._rig.set(Sensor.TRIGGER, is_true)

    def _strike(self, out: bool) -> None:
        if out and self._due:
            self._due = False
            due_ns = self._rig.chip.now_ns + INTO_A_STRIKE_MS * 1e6
            self._rig.chip.call_at(due_ns, self._rig.reset)


@pytest.mark.requirement("R16", "R17", "R21")
def test_a_session_that_a_power_cut_ended_is_joined_once_and_its_last_strikes_are_uncertain(
    tmp_path: Path,
):
    fitted = plant_for(load_cartridge(PRESET.cartridge), load_syringe(PRESET.syringe))
    rig = EmulatedRig(replace(fitted, plunger=NEAR_HOME.plunger, depth=NEAR_HOME.depth))
    hands = Hands(rig)
    key = HostKey(bytes(32))

    def plug_in() -> Device:
        rig.run_for(BOOT_MS)
        hands.hold(False)
        device = Device(rig.connect())
        device.login("operator", KEYS["operator"])
        return device

    with Records.open(tmp_path / "records.db") as records:
        TreatmentSession(
            plug_in(),
            records,
            PRESET,
            prescribe(PRESET, shots=SHOTS),
            hands,
            find_again=plug_in,
            ledger=LedgerKeeper(records, key),
        ).run()

        cut = records.session("last")
        numbers = [shot.number for shot in cut.shots]
        assert cut.outcome is SessionOutcome.LINK_LOST
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= CUT_AFTER
        assert len(rig.truth().strikes) == len(numbers) + 1
        assert cut.ledger
        assert cut.ledger.in_doubt_strikes == SHOTS
        assert cut.uncertain_shots == SHOTS - len(numbers)

        device = plug_in()
        fetched = fetch(device, device.info.serial, records.ledgers, key)
        assert fetched.whole
        said = resolution(
            doubtful(fetched, records.ledgers), None, None, None, as_recorded=True, in_full=False
        )
        assert len(rig.truth().strikes) <= said.strikes <= SHOTS
        assert said.given_nl >= 1000 * rig.truth().skin_ul
        device.resolve(said.number, said.strikes, said.given_nl)
        again = fetch(device, device.info.serial, records.ledgers, key)
        assert again.told.totals.strikes == said.strikes
        assert records.session(cut.id).uncertain_shots == said.strikes - len(numbers)

        verdict = check(records.ledgers, again.ledger, key)
        assert verdict.whole
        intents = [row.event for row in verdict.rows if isinstance(row.event, Intent)]
        assert [intent.strikes for intent in intents] == [0, SHOTS]
