"""Requests that are well formed and mean harm: every method, any values, in every state."""

import json
import re
from random import Random
from typing import Any

from mesodrive_rig.campaigns.fuzz.findings import CHANGED, MISANSWERED, Findings
from mesodrive_rig.campaigns.fuzz.frames import Frames, body_of, sealed
from mesodrive_rig.campaigns.fuzz.oracle import lines, request_in
from mesodrive_rig.campaigns.fuzz.values import ODD_KEYS, hostile
from mesodrive_rig.campaigns.fuzz.watch import STATES, Watch
from mesodrive_rig.campaigns.pure_firmware import firmware
from mesodrive_rig.emulated.rig import ROOT

PROTOCOL = ROOT / "docs" / "protocol.md"
_ROW = re.compile(r"^\| `([a-z.]+)` \| ([^|]*)\|", re.MULTILINE)
_INTERNAL = -32603
_A_MACHINE = 150  # calls until the next machine
_MOST_PRIME_NL = 500_000
# asked for so, they may move something; nothing else does
_MOVERS = ("home", "prime")
_ENDS = ("auth.leave", "disarm")
_ROLES = ("operator", "operator", "service")


def params_of(document: str) -> dict[str, list[str]]:
    """The names of each method's params in the table of requests."""
    requests = document.partition("## Requests")[2].partition("\n## ")[0]
    return {name: re.findall(r"`([a-z_]+)`", params) for name, params in _ROW.findall(requests)}


class Caller:
    """Asks for anything that the machine knows."""

    def __init__(self, random: Random):
        self.random = random
        self._keys = params_of(PROTOCOL.read_text())
        self._good: dict[str, dict[str, Any]] = {
            "profile.load": {"profile": firmware("stand_ins").PROFILE},
            "prime": {"volume_nl": 1_000},
            "shots": {"first": 1},
            "trace": {"first": 0},
            "auth.challenge": {"role": "operator"},
            "auth.prove": {"role": "operator", "proof": "00" * 32},
            "keys.set": {"role": "operator", "key": "11" * 32},
            "settings.set": {"name": "depth_um", "value": 2_000},
        }

    def params(self, method: str) -> dict[str, Any]:
        """Good ones for some of the methods at times, and else anything."""
        random = self.random
        good = self._good.get(method, {})
        params = {
            key: good.get(key, hostile(random))
            for key in self._keys.get(method, [])
            if random.random() < 0.95
        }
        if random.random() < 0.2:
            return params
        if method == "profile.load" and "profile" in params:
            params["profile"] = self._spoilt(dict(params["profile"]))
            return params
        return self._spoilt(params)

    def _spoilt(self, values: dict[str, Any]) -> dict[str, Any]:
        random = self.random
        for _ in range(random.choice([0, 1, 1, 1, 2, 5])):
            if values and random.random() < 0.85:
                values[random.choice(list(values))] = hostile(random)
            elif values and random.random() < 0.5:
                del values[random.choice(list(values))]
            else:
                values[random.choice(ODD_KEYS)] = hostile(random)
        return values


def run(seed: str, count: int) -> Findings:
    """At least `count` calls, on machines in all states by turns."""
    random = Random(seed)
    findings = Findings()
    caller = Caller(random)
    calls = 0
    while calls < count:
        watch = Watch(STATES[calls // _A_MACHINE % len(STATES)], findings)
        for _ in range(_A_MACHINE):
            calls += 1
            if not _call(watch, caller, findings):
                break
    findings.frames["calls"] = calls
    return findings


def _call(watch: Watch, caller: Caller, findings: Findings) -> bool:
    random = caller.random
    machine = watch.machine
    if not machine.access.role:  # this host knows all keys
        machine.access.role = random.choice(_ROLES)
    method = random.choice(list(machine.methods))
    if method in _ENDS and random.random() < 0.8:  # or hardly anything would ever be live
        method = "ping"
    params = caller.params(method)
    id = machine.link.last_id + 1
    line = sealed(body_of({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    watch.asked = f"{method} {params!r:.300}"
    request = request_in(line[:-1])
    if request and method in _MOVERS and _may_move(method, params):
        watch.may_move = True
    before = _seen(machine)
    if not watch.send(line):
        return False
    answers: list[dict[str, Any]] = [json.loads(answer[:-9]) for answer in watch.answers]
    # The answer to a move that has ended meanwhile, or was stopped by this, may come as well.
    ours = [answer for answer in answers if answer["id"] in (id, None)]
    if len(ours) > 1 or not (ours or method in _MOVERS):
        findings.blame(MISANSWERED, f"{answers} to {watch.asked}")
    findings.accepted += request is not None
    for answer in answers:
        error = answer.get("error", {"code": 0, "message": "."})
        if error["code"] == _INTERNAL or not re.fullmatch(r"[^\n]*\.", error["message"]):
            findings.blame(MISANSWERED, f"{error} to {watch.asked}")
    if any("error" in answer for answer in ours) and _seen(machine) != before:
        findings.blame(CHANGED, f"by {watch.asked} in {watch.state}")
    return random.random() > 0.2 or watch.wait(random.choice([1, 10, 30, 300]))


def _seen(machine: Any) -> object:
    """What a refusal leaves as it was. Homing goes on by itself meanwhile."""
    if machine.state != "HOMING":
        return machine.snapshot()
    status = machine.commands.status()
    return [status[name] for name in ("state", "profile", "shots_total", "alarm")]


def _may_move(method: str, params: dict[str, Any]) -> bool:
    if method == "home":
        return not params
    nl = params.get("volume_nl")
    return len(params) == 1 and type(nl) is int and 1 <= nl <= _MOST_PRIME_NL


def run_frames(seed: str, count: int) -> Findings:
    """At least `count` broken frames to whole machines, in all states by turns. What is whole
    asks for nothing that moves."""
    random = Random(seed)
    findings = Findings()
    frames = Frames(random, [("ping", {}), ("status", {}), ("shots", {"first": 1})])
    harmless = ("ping", "status", "shots", "trace")
    sent = turn = 0
    while sent < count:
        watch = Watch(STATES[turn % len(STATES)], findings)
        turn += 1
        for _ in range(10):
            chosen = [
                line
                for line in lines(b"".join(frames.some(20)) + b"\n")
                if not (request := request_in(line)) or request.method in harmless
            ]
            sent += len(chosen)
            watch.asked = f"{chosen!r:.300}"
            if not (watch.send(b"\n".join(chosen) + b"\n") and watch.wait(5)):
                break
    findings.frames["to the machine"] = sent
    return findings
