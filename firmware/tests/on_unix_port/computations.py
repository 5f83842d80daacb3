"""What both runtimes work out of the same vectors. Runs under CPython and under MicroPython.

Each function takes one vector and returns something that JSON can carry.
"""

import drives
from stand_ins import STEP_TIMING, STRIKE_TIMING, Machine, StandInLine

from injector.axis import Axis
from injector.dose import DoseMeter
from injector.errors import Refusal
from injector.inputs import Inputs
from injector.link import Link
from injector.mechanics import Mechanics
from injector.motion import Limits, Ramp, isqrt, plan
from injector.profile import Profile
from injector.reports import Reports
from injector.strike import Actuator, strike_words
from mesodrive_wire import FrameError, LineReader, decode, encode, request_fault


def roots(n, guess):
    return isqrt(n, guess)


def moves(limits, steps_s, made_for, steps):
    ramp = Ramp(STEP_TIMING, Limits(*limits), steps_s, made_for)
    seen = [ramp.interval, ramp.rises, ramp.first, ramp.last]
    if steps >= ramp.least_steps:
        move = plan(ramp, steps, gated=bool(steps & 1))
        seen.append([list(move.words), move.first, move.last])
    return seen


def mechanics(load_mn, speed_um_s, accel_um_s2):
    like = drives.PLUNGER
    made = Mechanics(
        "plunger", like.screw, like.motor, like.driver, 1, load_mn, speed_um_s, accel_um_s2, 10**8
    )
    try:
        made.check()
    except ValueError as refusal:
        return [made.torque_unm(speed_um_s), made.needed_unm, str(refusal)]
    return [made.torque_unm(speed_um_s), made.needed_unm, made.um_s_limit]


def strikes(peak_us, on_us, period_us, gate_us):
    try:
        return list(strike_words(STRIKE_TIMING, peak_us, on_us, period_us, gate_us))
    except ValueError as refusal:
        return str(refusal)


def actuators(clearance_um, coil_m_s2, spring_m_s2, pull_in_us, depth_um):
    actuator = Actuator("any", clearance_um, coil_m_s2, spring_m_s2, pull_in_us)
    return [actuator.travel_us(depth_um), actuator.return_us(depth_um)]


def doses(nl_per_mm, steps_per_mm, series):
    meter = DoseMeter(nl_per_mm, steps_per_mm)
    return [[meter.next_steps(nl), meter.steps(nl), meter.nl(nl)] for nl in series]


def axes(steps_per_mm, backlash_um, turns):
    axis = Axis("plunger", steps_per_mm, backlash_um)
    axis.set_home()
    seen = []
    for forward, made, um in turns:
        slack = axis.turn(forward)
        seen.append([slack, axis.moved(made), axis.position, axis.steps_at(um), axis.um_at(um)])
    return seen


def profiles(values):
    try:
        profile = Profile(values)
    except Refusal as refusal:
        return [refusal.code, refusal.sentence, refusal.data]
    periods_us = [profile.period_after_us(strike) for strike in range(1, 60)]
    return [profile.id, profile.nl_per_mm, profile.a_pull, profile.goes_on, periods_us]


def reports(deeds):
    """Strikes, what the host is told of them, and what it asks for."""
    kept = Reports()
    seen = []
    for deed in deeds:
        if deed[0] == "add":
            for _ in range(deed[1]):
                kept.add(*deed[2])
        elif deed[0] == "ask":
            seen.append(kept.first(deed[1]))
        elif deed[0] == "clear":
            kept.clear()
        elif kept.waiting:
            seen.append(kept.tell())
    return [seen, kept.waiting, kept.lost]


def requests(message):
    return request_fault(message)


def sent_lines(message):
    """The order of keys in a line is each runtime's own, so what the line says is compared."""
    line = encode(message)
    return [len(line), decode(line[:-1])]


def received_lines(parts):
    reader = LineReader()
    seen = []
    for part in parts:
        for line in reader.feed(bytes(part)):
            try:
                seen.append(None if line is None else decode(line))
            except FrameError as fault:
                seen.append(str(fault))
    return seen


def conversations(lines, rooms):
    """What a link answers to these lines; the host takes it in these portions."""
    line = StandInLine()

    def refuse(_params, _answer):
        raise Refusal(-32001, "Not now.", {"limit": 3})

    link = Link(line, {"echo": lambda params, _: params, "refuse": refuse})
    link.step()
    line.arrived = bytes(lines)
    for room in rooms:
        line.room = room
        link.step()
    answers = [decode(answer) for answer in LineReader().feed(line.sent)]
    return [answers, link.heard, link.last_id]


def hands(polls):
    """(ms to wait, trigger, contact, forget press, forget touch) by turns → what is held."""
    bits = [0]

    class Board:
        def __getattr__(self, name):
            return sum(ord(letter) for letter in name) % 97

    inputs = Inputs(lambda: bits[0], Board())
    ms = 0
    seen = []
    for wait, trigger, contact, forget_press, forget_touch in polls:
        ms += wait
        bits[0] = trigger * inputs.masks["trigger"] | contact * inputs.masks["contact"]
        inputs.poll(ms)
        if forget_press:
            inputs.forget_press()
        if forget_touch:
            inputs.forget_touch()
        seen.append([inputs.pulled, inputs.touching, inputs.as_bits()])
    return seen


def sessions(deeds):
    """A whole machine: requests, hands and time → all it told, and where it ended."""
    machine = Machine().boot()
    asked = []
    for deed in deeds:
        what = deed[0]
        if what == "run":
            machine.run(deed[1])
        elif what == "silence":
            machine.run(deed[1], host_speaks=False)
        elif what == "stop_byte":
            machine.port.host_stop()
        elif what == "set":
            machine.port.set(deed[1], deed[2])
        elif what == "ready" and machine.state == "SAFE":
            try:
                machine.make_ready(**deed[1])
            except Refusal as refusal:
                asked.append(refusal.sentence)
        elif what == "pull":
            machine.pull(deed[1])
        elif what == "request":
            value, refusal = machine.request(deed[1], deed[2])
            asked.append([value, refusal.sentence if refusal else None])
    port = machine.port
    ended = [machine.state, port.strikes, port.pushed, port.now, list(port.at.items())]
    told = [machine.told, machine.rows, machine.trace.first(0)]
    return [asked, machine.answers, told, machine.commands.status(), ended]
