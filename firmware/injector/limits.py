"""Hard limits. No host can raise them; a profile past one of them is refused.

Depth: the deepest technique in the preset table is mesoperfusion at 6 mm. Dose: the largest single
dose in it is 100 µL (point by point).
"""

MAX_DEPTH_UM = 6_000
MAX_DOSE_NL = 100_000
MAX_SHOTS = 2_000
MAX_FLOW_NL_S = 2_000_000
MAX_SETTLE_MS = 1_000
MIN_SETTLE_MS = 5  # time to see that the needle is out before a dose begins
MAX_DWELL_MS = 5_000
MIN_REST_MS = 5
MAX_PERIOD_MS = 60_000
MAX_CARTRIDGE_UM = 13_000
MAX_NEEDLES = 25
MIN_NL_PER_MM = 1_000
MAX_NL_PER_MM = 500_000
MAX_FILL_NL = 10_000_000
MAX_PRIME_NL = 500_000

HOST_SILENCE_MS = 500  # a host that says nothing for this long is gone
DEBOUNCE_MS = 20  # an operator's contact counts as made when it has held this long
RAIL_UP_MS = 100  # the rail must be sensed this soon after it is asked for
