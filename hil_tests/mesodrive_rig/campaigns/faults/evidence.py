"""What the device itself told: whether that names a fault, and which states it leads to."""

import re
from collections.abc import Collection, Iterable
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
