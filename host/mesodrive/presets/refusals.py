"""What stands against giving a prescription: one sentence each, with a way out."""

import math
from collections.abc import Iterator

from mesodrive.presets.models import DWELL, FLOW
from mesodrive.presets.profile import (
    Prescription,
    least_dwell_ms,
    least_period_ms,
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
    yield from _volume_refusals(p)
    least_dwell = least_dwell_ms(p.settle_ms, p.dose_ul, p.flow_ul_s)
    if least_dwell > DWELL.most:
        yield (
            f"A dose of {p.dose_ul:g} µL at {p.flow_ul_s:g} µL/s needs a dwell of {least_dwell} "
            f"ms and the device dwells at most {DWELL.most:g} ms; "
            "set a greater flow or a lesser dose."
        )
    elif p.dwell_ms < least_dwell:
        yield (
            f"A dose of {p.dose_ul:g} µL at {p.flow_ul_s:g} µL/s after {p.settle_ms} ms of settle "
            f"does not fit within a dwell of {p.dwell_ms} ms; set a dwell of at least "
            f"{least_dwell} ms."
        )
    if p.period_ms < p.least_period_ms:
        yield (
            f"A rate of {p.rate_hz:g} Hz leaves {p.period_ms} ms a shot and one takes "
            f"{p.least_period_ms} ms; the fastest possible rate is "
            f"{_rounded_down(1000 / p.least_period_ms):g} Hz."
        )
    if p.dose_ul > 0 and p.pressure_kpa > p.syringe.max_pressure.value:
        yield _too_much_pressure(p)


def _volume_refusals(p: Prescription) -> Iterator[str]:
    volume_ul = p.syringe.volume_ul
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
    dwell_ms = least_dwell_ms(p.settle_ms, p.dose_ul, most_flow_ul_s)
    if dwell_ms > DWELL.most or most_flow_ul_s < FLOW.least:
        return f"{cause}; no flow is slow enough, so take wider needles or a thinner product."
    seconds = math.ceil(least_period_ms(dwell_ms, p.rest_ms) / 10) / 100
    return (
        f"{cause}; set a flow of at most {most_flow_ul_s:g} µL/s, "
        f"which takes at least {seconds:g} s per shot."
    )


def _rounded_down(value: float) -> float:
    """Return `value` to three digits and never above itself, so that advice can be followed."""
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return math.floor(value / step) * step
