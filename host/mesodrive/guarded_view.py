"""A view whose output may fail in the midst of a session, which is then ended all the same."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from mesodrive.presets import Coverage
from mesodrive.records import ShotReport
from mesodrive.session_view import View
from mesodrive.telemetry import LiveStatus


class UnreadError(Exception):
    """Nobody reads any more what a view writes; why, as the computer says it."""


class GuardedView:
    """Passes all on to `view` until that raises OSError, and is silent from then on.

    `unread` says why, or is empty. Within `ending` it raises UnreadError too, as Ctrl-C would;
    outside of it, where a session is being closed, it never raises.
    """

    def __init__(self, view: View):
        self._view = view
        self._ends = False
        self.unread = ""

    @contextmanager
    def ending(self) -> Generator[None]:
        """A failure of the view ends what is done here; so does one of before."""
        if self.unread:
            raise UnreadError(self.unread)
        self._ends = True
        try:
            yield
        finally:
            self._ends = False

    def step(self, text: str) -> None:
        self._show(lambda: self._view.step(text))

    def state(self, state: str, why: str) -> None:
        self._show(lambda: self._view.state(state, why))

    def shot(self, report: ShotReport) -> None:
        self._show(lambda: self._view.shot(report))

    def live(self, status: LiveStatus, coverage: Coverage | None) -> None:
        self._show(lambda: self._view.live(status, coverage))

    def alarm(self, code: str, text: str) -> None:
        self._show(lambda: self._view.alarm(code, text))

    def _show(self, show: Callable[[], None]) -> None:
        if self.unread:
            return
        try:
            show()
        except OSError as error:
            self.unread = error.strerror or str(error) or type(error).__name__
            if self._ends:
                raise UnreadError(self.unread) from error
