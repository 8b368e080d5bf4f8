"""From what statements look for to the indexes that might find it: names are resolved, columns put into order. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from opsconsole.database.indexes import TINY_ROWS
from opsconsole.database.workload_parsing import Block, Column, Condition, Parsed, Table

MOST_COLUMNS = 3
"""Of an index that is proposed: a wider one is seldom worth what it costs every write."""
MOST_CANDIDATES = 16
"""Of one statement, which are planned for at once."""
_SYSTEM = frozenset({"pg_catalog", "information_schema"})
_INDEXED = frozenset({"r", "m", "p"})
"""Kinds of relations that have rows of their own, or partitions that have."""


class ColumnFacts(NamedTuple):
    """What is known of a column."""

    distinct: float | None
    """Values, of the whole table; None where nobody counted, or this role may not know."""
    indexable: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, or a view, that statements name."""

    oid: str
    schema: str
    name: str
    kind: str
    """As pg_class.relkind has it."""
    rows: float = 0.0
    analyzed: bool = True
    """Its rows were counted once: what the planner says of it is no mere guess."""
    bytes: float = 0.0
    seq_scans: float = 0.0
    writes: float = 0.0
    """Rows that were written so that its indexes had to follow."""
    trusted: bool = True
    """Planning it runs nobody's code with the rights of this role."""
    columns: Mapping[str, ColumnFacts] = field(default_factory=lambda: MappingProxyType({}))
    """Those that statements look for."""
    indexes: tuple[tuple[str, ...], ...] = ()
    """The columns of its B-tree indexes that serve any query."""


class Candidate(NamedTuple):
    """An index that there is not."""

    oid: str
    """Of its table."""
    schema: str
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A statement whose tables are known."""

    parsed: Parsed
    tables: Mapping[tuple[str, str], Relation]
    """(schema or empty, name) as the statement has it; none of the server's own."""
    path: tuple[str, ...]
    """The schemas to plan it with."""
    guessed: bool = False
    """A schema is not on the path of the role that ran it; it is the only one that has these tables."""


class UnresolvedError(ValueError):
    """A table is not known: temporary, dropped, or found by a path that a session set itself. Names it."""


def schemas_of(search_path: str, user: str) -> tuple[str, ...]:
    """The schemas in a setting such as `"$user", app, "Odd, Name"`."""
    found: list[str] = []
    for part in _split(search_path):
        quoted = len(part) > 1 and part[0] == part[-1] == '"'
        name = part[1:-1].replace('""', '"') if quoted else part.lower()
        if name:
            found.append(user if name == "$user" else name)
    return tuple(found)


def resolve(parsed: Parsed, path: Sequence[str], relations: Mapping[str, Sequence[Relation]]) -> Resolved:
    """The tables of a statement, of those called so (name -> relations), as a session with that `path` finds them.

    Raises:
        UnresolvedError: one of them is not there.
    """
    found: dict[tuple[str, str], Relation] = {}
    astray: list[tuple[str, str]] = []
    for schema, name in sorted(parsed.tables):
        known = {one.schema: one for one in relations.get(name, ())}
        if schema in _SYSTEM or (not schema and name.startswith("pg_") and not known):
            continue
        chosen = next((known[one] for one in ((schema,) if schema else path) if one in known), None)
        if chosen is not None:
            found[schema, name] = chosen
        elif schema:
            raise UnresolvedError(f"{schema}.{name}")
        else:
            astray.append((schema, name))
    if not astray:
        return Resolved(parsed, found, tuple(path))
    homes = [{one.schema: one for one in relations.get(name, ())} for _, name in astray]
    common = set(homes[0]).intersection(*homes[1:])
    if len(common) != 1:
        raise UnresolvedError(astray[0][1])
    (home,) = common
    found |= {key: known[home] for key, known in zip(astray, homes, strict=True)}
    return Resolved(parsed, found, (*path, home), guessed=True)


def candidates(statement: Resolved) -> list[Candidate]:
    """The indexes that might help a statement, those that stand for most of its conditions first."""
    found: dict[Candidate, None] = {}
    for place in range(len(statement.parsed.blocks)):
        for relation, wants in _wanted(statement, place):
            if relation.kind not in _INDEXED or (relation.analyzed and relation.rows < TINY_ROWS):
                continue
            for columns, free in wants.shapes():
                if not covered(columns, free, relation.indexes):
                    found[Candidate(relation.oid, relation.schema, relation.name, columns)] = None
    return list(found)[:MOST_CANDIDATES]


def likely(statement: Resolved) -> list[Candidate]:
    """Of the candidates those that are worth proposing although nobody reckoned what they bring: on columns that are
    compared with values, few rows of the table for each, where no index finds any of them yet. One for each table.
    """
    found: dict[str, Candidate] = {}
    for place in range(len(statement.parsed.blocks)):
        for relation, wants in _wanted(statement, place):
            useful = [one for one in wants.filters if _selective(relation, one)]
            led = {columns[0] for columns in relation.indexes}
            if relation.kind not in _INDEXED or relation.rows < TINY_ROWS or not relation.seq_scans:
                continue
            if useful and not led & {*wants.filters, *wants.ranges}:
                columns = (*wants.filters, *wants.ranges[:1])[:MOST_COLUMNS]
                candidate = Candidate(relation.oid, relation.schema, relation.name, columns)
                found.setdefault(relation.oid, candidate)
    return list(found.values())


def covered(columns: Sequence[str], free: int, indexes: Iterable[Sequence[str]]) -> bool:
    """Whether an index begins with these columns, of which the first `free` may come in any order."""
    wanted = tuple(columns)
    return any(
        set(one[:free]) == set(wanted[:free]) and tuple(one[free : len(wanted)]) == wanted[free:] for one in indexes
    )


def merged(wanted: Iterable[Candidate]) -> dict[Candidate, Candidate]:
    """Each candidate with the one that does its work: itself, or a wider one that begins with its columns."""
    longest = sorted(set(wanted), key=lambda one: (-len(one.columns), one))
    kept: list[Candidate] = []
    stands: dict[Candidate, Candidate] = {}
    for one in longest:
        wider = next((k for k in kept if k.oid == one.oid and k.columns[: len(one.columns)] == one.columns), None)
        stands[one] = wider or one
        if wider is None:
            kept.append(one)
    return stands


@dataclass(slots=True)
class _Wants:
    """What one block looks for in one of its tables: columns in the order they are to have in an index."""

    filters: list[str] = field(default_factory=list)
    """Equal to a value."""
    joins: list[str] = field(default_factory=list)
    """Equal to what another table has."""
    ranges: list[str] = field(default_factory=list)
    order: tuple[str, ...] = ()

    def shapes(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """(columns of an index, how many of the first may be in any order)."""
        filters = tuple(self.filters)
        shapes = [((*filters, bound), len(filters)) for bound in self.ranges]
        shapes.append((filters, len(filters)))
        for join in self.joins:
            shapes += [((join, *filters), 1 + len(filters)), ((join,), 1)]
        if self.order:
            shapes.append(((*filters, *self.order), len(filters)))
        shapes += [((one,), 1) for one in (*filters, *self.ranges)]
        for columns, free in shapes:
            distinct = tuple(dict.fromkeys(columns))[:MOST_COLUMNS]
            if distinct:
                yield distinct, min(free, len(distinct))


def _wanted(statement: Resolved, place: int) -> Iterator[tuple[Relation, _Wants]]:
    """What a block wants of each of its tables: by what has to hold, and by each arm of its ORs."""
    block = statement.parsed.blocks[place]
    for group in (block.conditions, *block.arms):
        wants: dict[Table, _Wants] = defaultdict(_Wants)
        for one in group:
            _sort_in(statement, place, one, wants)
        if group is block.conditions and (ordered := _ordered(statement, place, block)):
            table, names = ordered
            wants[table].order = names
        for table, found in wants.items():
            relation = statement.tables[table.schema, table.name]
            found.filters.sort(key=partial(_distinct, relation), reverse=True)
            yield relation, found


def _sort_in(statement: Resolved, place: int, one: Condition, wants: dict[Table, _Wants]) -> None:
    home = _home(statement, place, one.column)
    others = {_home(statement, place, other) for other in one.others}
    if home is None or home in others:
        return
    found = wants[home]
    into = found.ranges if one.use == "range" else found.joins if one.others else found.filters
    # A range over what another table has bounds nothing that could be planned for.
    if one.column.name not in into and not (one.use == "range" and one.others):
        into.append(one.column.name)


def _ordered(statement: Resolved, place: int, block: Block) -> tuple[Table, tuple[str, ...]] | None:
    homes = {_home(statement, place, column) for column in block.order}
    home = homes.pop() if len(homes) == 1 else None
    return (home, tuple(column.name for column in block.order)) if home is not None else None


def _home(statement: Resolved, place: int | None, column: Column) -> Table | None:
    """The table that a column is of, in its block or one around it; None where there is none, or more than one."""
    while place is not None:
        block = statement.parsed.blocks[place]
        named = [table for table in block.tables if column.qualifier in ("", table.alias)]
        found = [table for table in named if _has(statement, table, column.name)]
        if found or (named and column.qualifier):
            return found[0] if len(found) == 1 else None
        place = block.outer
    return None


def _has(statement: Resolved, table: Table, name: str) -> bool:
    relation = statement.tables.get((table.schema, table.name))
    facts = relation.columns.get(name) if relation is not None else None
    return facts is not None and facts.indexable


def _selective(relation: Relation, name: str) -> bool:
    """Whether one value of the column stands for a tenth of the rows at most."""
    return _distinct(relation, name) >= 10


def _distinct(relation: Relation, name: str) -> float:
    """How many values the column has; none where that is not known."""
    return relation.columns[name].distinct or 0.0


def _split(search_path: str) -> Iterator[str]:
    part, within = "", False
    for char in search_path:
        within ^= char == '"'
        if char == "," and not within:
            yield part.strip()
            part = ""
        else:
            part += char
    yield part.strip()
