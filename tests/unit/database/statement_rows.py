"""Statements made by hand."""

from dataclasses import replace
from typing import Any

from opsconsole.database.statement_usage import Span, Usage
from opsconsole.database.statements import Counters, Entry, Key, Snapshot

MOMENT = 1_764_000_000.0


def entry(queryid: int, calls: float, total: float, *, stddev: float = 0.0, most: float = 0.0, **more: Any) -> Entry:
    """A statement of alice in app with `more` counters; `since` is for the entry."""
    since = more.pop("since", None)
    counters = Counters(calls=calls, total=total, **more)
    return Entry(
        Key(10, 5, queryid, True), "alice", "app", counters, 0.0, most, total / calls if calls else 0.0, stddev, since
    )


def snapshot(*entries: Entry, at: float = 0.0, **more: Any) -> Snapshot:
    """All statements, `at` seconds after MOMENT."""
    return Snapshot(MOMENT + at, entries, **more)


def span(*usages: Usage, system: str = "1", version: str = "15.4", seconds: float = 10.0, **more: Any) -> Span:
    """What was done within `seconds`."""
    total = sum(usage.counters.total for usage in usages)
    return replace(Span(MOMENT, MOMENT + seconds, usages, total, system, version, "app"), **more)


def usage(queryid: int, calls: float, mean: float, *, text: str = "", **more: Any) -> Usage:
    """A statement that took `mean` seconds `calls` times within ten seconds."""
    counters = Counters(calls=calls, total=calls * mean, **more)
    return Usage(Key(10, 5, queryid, True), "alice", "app", counters, 10.0, 0.0, mean, text=text)
