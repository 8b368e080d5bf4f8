"""What a statement looks for: its tables, and the columns by which an index could find their rows.

Read from the syntax tree of PostgreSQL's own parser (`pglast`, the extra `advice`, imported when it is first needed).
Nothing is known of the catalog here: columns keep the names and qualifiers they are written with; which table a bare
one belongs to is for `workload_candidates` to say.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Literal, NamedTuple

MISSING = "statements are not parsed here: that needs pglast; run: pip install 'opsconsole[advice]'"
_TYPES = frozenset({"interval", "date", "time", "timestamp", "timestamptz", "timetz"})
_RANGE = frozenset({"<", ">", "<=", ">="})

Use = Literal["equal", "range"]


class Column(NamedTuple):
    """A column as it is written; `qualifier` is a table's name or alias, empty where there is none."""

    qualifier: str
    name: str


class Table(NamedTuple):
    """A table as it is written, and the name it goes by in its block."""

    alias: str
    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One column that is compared with something an index could be asked for."""

    column: Column
    use: Use
    others: tuple[Column, ...] = ()
    """Columns in what it is compared with: those of another table make it a join."""


@dataclass(frozen=True, slots=True)
class Block:
    """One SELECT, UPDATE or DELETE, or one query within it."""

    tables: tuple[Table, ...]
    conditions: tuple[Condition, ...]
    """All of which have to hold."""
    arms: tuple[tuple[Condition, ...], ...] = ()
    """Of each OR its arms, each with what has to hold in it."""
    order: tuple[Column, ...] = ()
    """What the first rows are wanted by, all in one direction; empty where all rows are wanted."""
    outer: int | None = None
    """The block around it, by its place, whose columns it may name."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A statement that has a plan."""

    sql: str
    """As it can be parsed and planned."""
    blocks: tuple[Block, ...]
    functions: frozenset[str]
    """Names of functions and operators it calls, without their schemas."""

    @property
    def tables(self) -> frozenset[tuple[str, str]]:
        """(schema or empty, name) of all its tables."""
        return frozenset((table.schema, table.name) for block in self.blocks for table in block.tables)


class NotPlannedError(ValueError):
    """The statement has no plan (`utility`), or its text is none (`unparsable`: cut off, of another dialect)."""


def available() -> bool:
    """Whether statements can be parsed here."""
    return find_spec("pglast") is not None


def parse(sql: str) -> Parsed:
    """What `sql` looks for.

    Raises:
        NotPlannedError: `utility` or `unparsable`.
        ImportError: pglast is not installed.
    """
    from pglast import parser

    text = plannable(sql)
    if "\0" in text:  # at which the parser would take it to end
        raise NotPlannedError("unparsable")
    try:
        statements = parser.parse_sql(text)
        if len(statements) != 1:
            raise NotPlannedError("unparsable")
        reader = _Reader()
        reader.statement(statements[0].stmt)
        return Parsed(text, tuple(one.frozen() for one in reader.blocks), frozenset(_called(statements[0].stmt)))
    except (parser.ParseError, RecursionError, UnicodeError):
        raise NotPlannedError("unparsable") from None


def plannable(sql: str) -> str:
    """`sql` with `interval $1` as `$1::interval`: so pg_stat_statements writes a constant of a type, and no
    server takes it.
    """
    from pglast import parser

    try:
        tokens = parser.scan(sql)
    except (parser.ParseError, UnicodeError):
        return sql
    for word, after in reversed(list(pairwise(tokens))):
        kind = sql[word.start : word.end + 1]
        if after.name == "PARAM" and kind.lower() in _TYPES:
            sql = f"{sql[: word.start]}{sql[after.start : after.end + 1]}::{kind}{sql[after.end + 1 :]}"
    return sql


@dataclass(slots=True)
class _Draft:
    """A block that is being read."""

    outer: int | None
    tables: list[Table] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    arms: list[tuple[Condition, ...]] = field(default_factory=list)
    order: tuple[Column, ...] = ()

    def frozen(self) -> Block:
        return Block(tuple(self.tables), tuple(self.conditions), tuple(self.arms), self.order, self.outer)


class _Reader:
    """Goes through one syntax tree. `Any` here is a node of pglast, which has no types."""

    def __init__(self) -> None:
        self.blocks: list[_Draft] = []

    def statement(self, node: Any, outer: int | None = None, named: frozenset[str] = frozenset()) -> None:
        """A statement, or one within WITH; `named` are queries that go by a table's name here."""
        match _kind(node):
            case "SelectStmt":
                self._select(node, outer, named)
            case "UpdateStmt":
                self._changing(node, node.fromClause, outer, named)
            case "DeleteStmt":
                self._changing(node, node.usingClause, outer, named)
            case "InsertStmt":
                named = self._with(node, outer, named)
                if node.selectStmt is not None:
                    self.statement(node.selectStmt, outer, named)
            case "MergeStmt":
                named = self._with(node, outer, named)
                place = self._block(outer)
                self._from(place, (node.relation, node.sourceRelation), named)
                self._all_of(place, node.joinCondition, self.blocks[place].conditions, named)
            case _:
                raise NotPlannedError("utility")

    def _select(self, node: Any, outer: int | None, named: frozenset[str]) -> None:
        named = self._with(node, outer, named)
        if node.larg is not None:
            self._select(node.larg, outer, named)
            self._select(node.rarg, outer, named)
            return
        place = self._block(outer)
        self._from(place, node.fromClause or (), named)
        self._all_of(place, node.whereClause, self.blocks[place].conditions, named)
        for part in (node.targetList, node.havingClause, node.groupClause, node.sortClause, node.valuesLists):
            self._within(place, part, named)
        if node.limitCount is not None and not node.groupClause and not node.distinctClause:
            self.blocks[place].order = _order(node)

    def _changing(self, node: Any, others: Any, outer: int | None, named: frozenset[str]) -> None:
        named = self._with(node, outer, named)
        place = self._block(outer)
        self._from(place, (node.relation,), frozenset())
        self._from(place, others or (), named)
        self._all_of(place, node.whereClause, self.blocks[place].conditions, named)
        self._within(place, getattr(node, "targetList", None), named)

    def _block(self, outer: int | None) -> int:
        self.blocks.append(_Draft(outer))
        return len(self.blocks) - 1

    def _with(self, node: Any, outer: int | None, named: frozenset[str]) -> frozenset[str]:
        if node.withClause is None:
            return named
        if node.withClause.recursive:
            named |= {one.ctename for one in node.withClause.ctes}
        for one in node.withClause.ctes:
            self.statement(one.ctequery, outer, named)
            named |= {one.ctename}
        return named

    def _from(self, place: int, items: Iterable[Any], named: frozenset[str]) -> None:
        for item in items:
            match _kind(item):
                case "RangeVar":
                    alias = item.alias.aliasname if item.alias is not None else item.relname
                    if item.schemaname or item.relname not in named:
                        self.blocks[place].tables.append(Table(alias, item.schemaname or "", item.relname))
                case "JoinExpr":
                    before = len(self.blocks[place].tables)
                    self._from(place, (item.larg,), named)
                    middle = len(self.blocks[place].tables)
                    self._from(place, (item.rarg,), named)
                    self._all_of(place, item.quals, self.blocks[place].conditions, named)
                    tables = self.blocks[place].tables
                    self._using(place, tables[before:middle], tables[middle:], item.usingClause or ())
                case "RangeSubselect":
                    self.statement(item.subquery, place, named)
                case _:
                    self._within(place, item, named)

    def _using(self, place: int, left: list[Table], right: list[Table], names: Iterable[Any]) -> None:
        for name in names:
            sides = [[Column(table.alias, name.sval) for table in side] for side in (left, right)]
            for here, there in (sides, reversed(sides)):
                self.blocks[place].conditions += [Condition(one, "equal", tuple(there)) for one in here]

    def _all_of(self, place: int, node: Any, into: list[Condition], named: frozenset[str]) -> None:
        """The conditions of which all have to hold, into `into`; arms of an OR into the block."""
        if _kind(node) == "BoolExpr" and node.boolop.name == "AND_EXPR":
            for one in node.args:
                self._all_of(place, one, into, named)
        elif _kind(node) == "BoolExpr" and node.boolop.name == "OR_EXPR":
            for one in node.args:
                arm: list[Condition] = []
                self._all_of(place, one, arm, named)
                self.blocks[place].arms.append(tuple(arm))
        else:
            into += _conditions(node)
            self._within(place, node, named)

    def _within(self, place: int, node: Any, named: frozenset[str]) -> None:
        """The queries within an expression."""
        for one in _nodes(node, stop="SelectStmt"):
            if _kind(one) == "SelectStmt":
                self._select(one, place, named)


def _conditions(node: Any) -> Iterator[Condition]:
    """What an index could be asked for by one condition that is neither AND nor OR."""
    match _kind(node):
        case "A_Expr":
            yield from _compared(node)
        case "NullTest" if node.nulltesttype.name == "IS_NULL" and (column := _column(node.arg)):
            yield Condition(column, "equal")
        case "SubLink" if node.subLinkType.name == "ANY_SUBLINK" and (column := _column(node.testexpr)):
            # Without an operator it is IN.
            if not node.operName or node.operName[-1].sval == "=":
                yield Condition(column, "equal", (Column("", ""),))


def _compared(node: Any) -> Iterator[Condition]:
    operator = node.name[-1].sval
    use: Use | None = "equal" if operator == "=" else "range" if operator in _RANGE else None
    match node.kind.name:
        case "AEXPR_OP" if use is not None:
            if _kind(node.lexpr) == _kind(node.rexpr) == "RowExpr":
                pairs = list(zip(node.lexpr.args, node.rexpr.args, strict=False))
                # Of a row that is less or greater only the first column bounds what is read.
                for left, right in pairs if use == "equal" else pairs[:1]:
                    yield from _sides(left, right, use)
            else:
                yield from _sides(node.lexpr, node.rexpr, use)
        case "AEXPR_OP_ANY" | "AEXPR_IN" if operator == "=":
            yield from _side(node.lexpr, node.rexpr, "equal")
        case "AEXPR_BETWEEN":
            yield from _side(node.lexpr, node.rexpr, "range")


def _sides(left: Any, right: Any, use: Use) -> Iterator[Condition]:
    yield from _side(left, right, use)
    yield from _side(right, left, use)


def _side(column: Any, other: Any, use: Use) -> Iterator[Condition]:
    """A column that stands alone; within a function or a cast an index on it is of no use."""
    if found := _column(column):
        columns = (_column(one) for one in _nodes(other, stop="SelectStmt"))
        yield Condition(found, use, tuple(one for one in columns if one))


def _order(node: Any) -> tuple[Column, ...]:
    columns, directions = [], set()
    for one in node.sortClause or ():
        column = _column(_named_by_place(one.node, node.targetList or ()))
        if column is None or one.sortby_nulls.name != "SORTBY_NULLS_DEFAULT":
            return ()
        columns.append(column)
        directions.add(one.sortby_dir.name == "SORTBY_DESC")
    return tuple(columns) if len(directions) == 1 else ()


def _named_by_place(node: Any, targets: Any) -> Any:
    """What `order by 2` means."""
    place = getattr(getattr(node, "val", None), "ival", None)
    if _kind(node) == "A_Const" and isinstance(place, int) and 0 < place <= len(targets):
        return targets[place - 1].val
    return node


def _column(node: Any) -> Column | None:
    """The column that `node` is; None where it is something else, or a row of a table."""
    if _kind(node) != "ColumnRef" or any(_kind(one) != "String" for one in node.fields):
        return None
    names = [one.sval for one in node.fields]
    return Column(names[-2] if len(names) > 1 else "", names[-1])


def _called(root: Any) -> Iterator[str]:
    for one in _nodes(root):
        if _kind(one) == "FuncCall":
            yield one.funcname[-1].sval
        elif _kind(one) == "A_Expr" and one.name:
            yield one.name[-1].sval


def _nodes(root: Any, stop: str = "") -> Iterator[Any]:
    """All nodes from `root` downwards, not those below one of kind `stop`."""
    node_type = _node_type()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple | list):
            waiting += reversed(node)
        elif isinstance(node, node_type):
            yield node
            if _kind(node) != stop:
                waiting += [getattr(node, name) for name in node]


@cache
def _node_type() -> Any:
    from pglast import ast

    return ast.Node


def _kind(node: Any) -> str:
    return type(node).__name__
