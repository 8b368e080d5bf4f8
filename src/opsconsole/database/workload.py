"""Which indexes the workload lacks: the statements that took most of the time, and what an index would make of their
cost. Where that was not reckoned it is a guess, and says so. Pure; `workload_reading` asks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from opsconsole.core.clean import clean
from opsconsole.database.finding import Coverage
from opsconsole.database.tables import Table
from opsconsole.database.workload_candidates import Candidate, Relation, Resolved, covered, likely, merged
from opsconsole.database.workload_costs import Weighed

LEAST_PART = 0.1
"""Share that one of several indexes has to save beside the others."""
LEAST_MEAN = 0.001
"""Seconds that a statement takes, below which it is not looked at where nothing is costed."""

_SHOWN_TEXT = 300


@dataclass(frozen=True, slots=True)
class Usage:
    """A statement that somebody ran."""

    queryid: int
    user: str
    user_id: int
    calls: float
    seconds: float
    """All calls together."""
    text: str
    """As it is: nothing to show."""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Served:
    """A statement that an index would help."""

    queryid: str
    """As text: programs that read JSON round such numbers."""
    user: str
    calls: float
    seconds: float
    text: str
    """Its beginning, clean."""
    before: float | None = None
    """Cost as the planner reckons it; None where it was not asked."""
    after: float | None = None
    """With all the indexes that are proposed."""
    gain: float = 0.0
    """Share of the cost that this index takes away, beside the others."""

    @property
    def saved(self) -> float:
        """Seconds it would have spared, if time goes with cost."""
        return self.seconds * min(1.0, self.gain)


@dataclass(frozen=True, slots=True)
class Missing:
    """An index that the workload lacks."""

    relation: Relation
    columns: tuple[str, ...]
    served: tuple[Served, ...]
    costed: bool
    bytes: float | None = None
    """How large it would be."""
    guessed: bool = False
    """The schema of its table is not on the path of who ran the statements."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What the workload lacks, at one moment."""

    missing: tuple[Missing, ...] = ()
    scanned: tuple[Table, ...] = ()
    """Where statements cannot be looked at: tables that are read whole. By columns nothing is known of them."""
    seconds: float | None = None
    """Over which the statements were counted; None where that is not known."""
    taken_at: float = 0.0
    coverage: Coverage = field(default_factory=Coverage)


@dataclass(frozen=True, slots=True)
class Judged:
    """One statement on its way."""

    usage: Usage
    statement: Resolved


def proposals(weighed: Iterable[tuple[Judged, Weighed]]) -> list[Missing]:
    """The indexes that save enough of some statement's cost, each once, with all the statements it helps."""
    found: dict[Candidate, Missing] = {}
    for one, costs in weighed:
        for candidate in sorted(costs.used) if costs.worth else ():
            gain = costs.gains[candidate] / costs.before
            if gain >= LEAST_PART:
                served = _served(one.usage, costs.before, costs.after, gain)
                _add(found, candidate, one.statement, served, costs.bytes.get(candidate))
    return sorted(found.values(), key=lambda one: -sum(served.saved for served in one.served))


def uncosted(judged: Iterable[Judged]) -> list[Missing]:
    """What statements look for without an index that finds it, by statistics alone; the dearest first."""
    wanted = [
        (candidate, one)
        for one in judged
        if one.usage.seconds >= LEAST_MEAN * one.usage.calls
        for candidate in likely(one.statement)
    ]
    stands = merged(candidate for candidate, _ in wanted)
    found: dict[Candidate, Missing] = {}
    for candidate, one in wanted:
        _add(found, stands[candidate], one.statement, _served(one.usage), None)
    return sorted(found.values(), key=lambda one: -sum(served.seconds for served in one.served))


def _add(
    found: dict[Candidate, Missing], candidate: Candidate, statement: Resolved, served: Served, size: float | None
) -> None:
    before = found.get(candidate)
    if before is None:
        relation = next(one for one in statement.tables.values() if one.oid == candidate.oid)
        costed = served.before is not None
        found[candidate] = Missing(relation, candidate.columns, (served,), costed, size, statement.guessed)
    else:
        guessed = before.guessed or statement.guessed
        found[candidate] = replace(before, served=(*before.served, served), guessed=guessed)


def _served(usage: Usage, before: float | None = None, after: float | None = None, gain: float = 0.0) -> Served:
    text = clean(usage.text[:_SHOWN_TEXT])
    return Served(str(usage.queryid), usage.user, usage.calls, usage.seconds, text, before, after, gain)


def among(one: Missing, found: Iterable[Missing]) -> bool:
    """Whether an index that is proposed already does the work of `one`."""
    wider = [other.columns for other in found if other.relation.oid == one.relation.oid]
    return covered(one.columns, len(one.columns), wider)


def told(left: Mapping[str, int], of: int, which: str) -> list[str]:
    """One note about those of the `of` statements that were left out, with the most frequent reason."""
    if not left:
        return []
    count = sum(left.values())
    reasons = sorted(left.items(), key=lambda one: (-one[1], one[0]))
    more = f"; {len(reasons) - 1} more reasons" if len(reasons) > 2 else "; one more reason" if len(reasons) > 1 else ""
    first = "one" if reasons[0][1] == 1 else str(reasons[0][1])
    return [f"{count} of {of} statements {which} are left out: {first} {reasons[0][0]}{more}"]
