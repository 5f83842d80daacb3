"""Named mechanics: which driver turns which motor on which screw, and what that can follow.

Whole numbers; torque in µN·m.
"""

from injector.motion import Limits

# A stepper is used up to two thirds of its pull-out torque, so that friction which grows with age,
# or a motor at the weak end of its series, loses no step.
_RESERVE_PCT = 150

_NS_PER_S = 1_000_000_000


class Driver:
    """A step/dir driver: how STEP must look, and how long DIR must stand before it."""

    def __init__(self, name: str, microsteps: int, high_ns: int, low_ns: int, setup_ns: int):
        self.name = name
        self.microsteps = microsteps
        self.high_ns = high_ns
        self.low_ns = low_ns
        self.setup_ns = setup_ns

    @property
    def steps_s_limit(self) -> int:
        return _NS_PER_S // (self.high_ns + self.low_ns)


class Motor:
    """A stepper motor; `pull_out` is its curve as points (full steps/s, µN·m) from 0 on."""

    def __init__(self, name: str, full_steps: int, inertia_g_mm2: int, pull_out: tuple):
        speeds = [speed for speed, _ in pull_out]
        torques = [torque for _, torque in pull_out]
        if speeds[0] != 0 or sorted(set(speeds)) != speeds:
            raise ValueError("The pull-out curve of %s begins at 0 and goes on to faster." % name)
        if sorted(torques, reverse=True) != torques:
            raise ValueError("The pull-out torque of %s never grows with speed." % name)
        self.name = name
        self.full_steps = full_steps
        self.inertia_g_mm2 = inertia_g_mm2
        self.pull_out = pull_out


class LeadScrew:
    """A screw and its nut."""

    def __init__(self, name: str, lead_um: int, backlash_um: int, efficiency_pct: int):
        self.name = name
        self.lead_um = lead_um
        self.backlash_um = backlash_um
        self.efficiency_pct = efficiency_pct


class Mechanics:
    """One axis: `load_mn` is what the nut pushes against, speed and so on are asked of the nut.

    Raises ValueError unless a millimetre is a whole number of steps.
    """

    def __init__(
        self,
        name: str,
        screw: LeadScrew,
        motor: Motor,
        driver: Driver,
        travel_um: int,
        load_mn: int,
        speed_um_s: int,
        accel_um_s2: int,
        jerk_um_s3: int,
    ):
        steps_per_m = 1_000_000 * motor.full_steps * driver.microsteps
        if steps_per_m % (1000 * screw.lead_um):
            raise ValueError(
                "The %s axis makes no whole number of steps a mm; choose another lead or other "
                "microsteps." % name
            )
        self.name = name
        self.screw = screw
        self.motor = motor
        self.driver = driver
        self.travel_um = travel_um
        self.load_mn = load_mn
        self.speed_um_s = speed_um_s
        self.accel_um_s2 = accel_um_s2
        self.steps_per_mm = steps_per_m // (1000 * screw.lead_um)
        self.limits = Limits(
            self._steps(speed_um_s), self._steps(accel_um_s2), self._steps(jerk_um_s3)
        )

    def _steps(self, um):
        return um * self.steps_per_mm // 1000

    def torque_unm(self, um_s: int) -> int:
        """The pull-out torque at a speed, linear between the points, 0 beyond the last."""
        # Speeds as full steps/s × lead, so that nothing is rounded before the end.
        speed = um_s * self.motor.full_steps
        lead = self.screw.lead_um
        slow, strong = self.motor.pull_out[0]
        for fast, weak in self.motor.pull_out[1:]:
            if speed <= fast * lead:
                return weak + (strong - weak) * (fast * lead - speed) // ((fast - slow) * lead)
            slow, strong = fast, weak
        return 0

    @property
    def needed_unm(self) -> int:
        """Load × lead ÷ (2π × efficiency) + rotor inertia × angular acceleration, rounded up.

        The screw's own inertia is small beside the rotor's and within the reserve.
        """
        # 2π = 710 / 113 to 8 digits; 1 mN × 1 µm = 1 nN·m; 1 g·mm² = 10⁻⁹ kg·m²
        lead = self.screw.lead_um
        push = -(-self.load_mn * lead * 113 * 100 // (710 * self.screw.efficiency_pct * 1000))
        turn = -(-self.motor.inertia_g_mm2 * self.accel_um_s2 * 710 // (113 * lead * 1000))
        return push + turn

    @property
    def um_s_limit(self) -> int:
        """The highest speed at which pull-out leaves the needed torque with its reserve, or 0."""
        too_fast = self.motor.pull_out[-1][0] * self.screw.lead_um // self.motor.full_steps + 1
        slow = -1
        while too_fast - slow > 1:
            middle = (too_fast + slow) // 2
            if 100 * self.torque_unm(middle) >= _RESERVE_PCT * self.needed_unm:
                slow = middle
            else:
                too_fast = middle
        return max(0, slow)

    def check(self) -> None:
        """Raise ValueError, with the limit, unless motor and driver can follow the own speed."""
        if self.speed_um_s > self.um_s_limit:
            raise ValueError(
                "The %s axis is to run at %d um/s but its motor has torque enough up to %d um/s; "
                "choose a lower speed, acceleration or load."
                % (self.name, self.speed_um_s, self.um_s_limit)
            )
        if self.limits.speed_steps_s > self.driver.steps_s_limit:
            raise ValueError(
                "The %s axis is to make %d steps/s but its driver takes at most %d; choose a "
                "lower speed or fewer microsteps."
                % (self.name, self.limits.speed_steps_s, self.driver.steps_s_limit)
            )
