"""Alarms: code → priority. The sentence that goes with one names the cause and the way out.

Priorities are those of IEC 60601-1-8: high wants a response at once, medium soon, low attention.
"""

HIGH = "high"
MEDIUM = "medium"
LOW = "low"
_RISING = (LOW, MEDIUM, HIGH)

PRIORITY = {
    "guard_open": HIGH,
    "stop_pulled": HIGH,
    "cartridge_out": HIGH,
    "interlock": HIGH,
    "misfire": HIGH,
    "needle_stuck": HIGH,
    "steps_lost": HIGH,
    "occlusion": HIGH,
    "air": HIGH,
    "stalled": HIGH,
    "driver_fault": HIGH,
    "over_temperature": HIGH,
    "free_running": HIGH,
    "rail_on": HIGH,
    "rail_dead": MEDIUM,
    "trigger": MEDIUM,
    "home_stuck": MEDIUM,
    "home_missing": MEDIUM,
    "selftest": MEDIUM,
    "supply_low": MEDIUM,
    "sensor": MEDIUM,
    "restarted": MEDIUM,
    "syringe_empty": MEDIUM,
    "locked": HIGH,  # it takes the place of the alarm that came again and again
    "settings": MEDIUM,
    "syringe_low": LOW,
    "ledger": MEDIUM,
    "dose_in_doubt": MEDIUM,
    "host_lost": LOW,
    "idle": LOW,
}


def is_less(code: str, than: str) -> bool:
    """Whether an alarm has a lower priority than another."""
    return _RISING.index(PRIORITY[code]) < _RISING.index(PRIORITY[than])
