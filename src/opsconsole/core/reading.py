"""A query, and what came of it. Truth has an age: a reading says when, from where, and how well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from opsconsole.core.state import State
from opsconsole.core.values import Cell, Value, is_empty

OnRows = Callable[[tuple[str, ...], Sequence[tuple[Cell, ...]]], None]
"""Is given the names of the columns, and rows."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question to a source. Equal queries are one question: they share a schedule and an answer.

    `window` 0 asks for now; otherwise for that many seconds up to `end` (None: now, moving along),
    one point each `step` seconds (0: the source chooses). `binds` are values for the `:'NAME'` slots of
    an SQL text; they never become part of the text.
    """

    source: str
    """As content names it: `prometheus`, `postgres/NAME`, `redis`; and `pgbouncer/NAME`, which no content names."""
    text: str
    window: float = 0.0
    step: float = 0.0
    end: float | None = None
    """Unix seconds, or None for now."""
    binds: tuple[tuple[str, str], ...] = ()
    max_rows: int = 500
    on_rows: OnRows | None = field(default=None, compare=False, repr=False)
    """Is given the rows of a table as they come, where the source can do that, so that what is made of a large one is
    nearly made when its end is there. The answer has all of them in any case; a failed reading may have had some."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source said: the value, what it cost, and what it wants known about it."""

    value: Value
    taken_at: float
    """Unix seconds at which the value was true."""
    took: float
    """Seconds from asking to the whole answer."""
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


class SourceError(Exception):
    """A source could not answer.

    `kind` is one of: unreachable, timeout, refused (credentials, permission), bad-query, overloaded,
    garbage (not the protocol), gone (cancelled, restarting), unsupported, internal.
    """

    def __init__(self, source: str, kind: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.source = source
        self.kind = kind
        self.message = message
        self.hint = hint
        """What to do about it, or empty."""

    def __str__(self) -> str:
        return f"{self.source}: {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Reading:
    """The latest known of one query.

    `state` is OK (fresh), STALE (the last good value, kept because newer attempts fail), UNKNOWN (never
    answered yet, or answered with nothing) or ERROR (the source fails and there is no earlier value).
    Whether the *value* is good or bad is for thresholds to say, not for the reading.
    """

    source: str
    value: Value | None = None
    taken_at: float | None = None
    """Unix seconds of the value, not of the attempt."""
    state: State = State.UNKNOWN
    error: str | None = None
    took: float = 0.0
    warnings: tuple[str, ...] = ()
    failing_since: float | None = None
    """Unix seconds of the first failure of the current row of failures."""
    retry_at: float | None = None
    """Unix seconds of the next attempt, while failing."""

    def age(self, now: float) -> float | None:
        """Seconds since the value was taken, never negative (clocks step back); None without a value."""
        return None if self.taken_at is None else max(0.0, now - self.taken_at)

    def succeeded(self, answer: Answer) -> "Reading":
        """The reading after a good answer."""
        empty = is_empty(answer.value)
        return Reading(
            source=self.source,
            value=answer.value,
            taken_at=answer.taken_at,
            state=State.UNKNOWN if empty else State.OK,
            took=answer.took,
            warnings=answer.warnings,
        )

    def failed(self, error: str, *, now: float, took: float, retry_at: float | None = None) -> "Reading":
        """The reading after a failed attempt: the last good value stays, marked STALE."""
        return replace(
            self,
            state=State.ERROR if self.value is None else State.STALE,
            error=error,
            took=took,
            failing_since=now if self.failing_since is None else self.failing_since,
            retry_at=retry_at,
        )

    def aged(self, now: float, limit: float) -> "Reading":
        """The reading as seen at `now`: one that is older than `limit` seconds turns STALE by itself."""
        age = self.age(now)
        if self.state is State.OK and age is not None and age > limit:
            return replace(self, state=State.STALE)
        return self


class Source(Protocol):
    """Anything that answers queries."""

    name: str

    async def read(self, query: Query) -> Answer:
        """Ask once.

        Raises:
            SourceError: whatever went wrong, in words for the operator.
        """
        ...

    async def probe(self) -> "Capabilities":
        """Connect and say what is there.

        Raises:
            SourceError: when it cannot be reached.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. The source can be used again afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a source turned out to be and to allow."""

    product: str
    """`Prometheus`, `VictoriaMetrics`, `PostgreSQL`, …"""
    version: str
    features: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    """What cannot be seen and how to allow it, one sentence each."""
