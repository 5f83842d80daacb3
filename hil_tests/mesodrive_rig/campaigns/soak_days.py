"""What happens in the days of a soak: sessions in every mode, pauses, faults, hosts that come and
go, and nights; with a wrap of the clock in the midst of whatever is going on.
"""

from collections.abc import Callable

from mesodrive_rig.campaigns.soak_bench import LOW, MS_PER_DAY, SMALL_MS, WORD, Bench, Wrap
from mesodrive_rig.operator import profile
from mesodrive_rig.plant import Sensor

_HOUR_MS = 3_600_000
_CALM_MS = 660_000  # an alarm counts for ten minutes
_OPENS_AT = 8 * _HOUR_MS

# 2 µL in some 25 ms; the shallowest needle is home soonest
_QUICK = profile(
    depth_um=250,
    dose_nl=2_000,
    settle_us=5_000,
    dwell_us=40_000,
    rest_us=1_000,
    period_us=80_000,
)
MODES: dict[str, dict[str, object]] = {
    "single": _QUICK | {"mode": "single", "shots": 2},
    "burst": _QUICK | {"mode": "burst", "shots": 6, "burst": 3},
    "series": _QUICK | {"mode": "series", "shots": 8},
    "drip": _QUICK
    | {
        "mode": "drip",
        "shots": 1,
        "flow_nl_s": 6_000,
        "pressure_pa": 5_000,
        "dwell_us": 380_000,
        "period_us": 400_000,
    },
    "dry": _QUICK | {"mode": "dry", "shots": 12, "dose_nl": 0, "dwell_us": 1_000},
    "stamp": _QUICK | {"mode": "stamp", "shots": 2},
}
_PAUSED_IN = ("burst", "series", "dry")
_LONG = MODES["series"] | {"shots": 16}  # 1.2 s of strikes: a wrap comes in their midst

_ALARMS = {
    Sensor.GUARD: "guard_open",
    Sensor.STOP: "stop_pulled",
    Sensor.CARTRIDGE: "cartridge_out",
}


def safe(bench: Bench, wrap: Wrap) -> None:
    bench.person.device.load(_QUICK)
    bench.approach(wrap, before_ms=60)
    bench.person.wait(100)


def homing(bench: Bench, wrap: Wrap) -> None:
    bench.person.device.load(_QUICK | {"fill_nl": int(1000 * bench.rig.truth().left_ul)})
    bench.approach(wrap, before_ms=bench.random.randint(100, 1_500))
    bench.person.device.home()


def ready(bench: Bench, wrap: Wrap) -> None:
    bench.make_ready(_QUICK)
    bench.approach(wrap, before_ms=60)
    bench.person.wait(100)


def armed(bench: Bench, wrap: Wrap) -> None:
    bench.make_ready(_QUICK)
    bench.approach(wrap, before_ms=200)
    bench.person.device.arm()
    bench.person.wait(400)
    bench.person.device.disarm()


def delivering(bench: Bench, wrap: Wrap) -> None:
    bench.make_ready(_LONG)
    bench.approach(wrap, before_ms=bench.random.randint(300, 1_300))
    bench.treat()
    bench.account.modes["series"] += 1


def paused(bench: Bench, wrap: Wrap) -> None:
    bench.make_ready(MODES["series"])
    bench.approach(wrap, before_ms=700)
    bench.treat(pause=lambda: bench.person.wait(900))
    bench.account.modes["series"] += 1


def faulted(bench: Bench, wrap: Wrap) -> None:
    open_while_armed(bench, Sensor.GUARD)
    bench.approach(wrap, before_ms=60)
    bench.person.wait(100)
    bench.person.rest()


STATES: dict[str, Callable[[Bench, Wrap], None]] = {
    "SAFE": safe,
    "HOMING": homing,
    "READY": ready,
    "ARMED": armed,
    "DELIVERING": delivering,
    "PAUSED": paused,
    "FAULT": faulted,
}


def session(bench: Bench, mode: str) -> None:
    """One treatment from the first word to the last strike."""
    bench.make_ready(MODES[mode])
    pause = (lambda: bench.person.wait(200)) if mode in _PAUSED_IN else None
    bench.treat(pause=pause)
    bench.account.modes[mode] += 1


def open_while_armed(bench: Bench, sensor: Sensor) -> None:
    """A fault, latched."""
    bench.make_ready(_QUICK)
    bench.person.device.arm()
    bench.rig.set(sensor, False)
    bench.person.wait(50)
    bench.account.caused[_ALARMS[sensor]] += 1


def lose_the_host(bench: Bench) -> None:
    """The program on the computer ends while the device is armed, and is started again."""
    bench.make_ready(_QUICK)
    bench.person.device.arm()
    bench.vanish()
    bench.reconnect()
    bench.account.caused["host_lost"] += 1
    bench.read_alarm("host_lost")


def at_a_wrap(bench: Bench, state: str, wrap: Wrap) -> None:
    """Have `wrap` come while the device is in `state`."""
    bench.come_before(wrap)
    STATES[state](bench, wrap)
    bench.check_clock()


def calm_down(bench: Bench) -> None:
    """The host goes and comes again when no alarm counts as one of the last minutes any more: the
    device keeps each as long, which is memory in use and not lost."""
    bench.close()
    bench.idle_until(bench.rig.now_ms() + _CALM_MS)
    bench.reconnect()


def day(bench: Bench, number: int) -> None:
    """A day at the clinic and the night after it, from when the device was left the day before."""
    names, modes, faults = [*STATES], [*MODES], [*_ALARMS]
    bench.idle_until(MS_PER_DAY * number + _OPENS_AT)
    bench.reconnect()
    bench.check_clock()
    for wrap, state in ((WORD, names[number % 7]), (LOW, names[(number + 3) % 7])):
        bench.tell(f"day {number + 1}: {state} at a wrap")
        at_a_wrap(bench, state, wrap)
    mode = modes[number % len(modes)]
    bench.tell(f"day {number + 1}: {mode}")
    session(bench, mode)
    calm_down(bench)
    bench.weigh(_QUICK)
    if number % 2:
        lose_the_host(bench)
    else:
        open_while_armed(bench, faults[number // 2 % len(faults)])
    bench.check_clock()
    bench.close()
    bench.tell(f"day {number + 1}: night")
    bench.idle_until(MS_PER_DAY * (number + 1))


def leave_on_for_12_days(bench: Bench) -> None:
    """Until an hour before ms outgrow a small int; then a host comes."""
    bench.close()
    bench.rig.leap(SMALL_MS.us / 1000 - bench.rig.now_ms() - _HOUR_MS)
    bench.account.leaps += 1
    bench.reconnect()
    bench.check_clock()


def at_the_12_day_wrap(bench: Bench, state: str) -> None:
    """A device that was left on until its ms outgrow a small int while in `state`; and after."""
    session(bench, "series")
    bench.weigh(_QUICK)
    leave_on_for_12_days(bench)
    at_a_wrap(bench, state, SMALL_MS)
    for mode in ("burst", "single"):  # in the first all that keeps a time comes to keep a long one
        session(bench, mode)
        bench.weigh(_QUICK)
    bench.check_clock()


def in_12_days(bench: Bench) -> None:
    """The shortest story that has it all: a wrap in mid-series, then another mode."""
    leave_on_for_12_days(bench)
    at_a_wrap(bench, "DELIVERING", SMALL_MS)
    bench.weigh(_QUICK)
    session(bench, "single")
    bench.weigh(_QUICK)
    bench.check_clock()


def in_turns(bench: Bench, sessions: int) -> None:
    """Treatments one after another, each in another mode than the one before."""
    for number in range(sessions):
        mode = [*MODES][number % len(MODES)]
        bench.tell(f"session {number + 1}: {mode}")
        session(bench, mode)
        bench.weigh(_QUICK)
