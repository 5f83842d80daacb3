"""The short form of the faults campaign (`make faults`): some faults in some phases."""

import pytest

from mesodrive_rig.campaigns.faults.__main__ import Campaign
from mesodrive_rig.campaigns.faults.catalogue import FAULTS
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.trial import EXCESS_UL, Case

pytestmark = pytest.mark.hil

PHASES = [Phase.READY, Phase.ARMED, Phase.DOSE_MID]
NAMES = [
    "guard open or grounded",
    "guard shorted to 3V3",
    "cartridge bounces",
    "needle_out open or grounded",
    "enable open",
    "stop, pair 2 welded",
    "coil misfires",
    "needle sticks",
    "core locks up",
    "syringe empty",
    "cable pulled",
]


@pytest.fixture(scope="module")
def cases() -> dict[tuple[str, str], Case]:
    """All of them, from one session."""
    found: dict[tuple[str, str], Case] = {}

    def took(case: Case) -> None:
        found[case.fault, case.phase] = case

    faults = [fault for fault in FAULTS if fault.name in NAMES]
    Campaign(dict.fromkeys(PHASES, faults), 1, took).run()
    return found


@pytest.mark.requirement("R3", "R7")
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_stops_the_device_in_time_is_named_and_gives_nothing_more(
    cases: dict[tuple[str, str], Case], name: str, phase: Phase
):
    case = cases[name, phase]
    assert case.verdict == "", case
    assert case.excess_ul <= EXCESS_UL
    assert case.unasked_shots == 0
