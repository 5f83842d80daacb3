"""A profile: what one session may do, checked against this device's hard limits.

The host has checked its preset already; nothing here trusts that.
"""

import binascii

from injector import limits
from injector.errors import Refusal
from injector.params import only, text, whole
from mesodrive_wire import BAD_PARAMS, LIMIT

SINGLE = "single"  # one strike a pull of the trigger
SERIES = "series"  # strikes at the period while the trigger is held
MODES = (SINGLE, SERIES)

_VERSION = 1
_KEYS = (
    "version",
    "name",
    "mode",
    "shots",
    "depth_um",
    "dose_nl",
    "flow_nl_s",
    "settle_ms",
    "dwell_ms",
    "rest_ms",
    "period_ms",
    "cartridge_um",
    "needles",
    "syringe_nl_per_mm",
    "fill_nl",
)


class Profile:
    """Checked values, named as on the wire.

    `id` is the CRC-32 of them all, one a line in UTF-8, as 8 hex digits.
    """

    def __init__(self, values: "dict[str, object]"):
        """Take the values of `profile.load`; raise Refusal for the first that cannot be."""
        only(values, _KEYS)
        whole(values, "version", _VERSION, _VERSION)
        self.name = text(values, "name", 40)
        mode = values.get("mode")
        if mode not in MODES:
            raise Refusal(
                BAD_PARAMS, "mode must be one of %s; it is %r." % (", ".join(MODES), mode)
            )
        self.mode = mode
        self.shots = whole(values, "shots", 1, limits.MAX_SHOTS)
        self.depth_um = whole(values, "depth_um", 0, limits.MAX_DEPTH_UM)
        self.dose_nl = whole(values, "dose_nl", 0, limits.MAX_DOSE_NL)
        self.flow_nl_s = whole(values, "flow_nl_s", 1, limits.MAX_FLOW_NL_S)
        least_settle = limits.MIN_SETTLE_MS if self.dose_nl else 0
        self.settle_ms = whole(values, "settle_ms", least_settle, limits.MAX_SETTLE_MS)
        self.dwell_ms = whole(values, "dwell_ms", 1, limits.MAX_DWELL_MS)
        self.rest_ms = whole(values, "rest_ms", limits.MIN_REST_MS, limits.MAX_PERIOD_MS)
        self.period_ms = whole(values, "period_ms", 1, limits.MAX_PERIOD_MS)
        self.cartridge_um = whole(values, "cartridge_um", 1, limits.MAX_CARTRIDGE_UM)
        self.needles = whole(values, "needles", 1, limits.MAX_NEEDLES)
        self.nl_per_mm = whole(
            values, "syringe_nl_per_mm", limits.MIN_NL_PER_MM, limits.MAX_NL_PER_MM
        )
        self.fill_nl = whole(values, "fill_nl", 0, limits.MAX_FILL_NL)
        if self.depth_um > self.cartridge_um:
            raise Refusal(
                LIMIT,
                "depth_um is %d but the cartridge's needles reach %d; choose a smaller depth "
                "or a longer cartridge." % (self.depth_um, self.cartridge_um),
                {"name": "depth_um", "value": self.depth_um, "limit": self.cartridge_um},
            )
        if self.shots * self.dose_nl > self.fill_nl:
            raise Refusal(
                LIMIT,
                "%d shots of %d nl are more than the %d nl in the syringe; ask for fewer shots "
                "or fill more." % (self.shots, self.dose_nl, self.fill_nl),
                {"name": "shots", "value": self.shots, "limit": self.fill_nl // self.dose_nl},
            )
        lines = "\n".join([str(values[key]) for key in _KEYS])
        self.id = "%08x" % (binascii.crc32(lines.encode()) & 0xFFFFFFFF)
