"""What stands against giving a prescription: one sentence each, with a way out."""

import math
from collections.abc import Iterator

from mesodrive.presets.mechanics import PLUNGER_UM_S, plunger_um_s
from mesodrive.presets.models import FLOW
from mesodrive.presets.modes import MODES
from mesodrive.presets.profile import (
    LEAST_SETTLE_US,
    Prescription,
    least_dwell_us,
    least_period_us,
    thousandths,
)


def refusals(p: Prescription) -> Iterator[str]:
    """Yield why `p` cannot be given, each as one sentence with a way out."""
    reach_mm = p.cartridge.usable_length.value
    if thousandths(p.depth_mm) > thousandths(reach_mm):
        yield (
            f"The depth of {p.depth_mm:g} mm is past the {reach_mm:g} mm that the cartridge "
            f"'{p.cartridge.name}' reaches; set a lesser depth or take longer needles."
        )
    yield from _mode_refusals(p)
    yield from _volume_refusals(p)
    yield from _time_refusals(p)
    if p.dose_ul > 0 and p.pressure_kpa > p.syringe.max_pressure.value:
        yield _too_much_pressure(p)


def _mode_refusals(p: Prescription) -> Iterator[str]:
    rules = MODES[p.mode]
    if p.shots > rules.most_shots:
        yield (
            f"{p.shots} shots are more than the {rules.most_shots} of a session in the mode "
            f"'{p.mode}'; give fewer."
        )
    if p.dose_ul > rules.most_dose_ul:
        yield (
            f"A dose of {p.dose_ul:g} µL is past the {rules.most_dose_ul:g} µL of one strike in "
            f"the mode '{p.mode}'; set a lesser dose."
        )


def _time_refusals(p: Prescription) -> Iterator[str]:
    um_s = plunger_um_s(thousandths(p.flow_ul_s), thousandths(p.syringe.ul_per_mm))
    if p.dose_ul and um_s > PLUNGER_UM_S:
        most_flow_ul_s = _rounded_down(PLUNGER_UM_S / 1000 * p.syringe.ul_per_mm)
        yield (
            f"A flow of {p.flow_ul_s:g} µL/s from the syringe '{p.syringe.name}' is more than the "
            f"plunger can follow; set at most {most_flow_ul_s:g} µL/s or take a larger syringe."
        )
    if p.dose_ul and um_s < 1:
        least_flow_ul_s = math.ceil(p.syringe.ul_per_mm) / 1000
        yield (
            f"A flow of {p.flow_ul_s:g} µL/s from the syringe '{p.syringe.name}' is slower than "
            f"the plunger can go; set at least {least_flow_ul_s:g} µL/s or take a smaller syringe."
        )
    if p.dose_ul and p.settle_us < LEAST_SETTLE_US:
        yield (
            f"A settle of {_ms(p.settle_us)} ms is too short to see that the needle is out before "
            f"the dose begins; set at least {_ms(LEAST_SETTLE_US)} ms."
        )
    most_dwell_us = MODES[p.mode].most_dwell_us
    needed_us = max(p.dwell_us, p.least_dwell_us)
    if needed_us > most_dwell_us:
        yield (
            f"A dose of {p.dose_ul:g} µL at {p.flow_ul_s:g} µL/s with its dwell takes "
            f"{_ms(needed_us)} ms and the device dwells at most {_ms(most_dwell_us)} ms in the "
            f"mode '{p.mode}'; set a greater flow, a lesser dose or a shorter dwell."
        )
    elif p.dwell_us < p.least_dwell_us:
        yield (
            f"A dose of {p.dose_ul:g} µL at {p.flow_ul_s:g} µL/s after {_ms(p.settle_us)} ms of "
            f"settle does not fit within a dwell of {_ms(p.dwell_us)} ms; set a dwell of at least "
            f"{_ms(p.least_dwell_us)} ms."
        )
    if p.period_us < p.least_period_us:
        yield (
            f"A rate of {p.rate_hz:g} Hz leaves {_ms(p.period_us)} ms a strike and one takes "
            f"{_ms(p.least_period_us)} ms; the fastest possible rate is "
            f"{_rounded_down(1e6 / p.least_period_us):g} Hz."
        )


def _volume_refusals(p: Prescription) -> Iterator[str]:
    volume_ul = p.syringe.usable_ul
    total_ul = p.shots * p.dose_ul
    needed = f"{p.shots} shots of {p.dose_ul:g} µL need {total_ul:g} µL"
    fill_nl = thousandths(p.fill_ul) if math.isfinite(p.fill_ul) else -1
    total_nl = p.shots * thousandths(p.dose_ul)
    if not 0 <= fill_nl <= thousandths(volume_ul):
        yield (
            f"A fill of {p.fill_ul:g} µL is not possible in the syringe '{p.syringe.name}', which "
            f"holds {volume_ul:g} µL; correct the fill or take another syringe."
        )
    elif total_nl > thousandths(volume_ul):
        yield (
            f"{needed} and the syringe '{p.syringe.name}' holds {volume_ul:g} µL; "
            "take a larger syringe, or give fewer shots or a lesser dose."
        )
    elif total_nl > fill_nl:
        yield (
            f"{needed} and the syringe is filled with {p.fill_ul:g} µL; "
            "fill it further, or give fewer shots or a lesser dose."
        )


def _too_much_pressure(p: Prescription) -> str:
    bears_kpa = p.syringe.max_pressure.value
    most_flow_ul_s = _rounded_down(p.flow_ul_s * bears_kpa / p.pressure_kpa)
    cause = (
        f"{p.flow_ul_s:g} µL/s at {p.viscosity_cp:g} cP through the cartridge "
        f"'{p.cartridge.name}' takes {p.pressure_kpa:.0f} kPa and the syringe bears "
        f"{bears_kpa:g} kPa"
    )
    if most_flow_ul_s < FLOW.least:
        return f"{cause}; no flow is slow enough, so take wider needles or a thinner product."
    dwell_us = least_dwell_us(p.settle_us, p.dose_ul, most_flow_ul_s, p.syringe)
    if dwell_us > MODES[p.mode].most_dwell_us:
        return f"{cause}; no flow is slow enough, so take wider needles or a thinner product."
    seconds = math.ceil(least_period_us(p.depth_mm, dwell_us, p.rest_us) / 10_000) / 100
    return (
        f"{cause}; set a flow of at most {most_flow_ul_s:g} µL/s, "
        f"which takes at least {seconds:g} s per shot."
    )


def _ms(us: int) -> str:
    return f"{us / 1000:.10g}"


def _rounded_down(value: float) -> float:
    """Return `value` to three digits and never above itself, so that advice can be followed."""
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return math.floor(value / step) * step
