"""What a profile's flow should take of force on the plunger, and where that is too much or too
little. Forces in mN, pressures in Pa; a plunger of 1 mm² takes 1 mN for each kPa.
"""

from injector.limits import LEAST_RISE_MN, MAX_FORCE_MN, PRESSURE_MARGIN, REST_PA, SKIN_PA

_FELT_PART = 4  # of the expected rise: labels and tables are good to about a third
_LOOKS_US = 12_000  # three of the port's looks at the force: two of them fall into it
# A line that lets go of half its pressure in 50 ms (delivery.py) has filled to a quarter of it in
# 50 ms × ln(4/3) ÷ ln 2 = 21 ms of flow.
_FILLS_US = 25_000


class Forces:
    """Of one checked profile.

    `stop_mn`: a stroke stops there, within it. `rest_mn`: between two shots the line has let go
    of all but this. `air_mn`: a plunger that is pushed resists with at least this.
    `rise_mn`: a dose makes the force grow by at least this over that of rest; 0 where that is too
    little, or the dose too short, to be felt. `fill_nl`: what may be pushed before it has grown.
    `tail_nl`: what may be pushed at the end of a dose without being felt; None where the dose is
    too short to tell.
    """

    def __init__(self, profile):
        self._profile = profile
        self.stop_mn = self._stop_mn(profile.pressure_pa)
        self.rest_mn = self._mn(profile.pressure_pa // 2 + REST_PA)
        self.air_mn = self._mn(profile.pressure_pa) // 2
        rise_mn = profile.pressure_pa * profile.nl_per_mm // (1_000_000 * _FELT_PART)
        looks_nl, self.fill_nl = [
            profile.flow_nl_s * us // 1_000_000 for us in (_LOOKS_US, _FILLS_US)
        ]
        self.rise_mn = rise_mn if rise_mn >= LEAST_RISE_MN and profile.dose_nl >= looks_nl else 0
        self.tail_nl = looks_nl if profile.dose_nl > self.fill_nl + looks_nl else None
        if self._mn(profile.pressure_pa) > MAX_FORCE_MN:
            raise ValueError(
                "pressure_pa and friction_mn come to %d mN on the plunger and this machine "
                "presses with %d; choose a lower flow_nl_s or a smaller syringe."
                % (self._mn(profile.pressure_pa), MAX_FORCE_MN)
            )

    def prime_um_s(self, most: int) -> int:
        """A speed for priming that takes half of what the syringe bears, at most `most`."""
        profile = self._profile
        if not profile.pressure_pa:
            return most
        flow_nl_s = profile.flow_nl_s * profile.bears_pa // (2 * profile.pressure_pa)
        return max(1, min(most, flow_nl_s * 1000 // profile.nl_per_mm))

    def prime_mn(self, um_s: int) -> int:
        """Where priming at `um_s` stops."""
        profile = self._profile
        flow_nl_s = um_s * profile.nl_per_mm // 1000
        return self._stop_mn(profile.pressure_pa * flow_nl_s // profile.flow_nl_s)

    def _stop_mn(self, expected_pa):
        more, than = PRESSURE_MARGIN
        stop_pa = (expected_pa + SKIN_PA) * more // than
        return min(MAX_FORCE_MN, self._mn(min(stop_pa, self._profile.bears_pa)))

    def _mn(self, pa):
        return self._profile.friction_mn + pa * self._profile.nl_per_mm // 1_000_000
