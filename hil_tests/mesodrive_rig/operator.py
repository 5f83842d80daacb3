"""A person at a rig with the host computer beside it: what most tests begin with."""

from collections.abc import Callable
from typing import Any

from mesodrive.access import Role
from mesodrive.device import Device, Plan
from mesodrive.telemetry import Shot, Shots
from mesodrive_rig.emulated.provision import KEYS
from mesodrive_rig.plant import AxisSpec, CartridgeSpec, PlantSpec, Sensor, SyringeSpec
from mesodrive_rig.rig import Rig

NL_PER_MM = 17_349  # a 1 mL syringe of 4.70 mm bore
NL_PER_STEP = NL_PER_MM / 3200

# The ideal plant with a full 1 mL syringe, a small cartridge, and both axes left near home: homing
# and priming are over soon.
NEAR_HOME = PlantSpec(
    plunger=AxisSpec(lead_mm=1.0, max_mm=62.0, initial_mm=0.3),
    depth=AxisSpec(lead_mm=0.5, max_mm=15.0, initial_mm=0.3),
    syringe=SyringeSpec.from_ul_per_mm(NL_PER_MM / 1000, fill_ul=1020.0),
    cartridge=CartridgeSpec(dead_volume_ul=2.0),
)
PRIME_UL = 3.0

_HANDS_AT_REST = {
    Sensor.TRIGGER: False,
    Sensor.CONTACT: False,
    Sensor.GUARD: True,
    Sensor.STOP: True,
    Sensor.CARTRIDGE: True,
}
_WATER_PA = 83_000  # that 100 µL/s of water take through the needle of NEAR_HOME
_SETTLE_MS = 100  # the device has seen a switch, though it tidied its memory meanwhile


def profile(**changes: object) -> dict[str, object]:
    """A series of 10 µL at 1 mm with the syringe of NEAR_HOME, but for `changes`; the pressure is
    what its needle takes at the flow, in water."""
    values: dict[str, object] = {
        "version": 2,
        "name": "test",
        "mode": "series",
        "shots": 40,
        "burst": 1,
        "depth_um": 1000,
        "dose_nl": 10_000,
        "flow_nl_s": 100_000,
        "settle_us": 15_000,
        "dwell_us": 160_000,
        "rest_us": 50_000,
        "period_us": 400_000,
        "soft_strikes": 0,
        "cartridge_um": 4000,
        "needles": 1,
        "syringe_nl_per_mm": NL_PER_MM,
        "fill_nl": 1_020_000,
        "pressure_pa": 0,
        "bears_pa": 300_000,
        "friction_mn": 2_000,
        "cartridge": "",
    }
    assert changes.keys() <= values.keys()
    values |= changes
    flow_nl_s = values["flow_nl_s"]
    if "pressure_pa" not in changes and values["dose_nl"] and isinstance(flow_nl_s, int):
        values["pressure_pa"] = _WATER_PA * flow_nl_s // 100_000
    return values


class Operator:
    """Connects and logs in at once, as `role` if any. `notes` are the notifications so far,
    `shots` the strikes they told."""

    def __init__(self, rig: Rig, role: Role | None = "operator"):
        self.rig = rig
        self.role: Role | None = role
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.shots: list[Shot] = []
        self.on_note: Callable[[str], None] | None = None  # called at each, with its method
        self.reconnect()

    def reconnect(self) -> None:
        """Open the port, again, and log in if the device has keys."""
        self.device = Device(self.rig.connect(), self._heard)
        if self.role and self.device.info.claimed:
            self.device.login(self.role, KEYS[self.role])

    def forgive(self) -> None:
        """As service: unlock the device and begin the count of its alarms anew."""
        self.device.login("service", KEYS["service"])
        self.device.unlock()
        if self.role and self.role != "service":
            self.device.login(self.role, KEYS[self.role])

    def told(self, method: str) -> list[dict[str, Any]]:
        """The params of the notifications called `method`: state, shots, status, alarm."""
        return [params for told, params in self.notes if told == method]

    def forget(self) -> None:
        """Let what was told so far be as if it had not been."""
        self.notes.clear()
        self.shots.clear()

    def state(self) -> str:
        return self.device.status().state

    def wait(self, ms: float) -> None:
        """Let time pass; the device hears that we are here."""
        self.device.client.pump(ms / 1000)

    def wait_until(self, condition: Callable[[], bool], within_ms: float) -> None:
        """Let time pass until `condition()`. Raises TimeoutError."""
        end_ms = self.rig.now_ms() + within_ms
        while not condition():
            if self.rig.now_ms() > end_ms:
                raise TimeoutError(f"it did not come true within {within_ms} ms")
            self.wait(1)

    def rest(self) -> None:
        """Hands off, everything closed, a latched fault acknowledged."""
        for sensor, is_true in _HANDS_AT_REST.items():
            self.rig.set(sensor, is_true)
        self.wait(_SETTLE_MS)
        status = self.device.status()
        if status.state == "FAULT":
            if status.alarm_times > 1 or (status.alarm and status.alarm.code == "locked"):
                self.forgive()
            self.device.acknowledge()

    def disarm(self) -> None:
        """Hands off, and nothing armed."""
        self.rest()
        if self.state() in ("ARMED", "DELIVERING", "PAUSED"):
            self.device.disarm()

    def make_ready(self, values: dict[str, object]) -> Plan:
        """From whatever state to READY with a freshly loaded profile, and its fill as it is."""
        self.disarm()
        plan = self.device.load(values | {"fill_nl": int(1000 * self.rig.truth().left_ul)})
        self.device.home()
        return plan

    def touch(self, is_true: bool = True) -> None:
        """Hold the device to the skin, or lift it, and wait until that counts."""
        self.rig.set(Sensor.CONTACT, is_true)
        self.wait(_SETTLE_MS)

    def press(self) -> None:
        """Press the trigger, released before."""
        self.rig.set(Sensor.TRIGGER, False)
        self.wait(_SETTLE_MS)
        self.rig.set(Sensor.TRIGGER, True)

    def shoot(self, shots: int, within_ms: float = 2000) -> list[Shot]:
        """Press and hold until `shots` strikes are told; then release. Returns those told."""
        known = len(self.shots)
        self.press()
        self.wait_until(lambda: len(self.shots) >= known + shots, within_ms * shots)
        self.rig.set(Sensor.TRIGGER, False)
        self.wait(_SETTLE_MS)
        return self.shots[known:]

    def _heard(self, method: str, params: dict[str, Any]) -> None:
        self.notes.append((method, params))
        if method == "shots":
            self.shots += Shots.of(params).rows
        if self.on_note:
            self.on_note(method)
