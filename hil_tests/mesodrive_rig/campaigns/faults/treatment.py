"""What is treated in a session, and on which injector."""

from dataclasses import replace

from mesodrive_rig.operator import NEAR_HOME, NL_PER_MM, profile
from mesodrive_rig.plant import AxisSpec, SyringeSpec

# As near home as can be, so that homing and seating are over soon.
NEARBY = replace(
    NEAR_HOME,
    plunger=AxisSpec(lead_mm=1.0, max_mm=62.0, initial_mm=0.12),
    depth=AxisSpec(lead_mm=0.5, max_mm=15.0, initial_mm=0.12),
    syringe=SyringeSpec.from_ul_per_mm(NL_PER_MM / 1000, fill_ul=1030.0),
)
DOSE_UL = 4.0
PRIME_UL = 2.5
SHOTS = 3
DOSE = profile(
    shots=SHOTS,
    depth_um=250,
    dose_nl=int(1000 * DOSE_UL),
    settle_us=5_000,
    dwell_us=60_000,
    rest_us=10_000,
    period_us=150_000,
    fill_nl=1_030_000,
)
