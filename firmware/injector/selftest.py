"""What can be checked with everything off. Each check: (name, ok, what was found)."""

_LEAST_RAM = 64 * 1024
_IDLE = ("needle back", "needle not out", "interlock line", "motor drivers", "sensors")


def run(inputs, sensors, ram_free: int) -> "list[dict[str, object]]":
    """Check inputs, sensors and memory; both have just been polled, with the enable off."""
    on = inputs.on
    broken = sensors.implausible
    return [
        _check("rail off", not on("rail"), "the motor rail is on although it was not asked for"),
        _check("needle back", on("needle_back"), "the needle is not seen at its rest"),
        _check("needle not out", not on("needle_out"), "the needle is seen at its stop"),
        _check("trigger released", not on("trigger"), "the trigger is pressed or shorted"),
        _check(
            "interlock line",
            on("interlock") == (on("guard") and on("stop")),
            "the interlock line does not agree with guard and stop",
        ),
        _check("motor drivers", on("driver_ok"), "a motor driver reports an error"),
        _check("sensors", not broken, "the %s sensor says what cannot be" % broken),
        _check("memory", ram_free >= _LEAST_RAM, "only %d bytes are free" % ram_free),
    ]


def idle(inputs, sensors, powered: bool) -> "list[dict[str, object]]":
    """What must hold while nothing moves; `powered` says that the rail is asked for."""
    return [
        one
        for one in run(inputs, sensors, _LEAST_RAM)
        if one["name"] in _IDLE or (one["name"] == "rail off" and not powered)
    ]


def failures(checks) -> "list[str]":
    """One sentence for each check that failed."""
    return [
        "The self-test failed: %s; put it right and restart." % check["detail"]
        for check in checks
        if not check["ok"]
    ]


def _check(name, ok, otherwise):
    return {"name": name, "ok": bool(ok), "detail": "" if ok else otherwise}
