"""Reading which indexes the workload lacks: the statements, their tables, and what the planner says of them."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.database import statements, workload_parsing
from opsconsole.database.asking import Database
from opsconsole.database.catalog import Catalog
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row
from opsconsole.database.tables import read_tables
from opsconsole.database.workload import (
    Judged,
    Missing,
    Usage,
    Workload,
    among,
    proposals,
    told,
    uncosted,
)
from opsconsole.database.workload_candidates import (
    ColumnFacts,
    Relation,
    UnresolvedError,
    candidates,
    merged,
    resolve,
    schemas_of,
)
from opsconsole.database.workload_costs import Scales, Weighed, refusal, scales

HYPOPG = "hypopg"
MOST_STATEMENTS = 100
"""The dearest ones, which are looked at: together they are nearly always nearly all of the time."""
_PIECES = MOST_STATEMENTS * 21


async def read_workload(database: Database, *, limit: int = MOST_STATEMENTS, scans: bool = True) -> Workload:
    """What the `limit` dearest statements of the database lack. None of them is run. With `scans` the tables that are
    read whole have to do where statements cannot be looked at.

    Raises:
        SourceError: the database cannot be asked. That this cannot be read (a time-out, a privilege) is a note.
    """
    try:
        return await _read(database, limit, scans=scans)
    except SourceError as error:
        if error.kind in ("unreachable", "gone"):
            raise
        return Workload(coverage=Coverage((f"what the workload lacks could not be read: {error}",)))


async def _read(database: Database, limit: int, *, scans: bool) -> Workload:
    catalog = await database.catalog()
    reason = statements.why_not(catalog)
    if reason is None and not workload_parsing.available():
        reason = workload_parsing.MISSING
    if reason is not None:
        return await _scanned(database, reason, scans=scans)
    usages, seconds, taken_at = await _usages(database, catalog, limit)
    judged, notes = await _judged(database, usages)
    notes += [] if catalog.sees_all else [f"statements of other roles are hidden: {catalog.grant('pg_read_all_stats')}"]
    weighing = await _weighed(database, catalog, judged) if judged else ([], [])
    return Workload(tuple(weighing[0]), (), seconds, taken_at, Coverage((*notes, *weighing[1])))


async def _scanned(database: Database, reason: str, *, scans: bool) -> Workload:
    """Instead of statements the tables that are read whole: all that can be said without them."""
    note = f"indexes that the workload lacks are guessed at by sequential scans (heuristic): {reason}"
    if not scans:
        return Workload(coverage=Coverage((note,)))
    found = await read_tables(database, sort="seq", limit=50, exact=False)
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


async def _judged(database: Database, usages: Sequence[Usage]) -> tuple[list[Judged], list[str]]:
    """Those that can be, with their tables; and why the others cannot."""
    left: Counter[str] = Counter()
    # The parser is imported here, and has long texts before it: not on the event loop.
    parsed = await asyncio.to_thread(_parsed, usages, left)
    relations = await _relations(database, [one for _, one in parsed])
    paths = await _paths(database, usages)
    found = []
    for usage, one in parsed:
        try:
            found.append(Judged(usage, resolve(one, paths.get(usage.user_id, ("public",)), relations)))
        except UnresolvedError as error:
            left[
                f"names {clean_line(error, limit=130)}, which is not there (temporary, dropped, or of another path)"
            ] += 1
    return found, told(left, len(usages), "that took most of the time")


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


async def _weighed(database: Database, catalog: Catalog, judged: Sequence[Judged]) -> tuple[list[Missing], list[str]]:
    """What is missing, costed where hypopg is there."""
    if HYPOPG not in catalog.extensions or database.settings is None:
        return uncosted(judged), [_without_costs(database, catalog)]
    wanting = [one for one in judged if candidates(one.statement)]
    names = sorted({name for one in wanting for name in one.statement.parsed.functions})
    rows = await database.rows("workload_untrusted", {"names": json.dumps(names)}) if names else ()
    untrusted = {row.text("name") for row in rows}
    left = _Left()
    weighable = []
    for one in wanting:
        if why := refusal(one.statement, untrusted):
            left.add(one, f"cannot be costed: {why}")
        else:
            weighable.append(one)
    try:
        async with scales(database.settings, catalog.extensions[HYPOPG].schema) as on:
            found = await _proposed(on, weighable, left)
    except SourceError as error:
        return uncosted(judged), [f"what an index would save is not reckoned (heuristic): {error.message}"]
    guessed = [one for one in uncosted(left.statements) if not among(one, found)]
    return found + guessed, told(left.reasons, len(wanting), "that look for columns without an index")


@dataclass(slots=True)
class _Left:
    """What could not be costed, and why."""

    statements: list[Judged] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, one: Judged, reason: str) -> None:
        self.statements.append(one)
        self.reasons[reason] += 1


async def _proposed(on: Scales, judged: Sequence[Judged], left: _Left) -> list[Missing]:
    """Weigh each statement with all that might help it, and once more where a wider index does the work of its own."""
    helped: list[tuple[Judged, Weighed]] = []
    for one in judged:
        if on.spent:
            left.add(one, "was not costed in the time for that")
            continue
        found = await on.weigh(one.statement, candidates(one.statement))
        if found.failed:
            left.add(one, f"cannot be costed: {found.failed}")
        elif found.worth:
            helped.append((one, found))
    stands = merged(candidate for _, found in helped for candidate in found.used)
    weighed = []
    for one, found in helped:
        wider = frozenset(stands[candidate] for candidate in found.used)
        again = found if wider == found.used else await on.weigh(one.statement, wider, narrow=False)
        weighed.append((one, again))
    return proposals(weighed)


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
