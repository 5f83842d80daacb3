"""Wires that break, and contacts of stop and guard that weld."""

import pytest

from mesodrive_rig.plant import (
    Contact,
    Injector,
    InputWire,
    ManualClock,
    OutputWire,
    PlantSpec,
    Sensor,
    WireFault,
)

MS = 1e6


class Pin:
    """A wire to an input pin that has a pull-down, and what the pin saw."""

    def __init__(self, level: int = 1):
        self.clock = ManualClock()
        self.seen: list[int] = []
        self.wire = InputWire(level, 0, self.clock, self._see)

    def _see(self, level: int, _now_ns: float) -> None:
        self.seen.append(level)

    def set(self, level: int) -> None:
        self.wire.set(level, self.clock.now_ns())
        self.clock.run_for_ms(10)


@pytest.mark.parametrize(
    ("fault", "level"), [(WireFault.OPEN, 0), (WireFault.HIGH, 1), (WireFault.LOW, 0)]
)
@pytest.mark.parametrize("before", [0, 1])
def test_a_broken_wire_reads_the_same_whatever_the_sensor_says(
    before: int, fault: WireFault, level: int
):
    pin = Pin(before)
    pin.wire.break_(fault)
    for source in (1, 0, 1, 0):
        pin.set(source)
        assert pin.wire.level == level
    assert pin.seen == [] if before == level else [level]


def test_a_stuck_wire_keeps_its_level_until_it_is_mended():
    pin = Pin(1)
    pin.wire.break_(WireFault.STUCK)
    pin.set(0)
    assert pin.seen == []
    pin.wire.mend()
    assert pin.seen == [0]


def test_a_bouncing_wire_chatters_after_each_change_and_comes_to_rest():
    pin = Pin(1)
    pin.wire.break_(WireFault.BOUNCING)
    pin.clock.run_for_ms(10)
    chatter = len(pin.seen)
    assert chatter > 4
    assert pin.seen[-1] == 1
    pin.set(0)
    assert len(pin.seen) > chatter + 4
    assert pin.seen[-1] == 0


def test_a_noisy_wire_has_spikes_and_says_the_rest_of_the_time_what_the_sensor_says():
    pin = Pin(1)
    pin.wire.break_(WireFault.NOISY, seed=3)
    low = 0
    for _ in range(1000):
        pin.clock.run_for_ms(0.1)
        low += 1 - pin.wire.level
    assert len(pin.seen) > 20
    assert low < 50
    pin.wire.mend()
    known = len(pin.seen)
    pin.clock.run_for_ms(100)
    assert len(pin.seen) == known


@pytest.mark.parametrize(
    ("fault", "end", "pad"),
    [
        (WireFault.OPEN, [1, 0], [True, False, True]),
        (WireFault.STUCK, [1], [True, False, True]),
        (WireFault.HIGH, [1], [True]),
        (WireFault.LOW, [1, 0], [True, False]),
    ],
)
def test_a_broken_output_reaches_neither_the_driver_nor_a_shorted_pad(
    fault: WireFault, end: list[int], pad: list[bool]
):
    clock = ManualClock()
    ends: list[int] = []
    pads: list[bool] = []
    wire = OutputWire(clock, lambda level, _: ends.append(level), pads.append)
    wire.drive(True)
    wire.break_(fault)
    wire.drive(False)
    wire.drive(True)
    assert ends == end
    assert pads == pad
    wire.mend()
    assert ends[-1] == 1
    assert pads[-1]


class Powered:
    """An injector whose board wants the rail."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.injector = Injector(PlantSpec(), self.clock, self._sensed)
        self.injector.on_enable(1, 0.0)
        self.clock.run_for_ms(5)

    def _sensed(self, sensor: Sensor, level: int, now_ns: float) -> None:
        pass

    def lines(self) -> tuple[int, int, int, bool]:
        """STOP, GUARD, INTERLOCK, and whether the rail is on."""
        self.clock.run_for_ms(5)
        levels = self.injector.levels()
        return (
            levels[Sensor.STOP],
            levels[Sensor.GUARD],
            levels[Sensor.INTERLOCK],
            self.injector.truth().rail_on,
        )


@pytest.mark.requirement("R3")
@pytest.mark.parametrize(
    ("contact", "switch", "left"),
    [
        (Contact.STOP_LINE, Sensor.STOP, (1, 1, 1, False)),
        (Contact.STOP_RAIL, Sensor.STOP, (0, 1, 0, True)),
        (Contact.GUARD_LINE, Sensor.GUARD, (1, 0, 1, False)),
        (Contact.GUARD_SENSE, Sensor.GUARD, (1, 1, 0, False)),
        (Contact.GUARD_RAIL, Sensor.GUARD, (1, 0, 0, True)),
    ],
)
def test_a_welded_pair_leaves_the_others_their_say(
    contact: Contact, switch: Sensor, left: tuple[int, int, int, bool]
):
    powered = Powered()
    powered.injector.weld(contact)
    assert powered.lines() == (1, 1, 1, True)
    powered.injector.hands.set(switch, False)
    assert powered.lines() == left


def test_a_burnt_pair_is_open_though_the_switch_is_closed():
    powered = Powered()
    powered.injector.burn(Contact.STOP_RAIL)
    assert powered.lines() == (1, 1, 1, False)
    powered.injector.burn(Contact.GUARD_LINE)
    assert powered.lines() == (1, 1, 0, False)


@pytest.mark.requirement("R3")
def test_a_shorted_rail_switch_leaves_the_rail_to_stop_and_guard():
    powered = Powered()
    powered.injector.short_rail_switch()
    powered.injector.on_enable(0, powered.clock.now_ns())
    assert powered.lines() == (1, 1, 1, True)
    powered.injector.hands.set(Sensor.GUARD, False)
    assert powered.lines() == (1, 0, 0, False)
