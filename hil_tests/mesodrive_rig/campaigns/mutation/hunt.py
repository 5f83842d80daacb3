"""Runs the tests against each bug until one of them fails."""

import gc
import json
import resource
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings

from mesodrive_rig.campaigns.mutation.forks import each
from mesodrive_rig.campaigns.mutation.modules import NOT_RUN, Module
from mesodrive_rig.campaigns.mutation.operators import Mutant
from mesodrive_rig.campaigns.mutation.swapped import UnlikeError, load_from_now_on, put_in_place
from mesodrive_rig.emulated.rig import ROOT

_LEAST_S = 3  # of computing, before a test is taken not to end
_EACH_S = 0.02  # what a test costs at least
BUDGET_S = 40  # of tests under the survey's eyes, which slow them, that look for one bug

UNLIKE = "load it anew"
_LOADS = "what loads it"

settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Coverage:
    """What each test took, and which lines of the safety modules it ran."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    tests: dict[tuple[str, int], set[str]] = field(
        default_factory=lambda: defaultdict[tuple[str, int], set[str]](set)
    )
    failed: list[str] = field(default_factory=list[str])

    def of(self, path: Path, lines: tuple[int, int]) -> set[str]:
        """The tests that run any of these lines."""
        found: set[str] = set()
        for line in range(lines[0], lines[1] + 1):
            found |= self.tests.get((str(path), line), set())
        return found

    def to_json(self) -> str:
        names = list(self.seconds)
        place = {name: n for n, name in enumerate(names)}
        tests = [[*line, [place[test] for test in tests]] for line, tests in self.tests.items()]
        return json.dumps([self.seconds, tests, self.failed])

    @staticmethod
    def from_json(told: str) -> "Coverage":
        seconds, lines, failed = json.loads(told)
        names = list(seconds)
        tests = {(file, line): {names[n] for n in places} for file, line, places in lines}
        return Coverage(seconds, tests, failed)

    def add(self, other: "Coverage") -> None:
        self.seconds |= other.seconds
        self.failed += other.failed
        for line, tests in other.tests.items():
            self.tests[line] |= tests

    def of_file(self, file: str) -> "Coverage":
        """What the tests of one file cover."""
        own = {test for test in self.seconds if _file_of(test) == file}
        found = Coverage({test: self.seconds[test] for test in self.seconds if test in own})
        found.failed = [test for test in self.failed if test in own]
        for line, tests in self.tests.items():
            if tests & own:
                found.tests[line] = tests & own
        return found

    def beside(self, path: Path) -> set[str]:
        """The module's own tests, and those of the files with a test that runs a line of it. What
        only looks at a constant of it runs none."""
        running = {
            test for (file, _), tests in self.tests.items() if file == str(path) for test in tests
        }
        files = {_file_of(test) for test in running}
        return {
            test
            for test in self.seconds
            if _file_of(test) in files or f"/test_{path.stem}" in _file_of(test)
        }


@dataclass
class Hunter:
    """Tests in the order in which they should find bugs, from what they found of others."""

    coverage: Coverage
    before: dict[str, str]  # which found it last time
    new_to: Callable[[Mutant], set[str] | None]  # the files of tests that have not looked for it
    budget_s: int = BUDGET_S
    found: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    tried: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    lines: dict[Path, Counter[str]] = field(default_factory=dict[Path, Counter[str]])

    def order(self, module: Module, mutant: Mutant) -> list[str]:
        path = module.path
        files = self.new_to(mutant)  # None for all
        if mutant.owner:
            tests = self.coverage.of(path, mutant.lines)
        else:
            tests = self.coverage.beside(path) or set(self.coverage.seconds)
        near = f"{mutant.module}:{mutant.scope}"

        lines = self._lines_of(path)
        name = f"test_{path.stem}"

        def rank(test: str) -> tuple[bool, float]:
            """The likeliest in its time first; before it was tried, that which runs the most.
            Its module's own tests look closer than others."""
            last = self.before.get(" ".join(mutant.key)) != test
            found = self.found[mutant.module, test] + 5 * self.found[near, test]
            own = 10 if name in _file_of(test) else 1
            likely = found + own * (lines[test] + 1) / 500
            likely /= self.tried[mutant.module, test] + 5
            return last, (self.coverage.seconds[test] + _EACH_S) / likely

        chosen: list[str] = []
        left = float(self.budget_s)
        tests = tests.difference(self.coverage.failed)  # without any bug
        for test in _different_first(sorted(tests, key=rank), name):
            if files is not None and _file_of(test) not in files:
                continue
            left -= self.coverage.seconds[test]
            if left < 0 and chosen:
                break
            chosen.append(test)
        return chosen

    def seconds(self, tests: Iterable[str]) -> int:
        return int(_LEAST_S + 4 * sum(self.coverage.seconds[test] for test in tests))

    def learn(self, mutant: Mutant, tests: list[str], test: str | None) -> None:
        """`tests` were tried in their order, up to `test`, which found it, or all."""
        for one in tests:
            self.tried[mutant.module, one] += 1
            if one == test:
                self.before[" ".join(mutant.key)] = one
                self.found[f"{mutant.module}:{mutant.scope}", one] += 1
                self.found[mutant.module, one] += 1
                break

    def _lines_of(self, path: Path) -> Counter[str]:
        """How many lines of a module each test runs."""
        if path not in self.lines:
            files = ((file, tests) for (file, _), tests in self.coverage.tests.items())
            self.lines[path] = Counter(
                test for file, tests in files if file == str(path) for test in tests
            )
        return self.lines[path]


class Survey:
    """A pytest plugin: runs all tests once, to see how long they take and what they cover."""

    def __init__(self, paths: set[Path]):
        self._paths = {str(path) for path in paths}
        self.found = Coverage()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for item, after in pairwise([*session.items, None]):
            assert item
            lines: set[tuple[str, int]] = set()
            started = time.process_time()
            with _Traced(self._paths, lines):
                good = passes(item, after)
            self.found.seconds[item.nodeid] = time.process_time() - started
            if not good:
                self.found.failed.append(item.nodeid)
            for line in lines:
                self.found.tests[line].add(item.nodeid)
        return True


class Session:
    """A pytest plugin: hunts in children of the session that has loaded all tests."""

    def __init__(self, hunt: "Callable[[Session], None]"):
        self.items: dict[str, pytest.Item] = {}
        self._hunt = hunt

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self._hunt(self)
        return True

    def first_to_fail(self, tests: list[str], seconds: Callable[[str], int]) -> str | None:
        """Dies when a test computes for longer than its `seconds`."""
        items = [self.items[test] for test in tests]
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        for item, after in pairwise([*items, None]):
            assert item
            until = int(time.process_time()) + seconds(item.nodeid)
            resource.setrlimit(resource.RLIMIT_CPU, (min(most, until), most))
            if not passes(item, after):
                return item.nodeid
        return None


def _different_first(tests: list[str], own: str) -> list[str]:
    """One of each function before the same with other parameters, but in files called `own`."""
    seen: set[str] = set()
    first: list[str] = []
    later: list[str] = []
    for test in tests:
        function = test if own in _file_of(test) else test.partition("[")[0]
        (later if function in seen else first).append(test)
        seen.add(function)
    return first + later


def passes(item: pytest.Item, after: pytest.Item | None) -> bool:
    reports: list[Any] = runtestprotocol(item, log=False, nextitem=after)
    return not any(report.failed for report in reports)


class _Traced:
    def __init__(self, paths: set[str], lines: set[tuple[str, int]]):
        self._paths = paths
        self._lines = lines

    def __enter__(self) -> None:
        sys.settrace(self._call)
        threading.settrace(self._call)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: Any, _event: str, _: object) -> Any:
        if frame.f_code.co_filename in self._paths:
            return self._line
        return None

    def _line(self, frame: Any, event: str, _: object) -> Any:
        if event == "line":
            self._lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def run_pytest(arguments: list[str], plugin: object) -> int:
    """pytest without a word, with hypothesis giving the same examples each time."""
    quiet = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout=0", "--tb=native"]
    # hypothesis is loaded already, and asserts nothing that anybody wants explained
    quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    ignored = [f"--ignore={ROOT / path}" for path in NOT_RUN]
    usual = [*quiet, "--hypothesis-profile=mutation", "--rootdir", str(ROOT), *ignored]
    return int(pytest.main([*usual, *arguments], plugins=[plugin]))


def hunt_loaded(
    session: Session, hunter: Hunter, jobs: list[tuple[Module, Mutant]], at_once: int
) -> Iterable[tuple[Module, Mutant, str | None]]:
    """Bugs that can be put in the place of what is loaded; of the others, UNLIKE."""

    def work(job: tuple[Module, Mutant, list[str]]) -> object:
        module, mutant, tests = job
        try:
            put_in_place(module, mutant)
        except UnlikeError:
            return UNLIKE
        except Exception:
            return _LOADS
        return session.first_to_fail(tests, lambda test: hunter.seconds([test]))

    def prepared() -> Iterable[tuple[Any, int]]:
        for module, mutant in jobs:
            tests = hunter.order(module, mutant)
            yield (module, mutant, tests), hunter.seconds(tests)

    gc.collect()
    gc.freeze()  # or each child looks at all of it, and so copies it
    for (module, mutant, tests), found in each(prepared(), work, at_once):
        if found is None or found in session.items:
            hunter.learn(mutant, tests, found)
        yield module, mutant, found


def hunt_anew(
    hunter: Hunter, jobs: list[tuple[Module, Mutant]], at_once: int
) -> Iterable[tuple[Module, Mutant, str | None]]:
    """All is loaded anew, with the bug."""

    def work(job: tuple[Module, Mutant, list[str]]) -> object:
        module, mutant, tests = job
        likeliest = [test for test in tests if _file(test) == _file(tests[0])]
        rest = [test for test in tests if _file(test) != _file(tests[0])]
        for part in (likeliest, rest):  # to load one file is quicker
            if not part:
                continue
            load_from_now_on(module, mutant)
            first = First(part)
            code = run_pytest(list(dict.fromkeys(map(_file, part))), first)
            if first.failed or code:
                return first.failed or _LOADS
        return None

    def prepared() -> Iterable[tuple[Any, int]]:
        for module, mutant in jobs:
            tests = hunter.order(module, mutant)
            yield (module, mutant, tests), 15 + hunter.seconds(tests)

    for (module, mutant, tests), found in each(prepared(), work, at_once):
        if found is None or found in hunter.coverage.seconds:
            hunter.learn(mutant, tests, found)
        yield module, mutant, found


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _file(test: str) -> str:
    return str(ROOT / _file_of(test))


class First:
    """A pytest plugin: runs the given tests in their order, up to the first that fails."""

    def __init__(self, tests: list[str]):
        self._tests = tests
        self.failed: str | None = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            self.failed = "what collects the tests"
            return True
        items = {item.nodeid: item for item in session.items}
        chosen = [items[test] for test in self._tests if test in items]
        if len(chosen) < len(self._tests):
            self.failed = "what collects the tests"
            return True
        for item, after in pairwise([*chosen, None]):
            assert item
            if not passes(item, after):
                self.failed = item.nodeid
                break
        return True
