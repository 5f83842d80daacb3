"""A profile: what one session may do, checked against this device's hard limits.

The host has checked its preset already; nothing here trusts that.
"""

import binascii

from injector import limits
from injector.errors import Refusal
from injector.params import only, text, whole
from mesodrive_wire import BAD_PARAMS, LIMIT

SINGLE = "single"  # one strike a pull of the trigger
BURST = "burst"  # a number of strikes a pull
SERIES = "series"  # strikes at the period while the trigger is held
STAMP = "stamp"  # one strike at each contact while the trigger is held
DRIP = "drip"  # one long strike a pull
DRY = "dry"  # a series without a dose
MODES = (SINGLE, BURST, SERIES, STAMP, DRIP, DRY)

_ONE_A_PULL = (SINGLE, STAMP, DRIP)
_SEVERAL_A_PULL = (BURST, SERIES, DRY)

_VERSION = 2
_KEYS = (
    "version",
    "name",
    "mode",
    "shots",
    "burst",
    "depth_um",
    "dose_nl",
    "flow_nl_s",
    "settle_us",
    "dwell_us",
    "rest_us",
    "period_us",
    "soft_strikes",
    "cartridge_um",
    "needles",
    "syringe_nl_per_mm",
    "fill_nl",
    "pressure_pa",
    "bears_pa",
    "friction_mn",
    "cartridge",
)
_NUMBER_DIGITS = 16
_HEX = "0123456789abcdef"


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
        dry = mode == DRY
        drip = mode == DRIP
        self.shots = whole(values, "shots", 1, limits.MAX_DRY_SHOTS if dry else limits.MAX_SHOTS)
        most = limits.MAX_BURST if mode == BURST else 1
        self.burst = whole(values, "burst", 2 if mode == BURST else 1, most)
        self.depth_um = whole(values, "depth_um", 0, limits.MAX_DEPTH_UM)
        most = 0 if dry else limits.MAX_DRIP_NL if drip else limits.MAX_DOSE_NL
        self.dose_nl = whole(values, "dose_nl", 0 if dry else 1, most)
        self.flow_nl_s = whole(values, "flow_nl_s", 1, limits.MAX_FLOW_NL_S)
        least = 0 if dry else limits.MIN_SETTLE_US
        self.settle_us = whole(values, "settle_us", least, limits.MAX_SETTLE_US)
        most = limits.MAX_DRIP_US if drip else limits.MAX_DWELL_US
        self.dwell_us = whole(values, "dwell_us", limits.MIN_DWELL_US, most)
        self.rest_us = whole(values, "rest_us", limits.MIN_REST_US, limits.MAX_PERIOD_US)
        self.period_us = whole(values, "period_us", limits.MIN_PERIOD_US, limits.MAX_PERIOD_US)
        most = limits.MAX_SOFT_STRIKES if mode in _SEVERAL_A_PULL else 0
        self.soft_strikes = whole(values, "soft_strikes", 0, most)
        self.cartridge_um = whole(values, "cartridge_um", 1, limits.MAX_CARTRIDGE_UM)
        self.needles = whole(values, "needles", 1, limits.MAX_NEEDLES)
        self.nl_per_mm = whole(
            values, "syringe_nl_per_mm", limits.MIN_NL_PER_MM, limits.MAX_NL_PER_MM
        )
        self.fill_nl = whole(values, "fill_nl", 0, limits.MAX_FILL_NL)
        self.bears_pa = whole(values, "bears_pa", limits.MIN_BEARS_PA, limits.MAX_PRESSURE_PA)
        self.pressure_pa = whole(values, "pressure_pa", 0, limits.MAX_PRESSURE_PA)
        self.friction_mn = whole(values, "friction_mn", 0, limits.MAX_FRICTION_MN)
        self.cartridge = _number(values)  # 8 bytes, zeros when it has none
        if self.depth_um > self.cartridge_um:
            raise Refusal(
                LIMIT,
                "depth_um is %d but the cartridge's needles reach %d; choose a smaller depth "
                "or a longer cartridge." % (self.depth_um, self.cartridge_um),
                {"name": "depth_um", "value": self.depth_um, "limit": self.cartridge_um},
            )
        if self.pressure_pa > self.bears_pa:
            raise Refusal(
                LIMIT,
                "pressure_pa is %d but the syringe bears %d; choose a lower flow_nl_s or wider "
                "needles." % (self.pressure_pa, self.bears_pa),
                {"name": "pressure_pa", "value": self.pressure_pa, "limit": self.bears_pa},
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

    @property
    def a_pull(self) -> int:
        """Strikes that one pull of the trigger may give; in STAMP one contact."""
        if self.mode in _ONE_A_PULL:
            return 1
        return self.burst if self.mode == BURST else self.shots

    @property
    def goes_on(self) -> bool:
        """Whether a pull that was cut short is gone on with by the next."""
        return self.mode in _SEVERAL_A_PULL

    def period_after_us(self, strike: int) -> int:
        """From the start of strike `strike` of a pull, 1 the first, to that of the next: the rate
        rises from half to full over the soft strikes."""
        left = max(0, self.soft_strikes - strike + 1)
        return self.period_us + self.period_us * left // (self.soft_strikes + 1)


def _number(values):
    """The cartridge's number: up to 16 hex digits, none for one without."""
    digits = values.get("cartridge")
    if not isinstance(digits, str) or len(digits) > _NUMBER_DIGITS or digits.strip(_HEX):
        raise Refusal(
            BAD_PARAMS,
            "cartridge must be its number in up to %d lower-case hex digits, or empty."
            % _NUMBER_DIGITS,
        )
    return bytes.fromhex("0" * (_NUMBER_DIGITS - len(digits)) + digits)
