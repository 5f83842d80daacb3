"""The reference machine's mechanics and sensors. Another motor, screw, syringe holder or sensor:
change it here.

Speeds, accelerations and loads are checked against the motor's pull-out torque by
`Mechanics.check`.
"""

from injector.mechanics import Driver, LeadScrew, Mechanics, Motor
from injector.sensors import Linear, Thermistor
from injector.strike import Actuator

# TMC2209 datasheet, STEP/DIR timing with the input filter: STEP high and low at least 100 ns each,
# DIR 20 ns before STEP.
_DRIVER = Driver("TMC2209", microsteps=16, high_ns=100, low_ns=100, setup_ns=20)

# A 28 mm (NEMA 11) motor 45 mm long. Holding torque 95 mN·m and 0.67 A a phase are data sheet
# figures of SY28STH45-0674A. Inertia and pull-out points are our estimate for the size at 24 V,
# set below what the holding torque lets expect; nobody has measured them. At 12 V the torque at
# speed is less: enter the curve of your motor at your supply.
_MOTOR = Motor(
    "NEMA 11, 45 mm, 0.67 A, 24 V",
    full_steps=200,
    inertia_g_mm2=1_200,
    pull_out=((0, 75_000), (1_200, 70_000), (2_400, 60_000), (4_800, 30_000)),
)

# Efficiency: a plain nut on a 5 mm screw (4.5 mm pitch diameter) at a friction of 0.15, by the
# square-thread formula. Backlash: what the nut is chosen for.
_PLUNGER_SCREW = LeadScrew("1 mm lead", lead_um=1_000, backlash_um=20, efficiency_pct=30)
_DEPTH_SCREW = LeadScrew("0.5 mm lead", lead_um=500, backlash_um=20, efficiency_pct=19)

PLUNGER = Mechanics(
    "plunger",
    _PLUNGER_SCREW,
    _MOTOR,
    _DRIVER,
    travel_um=62_000,
    load_mn=40_000,
    speed_um_s=12_000,
    accel_um_s2=2_000_000,
    jerk_um_s3=200_000_000,
)
DEPTH = Mechanics(
    "depth",
    _DEPTH_SCREW,
    _MOTOR,
    _DRIVER,
    travel_um=15_000,
    load_mn=10_000,
    speed_um_s=3_000,
    accel_um_s2=100_000,
    jerk_um_s3=5_000_000,
)
ACTUATOR = Actuator(
    "moving coil", clearance_um=1_000, coil_m_s2=1_000, spring_m_s2=800, pull_in_us=300
)

PLUNGER_EMPTY_UM = 60_000  # pusher position at which the syringe is empty
DEPTH_SURFACE_UM = 1_000  # axis position at which a struck needle just reaches the skin
HOME_BACK_OFF_UM = 200  # away from a home switch before the slow approach
HOME_SLOW_UM_S = 500

# 10 kΩ at 25 °C, B = 3950 K, with 10 kΩ to 3V3: count = 4096 R ÷ (R + 10 kΩ). Beyond −20 and
# 120 °C it is the wire.
COIL_SENSOR = Thermistor(
    (
        (3741, -200),
        (3496, -100),
        (3157, 0),
        (2739, 100),
        (2278, 200),
        (2048, 250),
        (1825, 300),
        (1614, 350),
        (1419, 400),
        (1241, 450),
        (1082, 500),
        (940, 550),
        (816, 600),
        (707, 650),
        (613, 700),
        (462, 800),
        (350, 900),
        (267, 1_000),
        (160, 1_200),
    )
)
# 91 kΩ over 10 kΩ: 10.1 V of supply are 1 V at the pin. 0 V is a supply that is not plugged in.
SUPPLY_SENSOR = Linear(zero=0, span=4096, full=33_330, least=0, most=3_900)  # mV
# A load cell of 50 N whose amplifier gives 0.33 V at rest and 2.97 V at 50 N, so that a broken
# wire (0 V by the pull-down) and a short to 3V3 are not forces.
FORCE_SENSOR = Linear(zero=410, span=3_276, full=50_000, least=205, most=3_900)  # mN

SUPPLY_MV = 24_000  # of the motors
