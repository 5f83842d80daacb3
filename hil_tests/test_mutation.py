"""Bugs are made as they should be, found when a test looks for them, and told when none does."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mesodrive_rig.campaigns.mutation import kept as kept_module
from mesodrive_rig.campaigns.mutation.__main__ import all_jobs, metrics, quick
from mesodrive_rig.campaigns.mutation.forks import DIED, WorkError, each
from mesodrive_rig.campaigns.mutation.hunt import Coverage, Session
from mesodrive_rig.campaigns.mutation.kept import Kept
from mesodrive_rig.campaigns.mutation.modules import SAFETY
from mesodrive_rig.campaigns.mutation.operators import mutants
from mesodrive_rig.campaigns.mutation.survivors import explained, listed
from mesodrive_rig.campaigns.mutation.swapped import UnlikeError, put_in_place

SEED = 7


def bugs(source: str) -> set[str]:
    tree = ast.parse(source)
    before = ast.dump(tree)
    made = mutants("any", source, tree)
    changed: set[str] = set()
    for mutant in made:
        mutant.swap()
        compile(ast.fix_missing_locations(tree), "any", "exec")
        changed.add(ast.dump(tree))
        mutant.swap()
    assert ast.dump(tree) == before
    assert before not in changed
    assert len(changed) == len(made)  # no two are the same
    return {mutant.becomes for mutant in made}


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("a = b < 3", {"b < 3 → b <= 3", "b < 3 → b >= 3", "3 → 4", "3 → 2"}),
        ("a = b == c", {"b == c → b != c"}),
        ("a = b and c", {"b and c → b or c", "b and c → b", "b and c → c"}),
        ("a = not b", {"not b → b"}),
        ("a = b + c * d", {"b + c * d → b - c * d", "c * d → c // d"}),
        ("a = b << 1 | c", {"b << 1 | c → b << 1 & c", "b << 1 → b >> 1", "1 → 2", "1 → 0"}),
        ("a = True", {"True → False"}),
        ("A = ('x', 'y')", {"without 'x'", "without 'y'"}),
        ("A = {'x': b, 'y': c}", {"without 'x'", "without 'y'"}),
        ("a = min(b, c)", {"min(b, c) → max(b, c)"}),
        ("a += b", {"pass", "a += b → a -= b"}),
        ("def f(self):\n    self.a = b", {"pass"}),
        ("def f():\n    return g", {"return g → return None"}),
        ("if a:\n    b()", {"a → not a", "pass"}),
        ("raise Refusal('Not %d.' % a)", {"pass"}),
        ("b('%d of %d' % (a + 1, 2))", {"pass"}),
    ],
)
def test_each_small_change_is_made_once(source: str, made: set[str]):
    assert bugs(source) == made


@pytest.mark.parametrize(
    "source",
    [
        '"""Words."""',
        "def f(a: 'int' = b) -> 'int':\n    '''Words.'''",
        "assert a > 1",
        "a = 'number %d' % (b + 1)",
        "class A:\n    def __init__(self):\n        self.a = b\n        f()",
        "from a import b",
    ],
)
def test_words_annotations_and_assertions_are_left_alone(source: str):
    assert bugs(source) == set()


def test_bugs_are_made_of_every_safety_module():
    jobs = all_jobs(list(SAFETY))
    assert {mutant.module for _, mutant in jobs} == SAFETY.keys()
    assert {"controller", "delivery", "limits", "ledger/log", "wire/framing"} <= SAFETY.keys()
    assert len(jobs) >= 2_000


def test_a_child_that_dies_or_never_ends_is_told():
    def work(job: str) -> object:
        if job == "dies":
            raise SystemExit
        while job == "hangs":
            pass
        return job

    jobs = [("dies", 5), ("hangs", 1), ("ends", 5)]
    assert dict(each(jobs, work, 3)) == {"dies": DIED, "hangs": DIED, "ends": "ends"}


def test_a_campaign_that_fails_itself_is_no_bug_that_was_found():
    def work(job: str) -> object:
        raise KeyError(job)

    with pytest.raises(WorkError, match="KeyError: 'a bug'"):
        list(each([("a bug", 5)], work, 1))


def test_a_bug_that_no_test_looks_for_survives():
    assert Session(lambda _: None).first_to_fail([], lambda _: 1) is None


def test_a_constant_is_looked_for_by_its_modules_own_tests_though_they_run_no_line_of_it():
    own, running, other = "test_alarms.py::test_a", "test_lock.py::test_b", "test_dose.py::test_c"
    tests = [f"firmware/tests/{test}" for test in (own, running, other)]
    path = Path("injector/alarms.py")
    coverage = Coverage(dict.fromkeys(tests, 1.0), {(str(path), 5): {tests[1]}})
    assert coverage.beside(path) == set(tests[:2])


def test_bugs_are_found_by_the_tests_of_their_modules():
    findings = quick(SEED)
    assert findings.broken == []
    assert findings.killed.total() + len(findings.survived) == 24
    assert findings.killed.total() >= 20
    assert findings.unexplained() == []
    assert all(metric.ok for metric in metrics(findings, whole=False))


def test_a_survivor_is_known_again_by_its_explanation(tmp_path: Path):
    mutant = all_jobs(["dose"])[0][1]
    file = tmp_path / "survivors.toml"
    file.write_text(listed(mutant).replace('why = ""', 'why = "Nobody can tell."'))
    assert explained(file) == {mutant.key: "Nobody can tell."}
    assert explained(tmp_path / "none.toml") == {}


class Files:
    """Files of tests and what is in them; nothing else ever changes."""

    shared = "the same"

    def __init__(self, **digests: str):
        self.digests = digests

    @staticmethod
    def as_if(**digests: str) -> Any:
        """For those who ask for the campaign's own."""
        return Files(**digests)

    def now(self) -> list[str]:
        return sorted(self.digests.values())

    def of(self, test: str) -> str | None:
        return self.digests.get(test.partition("::")[0])


def test_a_bug_stays_found_as_long_as_the_file_of_its_test_is_the_same(tmp_path: Path):
    one, other, third = [mutant for _, mutant in all_jobs(["dose"])[:3]]
    kept = Kept(tmp_path, Files.as_if(a="1", b="1"), 40)
    kept.keep(one, "a::test")
    kept.keep(other, DIED)
    kept.save()
    for files, found in (
        (Files.as_if(a="1", b="2"), "a::test"),
        (Files.as_if(a="2", b="1"), None),
    ):
        kept = Kept(tmp_path, files, 40)
        assert kept.killer(one) == found
        assert kept.killer(other) == DIED
        assert kept.killer(third) is None


def test_only_new_tests_look_for_a_bug_that_survived_unless_they_have_longer_now(tmp_path: Path):
    one, other = [mutant for _, mutant in all_jobs(["dose"])[:2]]
    kept = Kept(tmp_path, Files.as_if(a="1", b="1"), 40)
    kept.keep(one, None)
    kept.save()
    changed = Files.as_if(a="1", b="2", c="3")
    kept = Kept(tmp_path, changed, 40)
    assert kept.new_to(one) == {"b", "c"}
    assert kept.new_to(other) is None
    assert Kept(tmp_path, changed, 41).new_to(one) is None


def test_nothing_is_known_of_a_file_under_its_old_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kept_module, "ROOT", tmp_path)
    monkeypatch.setattr(kept_module, "_WATCHED", (tmp_path,))
    for name in ("test_old.py", "test_new.py"):
        (tmp_path / name).write_text("def test_it(): pass\n")
    old, new = kept_module.Files([str(tmp_path)]).digests.values()
    assert old != new


@pytest.mark.parametrize(("name", "changed"), [("delivery", "_MUST_HOLD"), ("limits", None)])
def test_a_constant_is_changed_where_it_is_loaded_if_it_is_the_modules_own(
    name: str, changed: str | None
):
    loaded = import_module(f"injector.{name}").__dict__
    before = dict(loaded)
    module, mutant = all_jobs([name])[0]
    assert mutant.owner is None
    if changed:
        put_in_place(module, mutant)
    else:  # others have taken it when they were loaded
        with pytest.raises(UnlikeError):
            put_in_place(module, mutant)
    assert [key for key in before if loaded[key] != before[key]] == ([changed] if changed else [])
    loaded.update(before)


def test_each_explained_survivor_is_a_bug_that_is_made():
    made: set[Any] = {mutant.key for _, mutant in all_jobs(list(SAFETY))}
    assert explained().keys() <= made
    assert all(len(why) > 15 for why in explained().values())
