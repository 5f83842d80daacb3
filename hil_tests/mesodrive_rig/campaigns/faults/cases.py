"""The cases that were tried, each with the image that it was tried on, one line of JSON each."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mesodrive_rig.campaigns.faults.case import Case

_DIGITS = 16
Key = tuple[str, str]  # fault, phase


class Cases:
    """Those of this run; if it `resumes`, with those of runs before on the same image. Of a case
    that was tried more than once the last try counts, and `failed_first` those that had failed."""

    def __init__(self, path: Path, image: Path, *, resumes: bool):
        self.last: dict[Key, Case] = {}
        self._failures: Counter[Key] = Counter()
        self._image = hashlib.sha256(image.read_bytes()).hexdigest()[:_DIGITS]
        path.parent.mkdir(parents=True, exist_ok=True)
        if resumes and path.is_file():
            for line in path.read_text().splitlines():
                self._take(json.loads(line))
        self._log = path.open("a" if resumes else "w")

    def close(self) -> None:
        """No more are kept."""
        self._log.close()

    def add(self, case: Case) -> None:
        """Keep it, on disk too."""
        self._note(case)
        self._log.write(json.dumps(asdict(case) | {"image": self._image}) + "\n")
        self._log.flush()

    @property
    def failed_first(self) -> int:
        """How many failed in one try and not in the last."""
        return sum(1 for key in self._failures if not self.last[key].verdict)

    def _take(self, values: dict[str, Any]) -> None:
        if values.pop("image", None) == self._image:
            self._note(Case.of(values))

    def _note(self, case: Case) -> None:
        self.last[case.fault, case.phase] = case
        if case.verdict:
            self._failures[case.fault, case.phase] += 1
