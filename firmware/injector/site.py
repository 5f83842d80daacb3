"""What a site has lowered and measured: hard limits and mechanics as they hold on this device."""

from injector import limits
from injector.errors import Refusal
from injector.params import whole
from injector.settings import CALIBRATION, LIMITS, VALUES
from mesodrive_wire import BAD_PARAMS, LIMIT

_HARD = {  # as they are called in limits.py
    "depth_um": "MAX_DEPTH_UM",
    "dose_nl": "MAX_DOSE_NL",
    "drip_nl": "MAX_DRIP_NL",
    "prime_nl": "MAX_PRIME_NL",
    "shots": "MAX_SHOTS",
    "session_nl": "MAX_SESSION_NL",
    "hour_nl": "MAX_HOUR_NL",
}
# How far a measured position may be from the one in the image, µm: assembly, not another machine.
_SURFACE_OFF_UM = 1_000
_EMPTY_OFF_UM = 5_000


class Site:
    """`drives` is the module with the mechanics; what is measured stands in its place here."""

    def __init__(self, settings, drives):
        self._settings = settings
        self._drives = drives

    def __getattr__(self, name):
        return getattr(self._drives, name)

    @property
    def DEPTH_SURFACE_UM(self) -> int:  # noqa: N802 (named as in the module it stands for)
        return self._settings.values.get("depth_surface_um", self._drives.DEPTH_SURFACE_UM)

    @property
    def PLUNGER_EMPTY_UM(self) -> int:  # noqa: N802
        return self._settings.values.get("plunger_empty_um", self._drives.PLUNGER_EMPTY_UM)

    def limit(self, name: str) -> int:
        """What holds here for one of LIMITS: at most the image's."""
        hard = _hard(name)
        return min(hard, self._settings.values.get(name, hard))

    def asked(self, name, params) -> "tuple[int, int]":
        """What one of VALUES is, and the whole number `value` of `params` that it may become."""
        if name not in VALUES:
            raise Refusal(
                BAD_PARAMS, "name must be one of %s; it is %r." % (", ".join(VALUES), name)
            )
        return self.value(name), whole(params, "value", *self._range(name))

    def value(self, name: str) -> int:
        """What holds for one of VALUES."""
        if name in LIMITS:
            return self.limit(name)
        return getattr(self, name.upper())

    def calibration(self) -> "dict[str, int]":
        """Each measured position that holds."""
        return {name: self.value(name) for name in CALIBRATION}

    def check(self, profile) -> None:
        """Refuse a profile that is within the image's limits and past the site's."""
        dose = "drip_nl" if profile.mode == "drip" else "dose_nl"
        for name, key, value in (
            ("depth_um", "depth_um", profile.depth_um),
            (dose, "dose_nl", profile.dose_nl),
            ("shots", "shots", profile.shots if profile.dose_nl else 0),
        ):
            limit = self.limit(name)
            if value > limit:
                raise Refusal(
                    LIMIT,
                    "%s is %d and this site allows at most %d; ask for less, or have service "
                    "set another limit." % (key, value, limit),
                    {"name": key, "value": value, "limit": limit},
                )

    def _range(self, name):
        if name in LIMITS:
            return 1, _hard(name)
        built = getattr(self._drives, name.upper())
        if name == "depth_surface_um":
            return max(1, built - _SURFACE_OFF_UM), built + _SURFACE_OFF_UM
        # Past the travel no homing would find the way back.
        return built - _EMPTY_OFF_UM, min(built + _EMPTY_OFF_UM, self._drives.PLUNGER.travel_um)


def _hard(name):
    return getattr(limits, _HARD[name])
