"""The shipping application with a person's hands on it, watched at its pins."""

from mesodrive_rig.bench.motion.part import Progress
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, Operator, profile
from mesodrive_rig.plant import Output, Sensor

# The shallowest needle has the shortest way, so it follows the highest rate.
DRY = profile(
    mode="dry",
    dose_nl=0,
    shots=100_000,
    depth_um=250,
    settle_us=0,
    dwell_us=100,
    rest_us=200,
    period_us=4_000,
)


class AppBench:
    """A rig of its own, its operator, and a log of the edges that move something."""

    def __init__(self, progress: Progress):
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self.progress = progress

    def begin(self, values: dict[str, object]) -> None:
        """Armed with a fresh profile, on the skin, trigger pulled."""
        self.operator.make_ready(values)
        self.operator.device.arm()
        self.operator.touch()
        self.operator.forget()
        self.edges.clear()
        self.operator.press()

    def go_on(self) -> None:
        """After a stop: whatever a person has to do until the next strike has begun."""
        self.operator.rest()
        if self.operator.state() == "SAFE":
            self.operator.device.home()
        if self.operator.state() == "READY":
            self.operator.device.arm()
        self.operator.touch()
        self.edges.clear()
        self.operator.press()
        self.operator.wait_until(lambda: bool(self.starts_us()), 3000)

    def let_go(self) -> None:
        self.rig.set(Sensor.TRIGGER, False)
        self.operator.wait(200)

    def starts_us(self) -> list[float]:
        return [ms * 1000 for ms in self.edges.rises(Output.STRIKE)]
