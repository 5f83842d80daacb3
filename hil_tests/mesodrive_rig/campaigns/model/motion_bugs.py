"""Bugs in what may move, when, and on whose behalf."""

from mesodrive_rig.campaigns.seeded import Bug

_CONTROLLER = "injector.controller:Controller."
_INPUTS = "injector.inputs:Inputs."

BUGS = {
    "a profile that is loaded homes": Bug(
        "something moves that nobody asked for",
        (
            "injector.commands:Commands.load",
            "self.write(self._journal.loaded, profile)",
            "self.write(self._journal.loaded, profile); self.home(None)",
        ),
    ),
    "a pull needs no arming": Bug(
        "a strike begins though the device is not armed",
        (f"{_CONTROLLER}step", "(ARMED, PAUSED)", "(READY, ARMED, PAUSED)"),
    ),
    "a strike begins though a hand has let go": Bug(
        "a strike begins without all that it needs",
        (
            "injector.delivery:Delivery.__init__",
            "inputs.mask(_MUST_HOLD)",
            'inputs.mask(("interlock", "rail", "driver_ok"))',
        ),
    ),
    "a press counts at once": Bug("was not held", (f"{_INPUTS}_held", ">= DEBOUNCE_MS", ">= 0")),
    "contact counts at once": Bug(
        "was not held",
        (
            f"{_INPUTS}touching",
            "self._held(self._contact_since)",
            "self._contact_since is not None",
        ),
    ),
    "a press need not be fresh": Bug(
        "without a fresh press", (f"{_INPUTS}pulled", "self._released and", "")
    ),
    "a bounce is a release": Bug(
        "without a fresh press",
        (f"{_INPUTS}poll", "self._held(self._open_since)", "self._open_since is not None"),
    ),
    "a stamp needs no lift": Bug(
        "a second stamp at one contact",
        (f"{_CONTROLLER}_begin_pull", "self._inputs.forget_touch()", "pass"),
    ),
    "a pull gives more than is left of the profile": Bug(
        "more strikes than the profile has",
        ("injector.delivery:Delivery.next_pull", "shots - self.done", "shots"),
    ),
    "a silent host does not stop": Bug(
        "something moves though no host says anything",
        (f"{_CONTROLLER}_check", "now - self.heard_ms > HOST_SILENCE_MS", "False"),
    ),
    "a closed port does not stop": Bug(
        "the rail is on though the port is closed",
        (
            f"{_CONTROLLER}_check",
            "self._port.link_lost or not self._port.line.connected()",
            "False",
        ),
    ),
    "a stop leaves the rail on": Bug(
        "the rail is on in", (f"{_CONTROLLER}go", "self._port.off()", "self._port.halt()")
    ),
    "a stop halts nothing": Bug(
        "something moves in",
        (f"{_CONTROLLER}stop", "self._port.halt()", "pass"),
        (f"{_CONTROLLER}go", "self._port.off()", "self._port.drop_rail()"),
    ),
    "flash is written during a dose": Bug(
        "flash is written while something moves",
        (f"{_CONTROLLER}_keep", "(HOMING, DELIVERING)", "(HOMING,)"),
    ),
    "memory is freed during a move": Bug(
        "memory is being freed while something moves",
        (f"{_CONTROLLER}_keep", "return\n", "return self._collect()\n"),
    ),
}
