"""What the device itself told: whether that names a fault, and which states it leads to."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from mesodrive_rig.campaigns.faults.fault import Fault

Note = tuple[str, dict[str, Any]]  # method, params

ANEW = "it started anew, as its uptime says"
_ROUNDED_MS = 2.0
_ORDINARY = (
    "the trigger was pulled",
    "the trigger was released",
    "all shots are done",
    "self-test passed",
    "in position",
)  # reasons that name no fault

# docs/alarms.md: every alarm latches FAULT but these.
_SAFE = ("SAFE", "FAULT")
_NOT_HOT = ("SAFE", "FAULT", "HOMING", "READY")
_LEADS_TO = {"host_lost": _SAFE, "idle": _SAFE, "dose_in_doubt": _NOT_HOT}
_LEADS_NOWHERE = ("syringe_low",)


def started_anew(uptime_ms: float, since_reset_ms: float) -> bool:
    """Whether a device that has been on for `uptime_ms` says that it was restarted. That it was
    is known to the rig alone; what counts is what a host can see."""
    return uptime_ms <= since_reset_ms + _ROUNDED_MS


def name_in(evidence: Iterable[str], fault: Fault, sentences: Collection[str]) -> str:
    """What of `evidence` names `fault`, or "". An alarm is known by its code: its own sentence,
    one of `sentences`, may hold any word, and so may a reason that gives it again."""
    texts = list(evidence)
    for text in texts:
        if text in fault.codes:
            return text
    for text in texts:
        is_code = " " not in text
        if is_code or text.startswith(_ORDINARY) or any(told in text for told in sentences):
            continue
        if any(re.search(word, text) for word in fault.words):
            return text
    return ""


def not_heeded(notes: Sequence[Note], standing: str, state: str) -> str:
    """The alarm that `state`, the last that is known, does not go with, or "". `notes` is what was
    told since the fault, `standing` the alarm that the status still has, if any. What a person
    acknowledged, or homed after, is over."""
    if not state:
        return ""
    waiting = ""
    for method, told in notes:
        if method == "alarm" and told["code"] not in _LEADS_NOWHERE:
            waiting = told["code"]
        elif method == "state" and (
            told["why"] == "fault acknowledged"
            or (told["was"] in ("SAFE", "READY") and told["state"] == "HOMING")
        ):
            waiting = ""
    if waiting and state not in _LEADS_TO.get(waiting, _SAFE):
        return waiting
    if standing and standing not in _LEADS_NOWHERE:
        return "" if state in _LEADS_TO.get(standing, ("FAULT",)) else standing
    return ""
