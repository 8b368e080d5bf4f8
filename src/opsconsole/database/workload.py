"""Which indexes the workload lacks: the dearest statements, what they look for, and what an index would make of their
cost. Where that cannot be reckoned it is a guess, and says so.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.reading import SourceError
from opsconsole.database import statements, workload_parsing
from opsconsole.database.asking import Database
from opsconsole.database.catalog import Catalog
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row
from opsconsole.database.tables import Table, read_tables
from opsconsole.database.workload_candidates import (
    Candidate,
    ColumnFacts,
    Relation,
    Resolved,
    UnresolvedError,
    candidates,
    covered,
    likely,
    merged,
    resolve,
    schemas_of,
)
from opsconsole.database.workload_costs import Scales, Weighed, refusal, scales

HYPOPG = "hypopg"
MOST_STATEMENTS = 100
"""The dearest ones, which are looked at: together they are nearly always nearly all of the time."""
LEAST_GAIN = 0.3
"""Share of a statement's cost that has to be saved for an index to be proposed; every write pays for it."""
LEAST_PART = 0.1
"""Share that one of several indexes has to save beside the others."""
NEARLY = 0.95
"""Share of what an index saves that one with less columns has to save to be taken instead."""
LEAST_COST = 100.0
"""Cost of a statement, in the planner's unit, below which no index is worth it (source: dexter's --min-cost)."""
LEAST_MEAN = 0.001
"""Seconds that a statement takes, below which it is not looked at where nothing is costed."""
_PIECES = MOST_STATEMENTS * 21
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

    queryid: int
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
class _Judged:
    """One statement on its way."""

    usage: Usage
    statement: Resolved


async def read_workload(database: Database, *, limit: int = MOST_STATEMENTS) -> Workload:
    """What the `limit` dearest statements of the database lack. None of them is run.

    Raises:
        SourceError: the database cannot be asked. That this cannot be read (a time-out, a privilege) is a note.
    """
    try:
        return await _read(database, limit)
    except SourceError as error:
        if error.kind in ("unreachable", "gone"):
            raise
        return Workload(coverage=Coverage((f"what the workload lacks could not be read: {error}",)))


async def _read(database: Database, limit: int) -> Workload:
    catalog = await database.catalog()
    reason = statements.why_not(catalog)
    if reason is None and not workload_parsing.available():
        reason = workload_parsing.MISSING
    if reason is not None:
        return await _scanned(database, reason)
    usages, seconds, taken_at = await _usages(database, catalog, limit)
    judged, notes = await _judged(database, usages)
    notes += (
        [] if catalog.sees_all else [f"statements of other roles are hidden: grant pg_read_all_stats to {catalog.role}"]
    )
    weighing = await _weighed(database, catalog, judged) if judged else ([], [])
    return Workload(tuple(weighing[0]), (), seconds, taken_at, Coverage((*notes, *weighing[1])))


async def _scanned(database: Database, reason: str) -> Workload:
    """Instead of statements the tables that are read whole: all that can be said without them."""
    found = await read_tables(database, sort="seq", limit=50, exact=False)
    note = f"indexes that the workload lacks are guessed at by sequential scans (heuristic): {reason}"
    return Workload((), found.tables, None, found.taken_at, Coverage((note,)))


async def _usages(database: Database, catalog: Catalog, limit: int) -> tuple[list[Usage], float | None, float]:
    binds = {"SCHEMA": catalog.extensions[statements.EXTENSION].schema}
    about = (await database.rows("statements_about", binds)).one
    answer = await database.rows("workload_statements", binds | {"limit": str(limit)}, most=_PIECES)
    reset = about.moment("stats_reset")
    seconds = max(1.0, answer.taken_at - reset) if reset is not None else None
    return usages_of(answer), seconds, answer.taken_at


def usages_of(rows: Iterable[Row]) -> list[Usage]:
    """The statements whose pieces these are, in their order."""
    pieces: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        pieces.setdefault((row.count("user_id"), row.count("queryid")), []).append(row)
    return [
        Usage(
            queryid,
            some[0].text("user_name"),
            user_id,
            some[0].number("calls") or 0.0,
            some[0].number("total") or 0.0,
            bytes.fromhex("".join(one.text("query") for one in some)).decode("utf-8", "replace"),
            whole=not some[0].flag("cut"),
        )
        for (user_id, queryid), some in pieces.items()
    ]


async def _judged(database: Database, usages: Sequence[Usage]) -> tuple[list[_Judged], list[str]]:
    """Those that can be, with their tables; and why the others cannot."""
    left: Counter[str] = Counter()
    # The parser is imported here, and has long texts before it: not on the event loop.
    parsed = await asyncio.to_thread(_parsed, usages, left)
    relations = await _relations(database, [one for _, one in parsed])
    paths = await _paths(database, usages)
    found = []
    for usage, one in parsed:
        try:
            found.append(_Judged(usage, resolve(one, paths.get(usage.user_id, ("public",)), relations)))
        except UnresolvedError as error:
            left[
                f"names {clean_line(error, limit=130)}, which is not there (temporary, dropped, or of another path)"
            ] += 1
    return found, told(left, len(usages))


def _parsed(usages: Iterable[Usage], left: Counter[str]) -> list[tuple[Usage, workload_parsing.Parsed]]:
    found = []
    for usage in usages:
        try:
            if not usage.whole:
                raise workload_parsing.NotPlannedError("unparsable")
            found.append((usage, workload_parsing.parse(usage.text)))
        except workload_parsing.NotPlannedError as error:
            # Commands have no rows to find: nothing that anybody would miss.
            if str(error) == "unparsable":
                left["cannot be parsed: it was cut off, or is too long"] += 1
    return found


def told(left: Mapping[str, int], of: int) -> list[str]:
    """One note about the statements that were left out, with the most frequent reason first."""
    if not left:
        return []
    count = sum(left.values())
    reasons = sorted(left.items(), key=lambda one: (-one[1], one[0]))
    several = f"; {len(reasons) - 1} more reasons" if len(reasons) > 1 else ""
    which = "one" if reasons[0][1] == 1 else str(reasons[0][1])
    return [f"{count} of the {of} dearest statements are not judged: {which} {reasons[0][0]}{several}"]


async def _relations(database: Database, parsed: Sequence[workload_parsing.Parsed]) -> dict[str, list[Relation]]:
    """All tables and views that are called as statements call theirs, by name."""
    names = sorted({name for one in parsed for _, name in one.tables})
    columns = sorted({name for one in parsed for name in _columns(one)})
    if not names:
        return {}
    found = await database.rows("workload_relations", {"names": json.dumps(names)}, most=5000)
    oids = ",".join(row.text("oid") for row in found)
    facts: dict[str, dict[str, ColumnFacts]] = {}
    keys: dict[str, list[tuple[str, ...]]] = {}
    if oids:
        rows = {row.text("oid"): row.number("rows") or 0.0 for row in found}
        for row in await database.rows("workload_columns", {"tables": oids, "names": json.dumps(columns)}, most=20_000):
            distinct = row.number("n_distinct")
            if distinct is not None and distinct < 0:
                distinct *= -rows[row.text("oid")]
            # Nobody counted: the server has 0 for that.
            known = ColumnFacts(distinct or None, row.flag("indexable"))
            facts.setdefault(row.text("oid"), {})[row.text("name")] = known
        for row in await database.rows("workload_indexes", {"tables": oids}, most=20_000):
            with suppress(json.JSONDecodeError):
                keys.setdefault(row.text("oid"), []).append(tuple(map(str, row.list("columns"))))
    relations: dict[str, list[Relation]] = {}
    for row in found:
        one = _relation(row, facts.get(row.text("oid"), {}), keys.get(row.text("oid"), []))
        relations.setdefault(one.name, []).append(one)
    return relations


def _columns(one: workload_parsing.Parsed) -> Iterable[str]:
    for block in one.blocks:
        yield from (column.name for column in block.order)
        for group in (block.conditions, *block.arms):
            for condition in group:
                yield from (column.name for column in (condition.column, *condition.others))


def _relation(row: Row, columns: Mapping[str, ColumnFacts], indexes: Sequence[tuple[str, ...]]) -> Relation:
    return Relation(
        row.text("oid"),
        row.text("schema"),
        row.text("name"),
        row.text("kind"),
        rows=row.number("rows") or 0.0,
        analyzed=not row.flag("unknown"),
        bytes=row.number("bytes") or 0.0,
        seq_scans=row.number("seq_scans") or 0.0,
        writes=row.number("writes") or 0.0,
        trusted=row.flag("trusted"),
        columns=columns,
        indexes=tuple(indexes),
    )


async def _paths(database: Database, usages: Iterable[Usage]) -> dict[int, tuple[str, ...]]:
    users = sorted({one.user_id for one in usages})
    if not users:
        return {}
    rows = await database.rows("workload_paths", {"users": ",".join(map(str, users))})
    return {row.count("user_id"): schemas_of(row.text("search_path"), row.text("user_name")) for row in rows}


async def _weighed(database: Database, catalog: Catalog, judged: Sequence[_Judged]) -> tuple[list[Missing], list[str]]:
    """What is missing, costed where hypopg is there."""
    if HYPOPG not in catalog.extensions or database.settings is None:
        return uncosted(judged), [_without_costs(database, catalog)]
    names = sorted({name for one in judged for name in one.statement.parsed.functions})
    rows = await database.rows("workload_untrusted", {"names": json.dumps(names)})
    untrusted = {row.text("name") for row in rows}
    left = _Left()
    weighable = []
    for one in judged:
        if why := refusal(one.statement, untrusted):
            left.add(one, f"cannot be costed: {why}")
        else:
            weighable.append(one)
    try:
        async with scales(database.settings, catalog.extensions[HYPOPG].schema) as on:
            found = await _proposed(on, weighable, left)
    except SourceError as error:
        return uncosted(judged), [f"what an index would save is not reckoned (heuristic): {error.message}"]
    guessed = [one for one in uncosted(left.statements) if not _among(one, found)]
    return found + guessed, told(left.reasons, len(judged))


@dataclass(slots=True)
class _Left:
    """What could not be costed, and why."""

    statements: list[_Judged] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, one: _Judged, reason: str) -> None:
        self.statements.append(one)
        self.reasons[reason] += 1


def _among(one: Missing, found: Iterable[Missing]) -> bool:
    """Whether an index that is proposed already does the work of `one`."""
    wider = [other.columns for other in found if other.relation.oid == one.relation.oid]
    return covered(one.columns, len(one.columns), wider)


async def _proposed(on: Scales, judged: Sequence[_Judged], left: _Left) -> list[Missing]:
    """Weigh each statement with all that might help it, then those that remain with what remains."""
    chosen: dict[Candidate, None] = {}
    helped: list[_Judged] = []
    for one in judged:
        wanted = candidates(one.statement)
        if not wanted:
            continue
        if on.spent:
            left.add(one, "were not costed: the time for that was up")
            continue
        found = await on.weigh(one.statement, wanted)
        if found.failed:
            left.add(one, f"cannot be costed: {found.failed}")
        elif worth(found):
            chosen |= dict.fromkeys(sorted(await _narrowest(on, one.statement, found)))
            helped.append(one)
    final = set(merged(chosen).values())
    weighed = []
    for one in helped:
        oids = {relation.oid for relation in one.statement.tables.values()}
        tried = sorted(candidate for candidate in final if candidate.oid in oids)
        weighed.append((one, await on.weigh(one.statement, tried, each=True)))
    return proposals(weighed)


async def _narrowest(on: Scales, statement: Resolved, found: Weighed) -> frozenset[Candidate]:
    """The indexes that a statement uses, with as few of their columns as save nearly as much."""
    for width in range(1, max(len(one.columns) for one in found.used)):
        narrow = frozenset(one._replace(columns=one.columns[:width]) for one in found.used)
        costs = await on.weigh(statement, narrow)
        if not costs.failed and costs.before - costs.after >= NEARLY * (found.before - found.after):
            return costs.used
    return found.used


def worth(costs: Weighed) -> bool:
    """Whether the cost falls by enough."""
    return bool(costs.used) and costs.before >= LEAST_COST and costs.after <= costs.before * (1 - LEAST_GAIN)


def proposals(weighed: Iterable[tuple["_Judged", Weighed]]) -> list[Missing]:
    """The indexes that save enough of some statement's cost, each once, with all the statements it helps."""
    found: dict[Candidate, Missing] = {}
    for one, costs in weighed:
        for candidate in sorted(costs.used) if worth(costs) else ():
            gain = costs.gains[candidate] / costs.before
            if gain >= LEAST_PART:
                served = _served(one.usage, costs.before, costs.after, gain)
                _add(found, candidate, one.statement, served, costs.bytes.get(candidate))
    return sorted(found.values(), key=lambda one: -sum(served.saved for served in one.served))


def uncosted(judged: Iterable["_Judged"]) -> list[Missing]:
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
    return Served(usage.queryid, usage.user, usage.calls, usage.seconds, text, before, after, gain)


def _without_costs(database: Database, catalog: Catalog) -> str:
    """Why nothing is costed, and what has to be done."""
    said = "what an index would save is not reckoned (heuristic)"
    if HYPOPG in catalog.extensions:
        return f"{said}: no connection of its own can be had here"
    if HYPOPG in catalog.available:
        conn = f" --conn {database.name}" if database.name else ""
        return f"{said}: run: opsconsole db create-extension hypopg{conn}"
    major = catalog.version.partition(".")[0]
    return (
        f"{said}: install hypopg on the server (postgresql-{major}-hypopg), then opsconsole db create-extension hypopg"
    )
