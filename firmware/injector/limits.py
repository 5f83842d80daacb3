"""Hard limits. No host can raise them; a profile past one of them is refused.

Depth: the deepest technique in the preset table is mesoperfusion at 6 mm. Dose: the largest single
dose in it is 100 µL (point by point); a drip lasts at most 30 s. Rate: 250 strikes/s are more than
any pen on the market makes. Session and hour: docs/decisions/0061.
"""

MAX_DEPTH_UM = 6_000
MAX_DOSE_NL = 100_000
MAX_DRIP_NL = 500_000
MAX_SHOTS = 2_000
MAX_DRY_SHOTS = 100_000
MAX_BURST = 100
MAX_SOFT_STRIKES = 50
MAX_FLOW_NL_S = 2_000_000
MAX_SETTLE_US = 1_000_000
MIN_SETTLE_US = 1_000  # with a dose: the contact that shows the needle out has stopped bouncing
MIN_DWELL_US = 100
MAX_DWELL_US = 5_000_000
MAX_DRIP_US = 30_000_000
MIN_REST_US = 200
MIN_PERIOD_US = 4_000
MAX_PERIOD_US = 60_000_000
MAX_CARTRIDGE_UM = 13_000
MAX_NEEDLES = 25
MIN_NL_PER_MM = 1_000
MAX_NL_PER_MM = 500_000
MAX_FILL_NL = 10_000_000
MAX_PRIME_NL = 500_000
MAX_SESSION_NL = 10_000_000
MAX_HOUR_NL = 20_000_000
MAX_PRESSURE_PA = 1_000_000  # nothing that a plastic syringe bears comes near
MIN_BEARS_PA = 10_000
MAX_FRICTION_MN = 20_000

MAX_FORCE_MN = 40_000  # on the plunger: what its drive is calculated for, drives.py
SKIN_PA = 30_000  # published back-pressures of the skin for small doses: some ten kPa
PRESSURE_MARGIN = (3, 2)  # above the expected: labels and tables are good to about a third
REST_PA = 10_000  # between two shots, beside half the expected pressure
LEAST_RISE_MN = 90  # of the plunger's force that is told from noise: 6 counts of its converter
MAX_COIL_DC = 550  # tenths of °C: the coil is beside the hand
LEAST_SUPPLY_PCT = 85  # of the nominal supply: motors lose steps below, the rail is still up
LOW_PCT = 10  # of the fill: people are warned

HOST_SILENCE_MS = 500  # a host that says nothing for this long is gone
DEBOUNCE_MS = 20  # an operator's contact counts as made when it has held this long
TRIGGER_SPLIT_MS = 200  # the trigger's two contacts must agree again within this
NEEDLE_AWAY_MS = 100  # that the needle may be away from its rest while none strikes: it takes 25
RAIL_UP_MS = 100  # the rail must be sensed this soon after it is asked for
MOVE_LATE_MS = 150  # how much longer than planned a move may take until a look has seen its end
RAIL_HOLD_MS = 200  # how long the chip keeps asking for the rail when the program is gone

IDLE_MS = 180_000  # when nobody did anything for so long, an operator proves itself again
MAX_WAIT_S = 3_600  # between two wrong proofs, at most
LOCK_ALARMS = 3  # the same alarm so many times
LOCK_MS = 600_000  # within so long locks the device
