"""Before and after: what became of each statement between two captures."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from opsconsole.database.statement_usage import Span, Usage

FACTOR = 1.5
"""The mean has to change by that much …"""
LEAST = 0.001
"""… and by that many seconds, for a microsecond more or less is noise …"""
_SAME_RESET = 0.002
"""Seconds: a capture keeps the moment of the reset to the millisecond."""
CALLS = 20
"""… over that many calls on both sides, for a few say nothing of the next."""


class Verdict(StrEnum):
    """What became of a statement."""

    SLOWER = "slower"
    FASTER = "faster"
    NEW = "new"
    GONE = "gone"
    SAME = "same"
    """No change that counts."""
    UNSURE = "unsure"
    """The mean changed that much, over too few calls."""


@dataclass(frozen=True, slots=True)
class Change:
    """One statement in both captures; None where it is not in one."""

    before: Usage | None
    after: Usage | None
    verdict: Verdict

    @property
    def usage(self) -> Usage:
        """The later one there is."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def factor(self) -> float | None:
        """Mean after by mean before."""
        if self.before is None or self.after is None or not self.before.mean:
            return None
        return self.after.mean / self.before.mean

    @property
    def effect(self) -> float:
        """Seconds that the later span would have been spared (or cost) had nothing changed."""
        if self.before is None or self.after is None:
            return self.usage.counters.total
        return abs(self.after.mean - self.before.mean) * self.after.counters.calls


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two captures, statement by statement; what matters most first."""

    before: Span
    after: Span
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    """What makes them comparable only in part."""

    def count(self, verdict: Verdict) -> int:
        """How many statements it is the verdict of."""
        return sum(change.verdict is verdict for change in self.changes)

    @property
    def regressions(self) -> tuple[Change, ...]:
        """Those that became slower, dearest first."""
        return tuple(change for change in self.changes if change.verdict is Verdict.SLOWER)


_ORDER = {verdict: place for place, verdict in enumerate(Verdict)}


def compare(before: Span, after: Span) -> Comparison:
    """What became of each statement. In one cluster they are known by their ids; else by their texts."""
    same = bool(before.system) and before.system == after.system and _major(before) == _major(after)
    earlier, later = _by_identity(before.usages, same), _by_identity(after.usages, same)
    # What a capture of a few statements lacks is neither new nor gone.
    names = [name for name in later if name in earlier or not before.partial]
    names += [name for name in earlier if name not in later and not after.partial]
    changes = [_change(earlier.get(name), later.get(name)) for name in names]
    changes.sort(key=lambda change: (_ORDER[change.verdict], -change.effect))
    return Comparison(before, after, tuple(changes), tuple(_notes(before, after, same)))


def beyond(before: Span, after: Span) -> Span:
    """What was done after `before`, where both count from the same reset; else `after` as it is.

    A baseline that is part of what is counted since would thin every change out: days of old calls beside an hour of
    new ones.
    """
    began = (before.began_at, after.began_at)
    same = bool(before.system) and before.system == after.system and None not in began
    if not same or abs((began[0] or 0.0) - (began[1] or 0.0)) > _SAME_RESET or before.ended_at >= after.ended_at:
        return after
    known = {usage.key: usage for usage in before.usages}
    seconds = after.ended_at - before.ended_at
    usages = [_since(known.get(usage.key), usage, seconds) for usage in after.usages]
    done = tuple(usage for usage in usages if usage.counters.calls > 0)
    total = sum(usage.counters.total for usage in done)
    return replace(
        after, began_at=before.ended_at, usages=tuple(
            replace(usage, share=usage.counters.total / total if total else 0.0) for usage in done
        ), total=total,
    )  # fmt: skip


def _since(before: Usage | None, after: Usage, seconds: float) -> Usage:
    if before is None or after.counters.calls < before.counters.calls:  # evicted and back: all of it is new
        return replace(after, seconds=seconds)
    return replace(after, counters=after.counters - before.counters, seconds=seconds)


def _by_identity(usages: Iterable[Usage], same: bool) -> dict[object, Usage]:
    """A queryid is made of object ids: it means something else in another cluster, or after an upgrade."""
    if same:
        return {usage.key: usage for usage in usages}
    return {(usage.user, usage.database, usage.text, usage.key.toplevel): usage for usage in usages if usage.text}


def _change(before: Usage | None, after: Usage | None) -> Change:
    if before is None:
        return Change(before, after, Verdict.NEW)
    if after is None:
        return Change(before, after, Verdict.GONE)
    return Change(before, after, _verdict(before, after))


def _verdict(before: Usage, after: Usage) -> Verdict:
    low, high = sorted((before.mean, after.mean))
    if high < low * FACTOR or high - low < LEAST:
        return Verdict.SAME
    if min(before.counters.calls, after.counters.calls) < CALLS:
        return Verdict.UNSURE
    return Verdict.SLOWER if after.mean > before.mean else Verdict.FASTER


def _notes(before: Span, after: Span, same: bool) -> list[str]:
    notes = []
    if not same:
        without = sum(not usage.text for span in (before, after) for usage in span.usages)
        notes.append("the captures are of different clusters or versions: statements are matched by their texts")
        if without:
            notes.append(f"{without} statements without a text are left out")
    if before.partial or after.partial:
        notes.append("a capture holds only some statements: what is new or gone cannot be told; --limit 0 keeps all")
    if before.ended_at > after.ended_at:
        notes.append("the first capture is the later one")
    if same and before.began_at is not None and before.began_at == after.began_at:
        notes.append(
            "both count from the same moment on: the later holds the earlier, and a change shows weakly; "
            "captures with --window do not"
        )
    return notes


def _major(span: Span) -> str:
    return span.version.partition(".")[0]
