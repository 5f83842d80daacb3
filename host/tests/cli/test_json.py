"""What `--json` writes can be read by a program wherever it runs, one that wants colours too."""

import json
from collections.abc import Callable

import pytest

from mesodrive_rig.ledger_model import LedgerModel
from mesodrive_rig.scripted import Exchange, info, result, scripted_terminal, status

from .test_commands import COMMANDS, TRACE
from .test_session_commands import DONE, END, armed

Mesodrive = Callable[..., tuple[int, str, str]]

CHECKS = [{"name": "ram", "ok": True, "detail": ""}]
SELFTEST = Exchange("selftest", result({"passed": True, "checks": CHECKS}))
RUN = ("session run", "nappage", "--shots", 2, "--yes")

WITHOUT_DEVICE = [
    ("devices",),
    ("preset list",),
    ("preset show", "nappage"),
    ("preset validate", "nappage.toml"),
    ("session list",),
    ("session show", "last"),
    ("ledger verify",),
    ("ledger history",),
]
WITH_SCRIPT = [
    (("info",), (info(), status())),
    (("selftest",), (info(), SELFTEST)),
    (("trace",), (info(), TRACE)),
    (("access status",), (info(),)),
    (RUN, (*armed(*DONE), END)),
]
WITH_LEDGER = [("ledger show",), ("ledger fetch",), ("ledger resolve", "--in-full", "--yes")]


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What CI services set so that logs have colours; the terminal is one then, though a pipe."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")


def in_doubt() -> LedgerModel:
    device = LedgerModel()
    device.load(1)
    device.announce(10)
    device.boot()
    return device


def documents(out: str, words: str) -> list[object]:
    """All JSON that was written: one a line while a session runs, else a single one."""
    return list(map(json.loads, out.splitlines() if words == "session run" else [out]))


def test_every_command_that_speaks_json_is_asked_here():
    asked = {words[0] for words in (*WITHOUT_DEVICE, *WITH_LEDGER)}
    asked |= {words[0] for words, _ in WITH_SCRIPT}
    speak = {
        " ".join(words)
        for words, command in COMMANDS.items()
        if any("--json" in option.opts for option in command.params)
    }
    assert asked == speak


@pytest.mark.parametrize("words", WITHOUT_DEVICE, ids=lambda words: words[0])
def test_json_without_a_device_is_json(mesodrive: Mesodrive, words: tuple[str, ...]):
    with scripted_terminal(*armed(*DONE), END) as (path, _):
        mesodrive(*RUN[0].split(), *RUN[1:], "--port", path)
    with scripted_terminal(info(), ledger=in_doubt()) as (path, _):
        mesodrive("ledger", "fetch", "--port", path)
    _, out, err = mesodrive(*words[0].split(), *words[1:], "--json")
    assert (len(documents(out, words[0])), err) == (1, "")


@pytest.mark.parametrize(("words", "exchanges"), WITH_SCRIPT, ids=lambda words: words[0])
def test_json_of_what_a_device_says_is_json(
    mesodrive: Mesodrive, words: tuple[str, ...], exchanges: tuple[Exchange, ...]
):
    with scripted_terminal(*exchanges) as (path, _):
        code, out, err = mesodrive(*words[0].split(), *words[1:], "--port", path, "--json")
    assert (code, err) == (0, "")
    assert documents(out, words[0])


@pytest.mark.requirement("R17")
@pytest.mark.parametrize("words", WITH_LEDGER, ids=lambda words: words[0])
def test_json_of_what_is_fetched_is_json(mesodrive: Mesodrive, words: tuple[str, ...]):
    with scripted_terminal(info(), ledger=in_doubt()) as (path, _):
        _, out, err = mesodrive(*words[0].split(), *words[1:], "--port", path, "--json")
    assert (len(documents(out, words[0])), err) == (1, "")
