"""What can be checked with everything off. Each check: (name, ok, what was found)."""

_LEAST_RAM = 64 * 1024
_PART = 1024
TESTED_RAM = 32 * 1024
MEMORY = ("memory pattern", "memory")  # where one has failed no acknowledgement helps
_IDLE = (
    "needle back",
    "needle not out",
    "outputs low",
    "interlock line",
    "motor drivers",
    "sensors",
    "memory pattern",  # of the next free KiB
)


def run(inputs, sensors, ram_free: int, holds: bool = True) -> "list[dict[str, object]]":
    """Check inputs, sensors and memory; the first two have just been polled, with the enable off;
    `holds` is what `memory_holds` said."""
    on = inputs.on
    broken = sensors.implausible
    return [
        check("rail off", not on("rail"), "the motor rail is on although it was not asked for"),
        check("needle back", on("needle_back"), "the needle is not seen at its rest"),
        check("needle not out", not on("needle_out"), "the needle is seen at its stop"),
        check("outputs low", not inputs.driven, "an output that moves something is high"),
        check("trigger released", not on("trigger"), "the trigger is pressed or shorted"),
        check(
            "interlock line",
            on("interlock") == (on("guard") and on("stop")),
            "the interlock line does not agree with guard and stop",
        ),
        check("motor drivers", on("driver_ok"), "a motor driver reports an error"),
        check("sensors", not broken, "the %s sensor says what cannot be" % broken),
        check("memory pattern", holds, "the memory does not keep what is written into it"),
        check("memory", ram_free >= _LEAST_RAM, "only %d bytes are free" % ram_free),
    ]


def memory_holds(size: int) -> bool:
    """Whether `size` bytes of free memory, a multiple of 1024, keep two patterns, each bit of
    them once 0 and once 1."""
    try:
        block = bytearray(size)
    except MemoryError:
        return False
    view = memoryview(block)
    for pattern in (0x55, 0xAA):
        part = bytes([pattern]) * _PART
        for at in range(0, size, _PART):
            view[at : at + _PART] = part
        for at in range(0, size, _PART):
            if view[at : at + _PART] != part:
                return False
    return True


def idle(inputs, sensors, powered: bool) -> "list[dict[str, object]]":
    """What must hold while nothing moves; `powered` says that the rail is asked for."""
    return [
        one
        for one in run(inputs, sensors, _LEAST_RAM, memory_holds(_PART))
        if one["name"] in _IDLE or (one["name"] == "rail off" and not powered)
    ]


def failures(checks) -> "list[str]":
    """One sentence for each check that failed."""
    return [
        "The self-test failed: %s; put it right, then acknowledge." % one["detail"]
        for one in checks
        if not one["ok"]
    ]


def check(name: str, ok: object, otherwise: str) -> "dict[str, object]":
    """One check, and what to tell unless it is `ok`."""
    return {"name": name, "ok": bool(ok), "detail": "" if ok else otherwise}
