"""What both runtimes work out of the same vectors. Runs under CPython and under MicroPython.

Each function takes one vector and returns something that JSON can carry.
"""

from stand_ins import STEP_TIMING, STRIKE_TIMING, Machine, StandInLine

from injector.axis import Axis
from injector.dose import DoseMeter
from injector.errors import Refusal
from injector.inputs import Inputs
from injector.link import Link
from injector.motion import Ramp, isqrt, plan
from injector.profile import Profile
from injector.strike import strike_words
from mesodrive_wire import FrameError, LineReader, decode, encode, request_fault


def roots(n, guess):
    return isqrt(n, guess)


def moves(accel, interval, longer, steps, lead):
    fast = Ramp(STEP_TIMING, accel, interval)
    planned = [plan(ramp, steps, lead) for ramp in (fast, fast.slower(interval + longer))]
    return [[list(move.words), move.first_tick, move.last_tick] for move in planned]


def strikes(peak_ms, on_ms):
    return list(strike_words(STRIKE_TIMING, peak_ms, on_ms))


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
    return [profile.id, profile.nl_per_mm, profile.settle_ms]


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
    """(ms to wait, trigger, contact, forget the press) by turns → what counts as held."""
    bits = [0]

    class Board:
        def __getattr__(self, name):
            return sum(ord(letter) for letter in name) % 97

    inputs = Inputs(lambda: bits[0], Board())
    ms = 0
    seen = []
    for wait, trigger, contact, forget in polls:
        ms += wait
        bits[0] = trigger * inputs.masks["trigger"] | contact * inputs.masks["contact"]
        inputs.poll(ms)
        if forget:
            inputs.forget_press()
        seen.append([inputs.pulled, inputs.touching])
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
    ended = [machine.state, port.strikes, port.pushed, port.now_ms, list(port.at.items())]
    return [asked, machine.answers, machine.told, machine.commands.status(), ended]
