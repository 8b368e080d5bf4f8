"""Sessions that stand still on the shipped screens: recorded answers, a clock that does not move, no chance."""

import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from opsconsole.core.content import shipped_content
from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.values import Table, Value, Vector
from opsconsole.runbooks.library import Library
from opsconsole.screens.clock import Timer
from opsconsole.screens.definition import Screen
from opsconsole.screens.loading import load_screens
from opsconsole.screens.poller import OnReadings, Poller, Read
from opsconsole.ui.session import Session
from tests.screens.fake_session import NOW, fake_session
from tests.screens.recording import decode, key_of, load

State = Literal["live", "stale", "error", "empty"]
STATES: tuple[State, ...] = ("live", "stale", "error", "empty")


class _NoTimer:
    def cancel(self) -> None:
        """Nothing was ever going to happen."""


class StillClock:
    """Time that does not pass: what is due at once happens, nothing else does."""

    def now(self) -> float:
        """Always the same moment."""
        return NOW

    def monotonic(self) -> float:
        """Always the same moment."""
        return 1000.0

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Never."""
        return _NoTimer()


class StillSources:
    """Answers from the recording, until they are told to fail."""

    def __init__(self, state: State) -> None:
        self.failing = state == "error"
        self.empty = state == "empty"
        self._recorded = load()

    async def read(self, query: Query) -> Answer:
        """What was recorded, as of now."""
        if self.failing:
            raise SourceError(query.source, "unreachable", "connection refused at 127.0.0.1")
        return Answer(self._value(query), NOW, 0.004)

    def _value(self, query: Query) -> Value:
        nothing: Value = Table(("nothing",), ()) if query.source.startswith("postgres") else Vector(())
        said = self._recorded.get(key_of(query))
        return nothing if self.empty or said is None else decode(said, NOW)


def still_poller(read: Read, on_readings: OnReadings) -> Poller:
    """A poller on the still clock, its jitter always the same."""
    return Poller(read, on_readings, clock=StillClock(), random=lambda: 0.5, gather=0.0)


@cache
def _shipped_screens() -> tuple[Screen, ...]:
    """Read once: what is read is a value, and reading it was a tenth of a picture."""
    screens, problems = load_screens(shipped_content() / "screens")
    assert not problems
    return tuple(screens)


def still_session(folder: Path, sources: StillSources, **changes: Any) -> Session:
    """The shipped screens and runbooks on recorded answers."""
    screens = _shipped_screens()
    # One shipped runbook, so that pictures do not change with every other one that is added.
    books = folder / "shipped"
    books.mkdir(exist_ok=True)
    shutil.copy(shipped_content() / "runbooks" / "SERVICE-RESTART-PROCEDURES.md", books)
    known: Mapping[str, Any] = {
        "load_screens": lambda: (screens, ()),
        "read": sources.read,
        "library": lambda: Library(books),
        "make_poller": still_poller,
        "sources": ("prometheus", "postgres/app", "sla", "alerts", "errors"),
        "derived": ("sla", "alerts", "errors"),
    }
    return fake_session(folder, **{**known, **changes})
