"""The virtual injector: pin edges in, sensor levels and the truth out."""

from functools import partial

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant import analog
from mesodrive_rig.plant.axis import Axis
from mesodrive_rig.plant.clock import NS_PER_MS, Clock
from mesodrive_rig.plant.fluid import FluidPath
from mesodrive_rig.plant.hands import AT_REST, Hands, line_level
from mesodrive_rig.plant.heat import Coil
from mesodrive_rig.plant.interlock import Contact, Interlock
from mesodrive_rig.plant.lines import Analog, EdgeCounter, Output, Sensor, SensorLine, SensorSink
from mesodrive_rig.plant.skin import Skin
from mesodrive_rig.plant.spec import PlantSpec
from mesodrive_rig.plant.strike import NeedleEvent, StrikeActuator
from mesodrive_rig.plant.strike_log import StrikeLog
from mesodrive_rig.plant.supply import Supply, Veto
from mesodrive_rig.plant.syringe import Syringe
from mesodrive_rig.plant.truth import Truth

_SWITCHES = (Sensor.GUARD, Sensor.STOP)  # of the interlock
_LINE_OF_EVENT = {
    NeedleEvent.LEFT_BACK: (Sensor.NEEDLE_BACK, 0),
    NeedleEvent.REACHED_BACK: (Sensor.NEEDLE_BACK, 1),
    NeedleEvent.LEFT_STOP: (Sensor.NEEDLE_OUT, 0),
    NeedleEvent.REACHED_STOP: (Sensor.NEEDLE_OUT, 1),
}


class Injector:
    """All parts of one injector, and the wires between them.

    Feed it each edge of the board's outputs through the `on_…` handlers, in order of time, with
    the emulated time in ns; all outputs start low. It calls `sink(sensor, level, time_ns)` at each
    change of a sensor; `levels()` has the levels to start from. `hands` moves the switches.
    """

    def __init__(self, spec: PlantSpec, clock: Clock, sink: SensorSink):
        self._clock = clock
        self._sink = sink
        self._strike_spec = spec.strike
        self._plunger = Axis(spec.plunger, partial(self._home_changed, Sensor.PLUNGER_HOME))
        self._depth = Axis(spec.depth, partial(self._home_changed, Sensor.DEPTH_HOME))
        self.faults: dict[Analog, analog.Fault] = {}  # of the analog sensors
        self._supply_spec = spec.supply
        self._supply_v = spec.supply.volts
        self._coil = Coil(spec.heat)
        self._strike_level = 0
        self._peak_level = 0
        self._plunger_dir = 0
        self._depth_dir = 0
        self._edges = {output: EdgeCounter() for output in Output}
        self._plunger_edges = self._edges[Output.PLUNGER_STEP]
        self._depth_edges = self._edges[Output.DEPTH_STEP]
        self._syringe = Syringe(spec.syringe)
        self._path = FluidPath(spec.cartridge, spec.skin.back_pressure_kpa)
        self._skin = Skin(spec.skin)
        self._cartridge_fitted = AT_REST[Sensor.CARTRIDGE]
        self._log = StrikeLog(self._path, spec.skin)
        self._strike = StrikeActuator(
            spec.strike,
            clock,
            stop_mm=spec.strike.stop_mm(spec.depth.initial_mm),
            surface_mm=self._surface_mm(),
            on_event=self._needle_event,
        )
        self._interlock = Interlock(self._interlock_changed, self._contact_changed)
        self._loop_levels = {Sensor.GUARD: 1, Sensor.STOP: 1}  # what their contacts say
        self._lines = self._make_lines()
        self.hands = Hands(clock, self._lines, self._hand_moved)
        self._supply = Supply(spec.supply, clock, self._rail_changed)
        for veto in (Veto.GUARD, Veto.STOP, Veto.PRESENT):
            self._supply.set(veto, True, clock.now_ns())

    def _make_lines(self) -> dict[Sensor, SensorLine]:
        levels = {
            Sensor.PLUNGER_HOME: int(not self._plunger.at_home),
            Sensor.DEPTH_HOME: int(not self._depth.at_home),
            Sensor.NEEDLE_OUT: 0,
            Sensor.NEEDLE_BACK: 1,
            Sensor.INTERLOCK: 1,
            Sensor.RAIL: 0,
            Sensor.TRIGGER_2: 0,
            Sensor.DRIVER_OK: 1,
            **{sensor: line_level(sensor, is_true) for sensor, is_true in AT_REST.items()},
        }
        return {
            sensor: SensorLine(sensor, level, self._clock, self._line_changed)
            for sensor, level in levels.items()
        }

    # what the board drives

    def on_plunger_step(self, level: int, now_ns: float) -> None:
        self._plunger_edges.record(level, now_ns)
        if level and self._plunger.step(self._plunger_dir, now_ns):
            if not self._plunger_dir:
                self._give_way(now_ns)
            volume_ul = self._syringe.follow(self._plunger.position_mm)
            if volume_ul:
                if now_ns >= self._strike.next_event_ns:
                    self._strike.catch_up(now_ns)
                self._path.push(volume_ul, now_ns)

    def on_plunger_dir(self, level: int, now_ns: float) -> None:
        self._edges[Output.PLUNGER_DIR].record(level, now_ns)
        self._plunger_dir = level

    def on_depth_step(self, level: int, now_ns: float) -> None:
        self._depth_edges.record(level, now_ns)
        if level and self._depth.step(self._depth_dir, now_ns):
            stop_mm = self._strike_spec.stop_mm(self._depth.position_mm)
            self._strike.set_stop(stop_mm, now_ns)

    def on_depth_dir(self, level: int, now_ns: float) -> None:
        self._edges[Output.DEPTH_DIR].record(level, now_ns)
        self._depth_dir = level

    def on_strike(self, level: int, now_ns: float) -> None:
        self._edges[Output.STRIKE].record(level, now_ns)
        self._strike_level = level
        self._strike.set_strike(bool(level), now_ns)
        self._heat(now_ns)

    def on_strike_peak(self, level: int, now_ns: float) -> None:
        self._edges[Output.STRIKE_PEAK].record(level, now_ns)
        self._peak_level = level
        self._strike.set_peak(bool(level), now_ns)
        self._heat(now_ns)

    def on_enable(self, level: int, now_ns: float) -> None:
        self._edges[Output.ENABLE].record(level, now_ns)
        self._supply.set(Veto.ENABLE, bool(level), now_ns)

    def on_signal(self, output: Output, level: int, now_ns: float) -> None:
        """A light or the buzzer: for people, so only noted."""
        self._edges[output].record(level, now_ns)

    # what happens to it from outside

    def set_supply_present(self, present: bool) -> None:
        """Plug the motor supply in or pull it out."""
        self.set_supply_v(self._supply_spec.volts if present else 0.0)

    def set_supply_v(self, volts: float) -> None:
        """Let the motor supply give `volts`, with all that hangs on it."""
        self._supply_v = volts
        present = volts >= self._supply_spec.least_v
        self._supply.set(Veto.PRESENT, present, self._clock.now_ns())

    def set_coil_c(self, celsius: float) -> None:
        """Make the strike coil so warm, whatever the reason; it cools from there."""
        self._coil.heat_to(celsius, self._clock.now_ns())

    def set_blocked(self, blocked: bool) -> None:
        """While blocked, nothing comes out of the needles."""
        self._path.set_blocked(blocked, self._clock.now_ns())

    def take_syringe_out(self) -> None:
        """From now on the pusher meets nothing: no syringe, or an empty one drawn back."""
        self._syringe.take_out()

    def end_syringe(self) -> None:
        """The plunger has come to the bottom of the barrel, sooner than anybody thought."""
        self._syringe.come_to_its_end()

    def set_driver_error(self, error: bool) -> None:
        """A motor driver reports an error, or no more."""
        self._lines[Sensor.DRIVER_OK].set(int(not error), self._clock.now_ns())

    def set_stalled(self, step: Output, stalled: bool) -> None:
        """While stalled, the motor of the axis with this STEP line does not follow its steps."""
        axis = self._plunger if step is Output.PLUNGER_STEP else self._depth
        axis.stalled = stalled

    def weld(self, contact: Contact) -> None:
        """Weld a pair of contacts of stop or guard: it is closed for good."""
        self._interlock.weld(contact, self._clock.now_ns())

    def burn(self, contact: Contact) -> None:
        """Burn a pair of contacts of stop or guard: it is open for good."""
        self._interlock.burn(contact, self._clock.now_ns())

    def short_rail_switch(self) -> None:
        """Short Q1, the rail's transistor: ENABLE has no say any more."""
        self._supply.short_switch(self._clock.now_ns())

    def press(self, pressing_mm: float) -> None:
        """Press the nozzle `pressing_mm` into the skin: each strike then goes deeper by that.

        Raises MesodriveError when that would press the skin onto the resting needle.
        """
        if not 0 <= pressing_mm < self._strike_spec.clearance_mm:
            raise MesodriveError(
                f"The skin cannot be pressed {pressing_mm} mm into the nozzle; "
                f"press from 0 to less than {self._strike_spec.clearance_mm} mm."
            )
        self._skin.pressing_mm = pressing_mm
        self._strike.set_surface(self._surface_mm(), self._clock.now_ns())

    def set_misfiring(self, misfiring: bool) -> None:
        """While misfiring, the needle does not leave home."""
        self._strike.set_misfiring(misfiring, self._clock.now_ns())

    def set_sticking(self, sticking: bool) -> None:
        """While sticking, a needle that is let go does not return."""
        self._strike.set_sticking(sticking, self._clock.now_ns())

    # what can be seen

    def levels(self) -> dict[Sensor, int]:
        """Return the present level of every sensor pin."""
        return {sensor: line.level for sensor, line in self._lines.items()} | self._loop_levels

    def count(self, sensor: Analog) -> int:
        """What the converter would make of the pin now, 0 to 4095."""
        now_ns = self._clock.now_ns()
        match sensor:
            case Analog.COIL_TEMP:
                count = analog.coil_count(self._coil.celsius(now_ns))
            case Analog.SUPPLY:
                count = analog.supply_count(self._supply_now_v())
            case Analog.FORCE:
                count = analog.force_count(self.force_n())
        fault = self.faults.get(sensor)
        return fault(count, now_ns) if fault else count

    def force_n(self) -> float:
        """What the pusher presses on the plunger, now."""
        pressure_kpa = self._path.pressure_at(self._clock.now_ns())
        return self._syringe.force_n(self._plunger.position_mm, pressure_kpa)

    def truth(self) -> Truth:
        """Return the whole account, now."""
        now_ns = self._clock.now_ns()
        travel_mm = self._strike.x_mm(now_ns)
        max_depth_mm = self._strike.max_depth_until(now_ns)
        self._path.settle(now_ns)
        return Truth(
            time_ms=now_ns / NS_PER_MS,
            pushed_ul=self._syringe.pushed_ul,
            skin_ul=self._path.skin_ul,
            lost_ul=self._path.lost_ul,
            line_ul=self._path.line_ul,
            left_ul=self._syringe.left_ul,
            pressure_kpa=self._path.pressure_kpa,
            strikes=self._log.strikes(max_depth_mm),
            needle=self._strike.state,
            needle_travel_mm=travel_mm,
            rail_on=self._supply.on,
            plunger_axis_mm=self._plunger.position_mm,
            plunger_lost_steps=self._plunger.lost_steps,
            depth_axis_mm=self._depth.position_mm,
            depth_lost_steps=self._depth.lost_steps,
            outputs={output: edges.truth() for output, edges in self._edges.items()},
        )

    # the wires within

    def _give_way(self, now_ns: float) -> None:
        """The pusher is drawn back: the liquid presses the plunger after it."""
        pressure_kpa = self._path.pressure_at(now_ns)
        most_ul = self._syringe.give_way(self._plunger.position_mm, pressure_kpa)
        volume_ul = min(most_ul, self._path.most_back_ul(self._syringe.friction_kpa))
        if volume_ul:
            self._syringe.pressed_back(volume_ul)
            self._path.push(-volume_ul, now_ns)

    def _heat(self, now_ns: float) -> None:
        driven = bool(self._supply.on and self._strike_level)
        self._coil.set_current(driven, bool(self._peak_level), now_ns)

    def _supply_now_v(self) -> float:
        drawn = self._supply.on and self._strike_level and self._peak_level
        return max(0.0, self._supply_v - (self._supply_spec.sag_v if drawn else 0.0))

    def _home_changed(self, sensor: Sensor, at_home: bool, now_ns: float) -> None:
        self._lines[sensor].set(int(not at_home), now_ns)

    def _line_changed(self, sensor: Sensor, level: int, now_ns: float) -> None:
        if sensor in _SWITCHES:
            self._interlock.move(sensor, bool(level), now_ns)
        else:
            self._sink(sensor, level, now_ns)

    def _interlock_changed(self, sensor: Sensor, level: int, now_ns: float) -> None:
        if sensor is Sensor.INTERLOCK:
            self._lines[sensor].set(level, now_ns)
        elif level != self._loop_levels[sensor]:
            self._loop_levels[sensor] = level
            self._sink(sensor, level, now_ns)

    def _contact_changed(self, veto: Veto, closed: bool, now_ns: float) -> None:
        self._supply.set(veto, closed, now_ns)

    def _rail_changed(self, on: bool, now_ns: float) -> None:
        self._plunger.powered = on
        self._depth.powered = on
        self._strike.set_powered(on, now_ns)
        self._heat(now_ns)
        self._lines[Sensor.RAIL].set(int(on), now_ns)

    def _hand_moved(self, sensor: Sensor, is_true: bool, now_ns: float) -> None:
        if sensor is Sensor.CONTACT:
            self._skin.contact = is_true
        elif sensor is Sensor.CARTRIDGE:
            self._cartridge_fitted = is_true
        else:
            return
        self._strike.set_surface(self._surface_mm(), now_ns)

    def _surface_mm(self) -> float:
        return self._skin.surface_mm(self._strike_spec.clearance_mm, self._cartridge_fitted)

    def _needle_event(self, event: NeedleEvent, time_ns: float) -> None:
        if event in _LINE_OF_EVENT:
            sensor, level = _LINE_OF_EVENT[event]
            self._lines[sensor].set(level, time_ns, self._strike_spec.bounce_ms if level else ())
        elif event is not NeedleEvent.RELEASED:
            self._path.set_in_skin(event is NeedleEvent.ENTERED_SKIN, time_ns)
        self._log.note(event, time_ns, self._strike.max_depth_mm)
