"""A machine under the campaign, and what it must not do whatever it is asked."""

from typing import Any

from mesodrive_rig.campaigns.fuzz.findings import CRASHED, MOVED, UNBOUNDED, Findings
from mesodrive_rig.campaigns.fuzz.lines import BOUNDS, held
from mesodrive_rig.campaigns.pure_firmware import firmware

STATES = ("SELF_TEST", "SAFE", "HOMING", "READY", "ARMED", "DELIVERING", "PAUSED", "FAULT")
_POWERED = ("HOMING", "READY", "ARMED", "DELIVERING", "PAUSED")
_MOVING = ("HOMING", "DELIVERING")


class Watch:
    """A machine in `state`; its hands stay as they are."""

    def __init__(self, state: str, findings: Findings):
        self.machine: Any = (
            firmware("stand_ins").Machine()
            if state == "SELF_TEST"
            else firmware("situations").in_state(state)
        )
        if state == "SELF_TEST":
            self.machine.settings.open()  # which comes before the self-test
            self.machine._open_ledger()
        self.port: Any = self.machine.port
        self.answers: list[bytes] = []
        self.asked = "nothing"
        self.may_move = state == "HOMING"  # it was asked to
        self._findings = findings
        self._told = len(self.machine.told)
        self._at = dict(self.port.at)
        self.port.on_strike = self._a_strike_begins
        self.send(b"")

    @property
    def state(self) -> str:
        return self.machine.state

    def send(self, stream: bytes) -> bool:
        """The loop until all is read, in no time; False when the program has died of it."""
        line = self.port.line
        line.arrived += stream
        try:
            self.machine.look()
            while line.arrived:
                self.machine.look()
            self.machine.look()
        except Exception as error:
            self._findings.blame(CRASHED, f"{error!r} in {self.state}, asked {self.asked}")
            return False
        self.answers = line.sent.split(b"\n")[:-1]
        line.sent = b""
        self._compare()
        return True

    def wait(self, ms: int) -> bool:
        """Let time pass."""
        try:
            self.machine.run(ms)
        except Exception as error:
            self._findings.blame(CRASHED, f"{error!r} in {self.state} after {self.asked}")
            return False
        self._compare()
        return True

    def _a_strike_begins(self) -> None:
        if self.state != "DELIVERING" or not self.port.must_hold:
            self._findings.blame(MOVED, f"a strike in {self.state}, asked {self.asked}")

    def _compare(self) -> None:
        told = self.machine.told[self._told :]
        self._told = len(self.machine.told)
        states = [params["state"] for method, params in told if method == "state"]
        was = {params["was"] for method, params in told if method == "state"}
        if "HOMING" in states and not self.may_move:
            self._findings.blame(MOVED, f"it homes, asked {self.asked}")
        seen = {*states, *was, self.state}
        if self.port.at != self._at and not seen & {*_MOVING}:
            self._findings.blame(MOVED, f"steps in {self.state}, asked {self.asked}")
        if self.port.enable and self.state not in _POWERED:
            self._findings.blame(MOVED, f"the rail is on in {self.state}, asked {self.asked}")
        self._at = dict(self.port.at)
        if self.state != "HOMING":
            self.may_move = False
        holds = held(self.machine.link)
        if any(now > most for now, most in zip(holds, BOUNDS, strict=True)):
            self._findings.blame(UNBOUNDED, f"{holds} are held after {self.asked}")
