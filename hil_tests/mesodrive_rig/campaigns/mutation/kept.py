"""What earlier runs have found, for as long as what it rests on is the same.

All of it rests on the firmware and whatever the tests share. A bug that a test found rests on the
file of that test besides; one that survived, on all files of tests that were there, so only tests
that are new look for it again. Of a bug that made the tests die nobody knows which one did: it is
not looked for again until the firmware changes.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from mesodrive_rig.campaigns.mutation.hunt import Coverage
from mesodrive_rig.campaigns.mutation.modules import NOT_RUN
from mesodrive_rig.campaigns.mutation.operators import Mutant
from mesodrive_rig.emulated.rig import ROOT

_WATCHED = (ROOT / "firmware", ROOT / "boards", ROOT / "hil_tests")
_HERE = Path(__file__).parent


class Files:
    """The files of tests, each known by its name and what is in it, and the digest of all that
    they share."""

    def __init__(self, tests: list[str]):
        self.digests = {str(path.relative_to(ROOT)): _digest([path]) for path in _files(tests)}
        self.shared = _digest(sorted(filter(_is_shared, _python(_WATCHED))))

    def now(self) -> list[str]:
        """The digests of all files."""
        return sorted(self.digests.values())

    def of(self, test: str) -> str | None:
        return self.digests.get(test.partition("::")[0])


class Kept:
    """What became of bugs, and what the tests cover, in a folder that may be thrown away."""

    def __init__(self, folder: Path, files: Files, budget_s: int):
        folder.mkdir(parents=True, exist_ok=True)
        self.files = files
        self._budget_s = budget_s
        self._coverage = folder / f"coverage-{files.shared}.json"
        self._found = folder / f"found-{files.shared}.json"
        self._before = folder / "found.json"
        self._survived = folder / f"survived-{files.shared}.json"
        self._covered: dict[str, Any] = _read(self._coverage)  # by a file's digest
        self._killed: dict[str, list[str]] = _read(self._found)  # the test, the file's digest
        # the budget of the hunt, the digests of all files
        self._lived: dict[str, tuple[int, list[str]]] = _read(self._survived)
        self.before: dict[str, str] = _read(self._before)  # which test found it last time
        self._unsaved = 0

    def coverage(self) -> tuple[Coverage, list[str]]:
        """What is known of the files as they are, and the files of which nothing is."""
        found = Coverage()
        missing: list[str] = []
        for file, digest in self.files.digests.items():
            if digest in self._covered:
                found.add(Coverage.from_json(self._covered[digest]))
            else:
                missing.append(file)
        return found, missing

    def keep_coverage(self, seen: Coverage, files: list[str]) -> None:
        for file in files:
            self._covered[self.files.digests[file]] = seen.of_file(file).to_json()
        self._coverage.write_text(json.dumps(self._covered))

    def killer(self, mutant: Mutant) -> str | None:
        """What found it, if that would find it again."""
        test, digest = self._killed.get(_name(mutant), ("", ""))
        return test if test and (self.files.of(test) or "") == digest else None

    def new_to(self, mutant: Mutant) -> set[str] | None:
        """The files whose tests have not looked for it, or None for all of them."""
        budget_s, lived = self._lived.get(_name(mutant), (0, []))
        if budget_s < self._budget_s:
            return None
        return {file for file, digest in self.files.digests.items() if digest not in lived}

    def keep(self, mutant: Mutant, found: str | None) -> None:
        name = _name(mutant)
        if found is None:
            self._killed.pop(name, None)
            budget_s = max(self._budget_s, self._lived.get(name, (0, []))[0])
            self._lived[name] = budget_s, self.files.now()
        else:
            self._killed[name] = [found, self.files.of(found) or ""]
        self._unsaved += 1
        if self._unsaved > 20:
            self.save()

    def save(self) -> None:
        self._found.write_text(json.dumps(self._killed))
        self._survived.write_text(json.dumps(self._lived))
        self._before.write_text(json.dumps(self.before))
        self._unsaved = 0


def _files(tests: list[str]) -> list[Path]:
    paths = [Path(test) for test in tests]
    found = [one for path in paths if path.is_dir() for one in path.rglob("test_*.py")]
    found += [path for path in paths if path.is_file()]
    left_out = [ROOT / path for path in NOT_RUN]
    return sorted(
        path for path in found if not any(path.is_relative_to(folder) for folder in left_out)
    )


def _python(folders: tuple[Path, ...]) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*.py")]


def _is_shared(path: Path) -> bool:
    """Neither a file of tests nor this campaign, but for what makes the bugs."""
    if path.name.startswith("test_"):
        return False
    return path.parent != _HERE or path.name == "operators.py"


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _name(mutant: Mutant) -> str:
    return f"{mutant.module} {mutant.number}"


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.is_file() else {}
