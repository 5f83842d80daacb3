"""The hard limits, figure by figure: who changes one changes it here too, and in the documents."""

import pytest

from injector import limits

FIGURES = {
    "MAX_DEPTH_UM": 6_000,
    "MAX_DOSE_NL": 100_000,
    "MAX_DRIP_NL": 500_000,
    "MAX_SHOTS": 2_000,
    "MAX_DRY_SHOTS": 100_000,
    "MAX_BURST": 100,
    "MAX_SOFT_STRIKES": 50,
    "MAX_FLOW_NL_S": 2_000_000,
    "MAX_SETTLE_US": 1_000_000,
    "MIN_SETTLE_US": 1_000,
    "MIN_DWELL_US": 100,
    "MAX_DWELL_US": 5_000_000,
    "MAX_DRIP_US": 30_000_000,
    "MIN_REST_US": 200,
    "MIN_PERIOD_US": 4_000,
    "MAX_PERIOD_US": 60_000_000,
    "MAX_CARTRIDGE_UM": 13_000,
    "MAX_NEEDLES": 25,
    "MIN_NL_PER_MM": 1_000,
    "MAX_NL_PER_MM": 500_000,
    "MAX_FILL_NL": 10_000_000,
    "MAX_PRIME_NL": 500_000,
    "MAX_SESSION_NL": 10_000_000,
    "MAX_HOUR_NL": 20_000_000,
    "MAX_PRESSURE_PA": 1_000_000,
    "MIN_BEARS_PA": 10_000,
    "MAX_FRICTION_MN": 20_000,
    "MAX_FORCE_MN": 40_000,
    "SKIN_PA": 30_000,
    "PRESSURE_MARGIN": (3, 2),
    "REST_PA": 10_000,
    "LEAST_RISE_MN": 90,
    "MAX_COIL_DC": 550,
    "LEAST_SUPPLY_PCT": 85,
    "LOW_PCT": 10,
    "HOST_SILENCE_MS": 500,
    "DEBOUNCE_MS": 20,
    "TRIGGER_SPLIT_MS": 200,
    "NEEDLE_AWAY_MS": 100,
    "RAIL_UP_MS": 100,
    "MOVE_LATE_MS": 150,
    "RAIL_HOLD_MS": 200,
    "IDLE_MS": 180_000,
    "MAX_WAIT_S": 3_600,
    "LOCK_ALARMS": 3,
    "LOCK_MS": 600_000,
}


def test_no_limit_is_left_out():
    assert {name for name in vars(limits) if name.isupper()} <= FIGURES.keys()


@pytest.mark.requirement("R8", "R9", "R11", "R15")
@pytest.mark.parametrize("name", FIGURES)
def test_a_hard_limit_is_the_documented_figure(name: str):
    assert getattr(limits, name) == FIGURES[name]
