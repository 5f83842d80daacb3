"""However a session's program is told to end, it ends in order, and is not told twice."""

import signal
from collections.abc import Generator

import pytest

from mesodrive.undisturbed import ended_as_by_ctrl_c, undisturbed

ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def heard() -> Generator[None]:
    """None of them is ignored at first, as one is where tests run under nohup."""
    before = {end: signal.signal(end, signal.SIG_DFL) for end in ENDS}
    yield
    for end, handler in before.items():
        signal.signal(end, handler)


@pytest.mark.parametrize("end", ENDS)
def test_every_way_to_end_a_program_is_as_ctrl_c(end: signal.Signals):
    before = signal.getsignal(end)
    with pytest.raises(KeyboardInterrupt), ended_as_by_ctrl_c():
        signal.raise_signal(end)
    assert signal.getsignal(end) is before


@pytest.mark.parametrize("end", ENDS)
def test_what_must_come_to_its_end_hears_none_of_them(end: signal.Signals):
    done = False
    with ended_as_by_ctrl_c():
        with undisturbed():
            signal.raise_signal(end)
            done = True
        assert done
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(end)


def test_a_program_that_outlives_its_terminal_goes_on_doing_so():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ended_as_by_ctrl_c():
        signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
