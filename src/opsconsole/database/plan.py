"""A plan of PostgreSQL, from what `EXPLAIN (FORMAT JSON)` says: where the time goes, and where the planner erred.

Times are seconds of the clock: what a node did in several loops is summed, what several processes did at once is
divided among them. A node's own time is without that of the nodes below it, with three peculiarities:
the work of a CTE is done inside its CTE Scan, that of an InitPlan inside the node that first asks for its value, and
both are written down somewhere else.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsconsole.core.clean import clean_line

MISESTIMATE = 10.0
"""Rows by planned rows (or the other way round) from which the estimate is wrong by an order of magnitude."""
MISESTIMATE_ROWS = 100
"""Rows in all loops from which that matters."""
FILTERED = 10.0
"""Rows thrown away for each one kept, from which an index would help …"""
FILTERED_ROWS = 1000
"""… where there are that many."""
_DEEPEST = 200


class PlanError(ValueError):
    """This is no plan; the message says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a plan, with its numbers as the server gives them: costs in its units, times per loop."""

    type: str
    relation: str = ""
    """With its schema where the server says it; of a function or CTE scan, its name."""
    alias: str = ""
    index: str = ""
    join: str = ""
    """`Inner`, `Left`, `Semi`, …"""
    role: str = ""
    """What it is to the node above: `Outer`, `Inner`, `InitPlan`, `SubPlan`, …"""
    subplan: str = ""
    """`CTE recent`, `InitPlan 1 (returns $0)`."""
    conditions: tuple[tuple[str, str], ...] = ()
    """(`Filter`, text), (`Index Cond`, text), …"""
    startup_cost: float = 0.0
    total_cost: float = 0.0
    planned_rows: float = 0.0
    rows: float | None = None
    """Of one loop on average; None where it was not run (EXPLAIN without ANALYZE)."""
    time: float | None = None
    """Seconds of one loop on average, until the last row; None without timing."""
    loops: float = 0.0
    processes: float = 1.0
    """How many worked on it at once."""
    removed: float = 0.0
    """Rows thrown away by its filters, in all loops."""
    spills: tuple[str, ...] = ()
    """What did not fit into memory, in words."""
    temp_blocks: float = 0.0
    """Of temporary files, read and written, by the nodes below, too."""
    shared_hit: float = 0.0
    shared_read: float = 0.0
    workers_planned: int | None = None
    workers_launched: int | None = None
    children: tuple["Node", ...] = ()

    @property
    def analyzed(self) -> bool:
        """Whether there are numbers of a real run."""
        return self.rows is not None

    @property
    def never(self) -> bool:
        """It was part of a run, and its turn never came."""
        return self.analyzed and self.loops == 0

    @property
    def inclusive(self) -> float:
        """Seconds of it and all below it."""
        return (self.time or 0.0) * self.loops / self.processes

    @property
    def error(self) -> float | None:
        """Actual rows by planned rows; above 1 there were more. None where nothing was run, or too few to matter."""
        if self.rows is None or not self.loops:
            return None
        if max(self.rows, self.planned_rows) * self.loops < MISESTIMATE_ROWS:
            return None
        return max(self.rows, 1.0) / max(self.planned_rows, 1.0)

    @property
    def label(self) -> str:
        """`Index Scan using orders_pkey on app.orders o`, `Hash Left Join`."""
        name = self.type
        if self.join and self.join != "Inner":
            name = f"{name.removesuffix(' Join')} {self.join} Join" if name.endswith(" Join") else f"{name} {self.join}"
        if self.index:
            name += f" using {self.index}"
        if self.relation:
            name += f" on {self.relation}"
            plain = self.relation.rpartition(".")[2]
            name += f" {self.alias}" if self.alias and self.alias != plain else ""
        return name

    def walk(self) -> Iterator["Node"]:
        """It and all below it, from above."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan."""

    root: Node
    planning: float | None = None
    """Seconds."""
    execution: float | None = None
    """Seconds, triggers included; None where it was not run."""
    triggers: tuple[tuple[str, float], ...] = ()
    """(name, seconds)."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What is set other than by default and matters to planning."""

    @property
    def analyzed(self) -> bool:
        """Whether it was run."""
        return self.root.analyzed


def plan_of(text: str | bytes) -> Plan:
    """The plan in what EXPLAIN (FORMAT JSON) answered, or in what auto_explain logged.

    Raises:
        PlanError: it is none.
    """
    try:
        return plan_from(json.loads(text))
    except RecursionError:
        raise PlanError(f"nested deeper than {_DEEPEST}") from None
    except ValueError as error:
        raise error if isinstance(error, PlanError) else PlanError("no JSON") from None


def plan_from(document: Any) -> Plan:
    """The plan in JSON that has been read.

    Raises:
        PlanError: it is none.
    """
    top = document[0] if isinstance(document, list) and document else document
    if not isinstance(top, dict) or not isinstance(top.get("Plan"), dict):
        raise PlanError('no plan: what EXPLAIN (FORMAT JSON) answers has a "Plan"')
    try:
        return Plan(
            _node(top["Plan"], 1.0, 0),
            _seconds(top.get("Planning Time")),
            _seconds(top.get("Execution Time")),
            tuple(
                (clean_line(one["Trigger Name"]), float(one.get("Time", 0)) / 1000) for one in top.get("Triggers", [])
            ),
            {clean_line(name): clean_line(value) for name, value in top.get("Settings", {}).items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise error if isinstance(error, PlanError) else PlanError(f"a damaged plan: {clean_line(error)}") from None


_CONDITIONS = (
    "Index Cond", "Recheck Cond", "TID Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter", "One-Time Filter",
    "Sort Key", "Group Key", "Cache Key", "Function Call",
)  # fmt: skip
_REMOVED = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


def _node(one: Mapping[str, Any], processes: float, depth: int) -> Node:
    if depth > _DEEPEST:
        raise PlanError(f"nested deeper than {_DEEPEST}")
    loops = float(one.get("Actual Loops", 0))
    launched = one.get("Workers Launched")
    # Below a Gather every process runs the nodes; the leader is one of them, unless it is told not to.
    below = float(launched) + 1 if launched else processes
    return Node(
        clean_line(one["Node Type"]),
        _relation(one),
        _text(one, "Alias"),
        _text(one, "Index Name"),
        _text(one, "Join Type"),
        _text(one, "Parent Relationship"),
        _text(one, "Subplan Name"),
        tuple((name, _joined(one[name])) for name in _CONDITIONS if name in one),
        float(one.get("Startup Cost", 0)),
        float(one.get("Total Cost", 0)),
        float(one.get("Plan Rows", 0)),
        float(one["Actual Rows"]) if "Actual Rows" in one else None,
        _seconds(one.get("Actual Total Time")),
        loops,
        max(1.0, min(processes, loops)),
        sum(float(one.get(name, 0)) for name in _REMOVED) * max(loops, 1.0),
        tuple(_spills(one)),
        float(one.get("Temp Read Blocks", 0)) + float(one.get("Temp Written Blocks", 0)),
        float(one.get("Shared Hit Blocks", 0)),
        float(one.get("Shared Read Blocks", 0)),
        int(one["Workers Planned"]) if "Workers Planned" in one else None,
        int(launched) if launched is not None else None,
        tuple(_node(child, below, depth + 1) for child in one.get("Plans", [])),
    )


def _relation(one: Mapping[str, Any]) -> str:
    name = next((_text(one, key) for key in ("Relation Name", "CTE Name", "Function Name") if key in one), "")
    return f"{_text(one, 'Schema')}.{name}" if name and "Schema" in one else name


def _spills(one: Mapping[str, Any]) -> Iterator[str]:
    """Of the node, and of the processes that worked on it."""
    for part in (one, *one.get("Workers", ())):
        method = str(part.get("Sort Method", ""))
        if method.startswith("external"):
            yield f"{clean_line(method)}: {int(part.get('Sort Space Used', 0))} kB on disk"
        batches = int(part.get("Hash Batches", 1))
        if batches > 1:
            yield f"hash table in {batches} batches"
        if int(part.get("HashAgg Batches", 0)) > 1 or int(part.get("Disk Usage", 0)) > 0:
            yield f"hash aggregate: {int(part.get('Disk Usage', 0))} kB on disk"


def _text(one: Mapping[str, Any], name: str) -> str:
    return clean_line(one.get(name, ""))


def _joined(value: object) -> str:
    return ", ".join(clean_line(item) for item in value) if isinstance(value, list) else clean_line(value)


def _seconds(milliseconds: object) -> float | None:
    return float(milliseconds) / 1000 if isinstance(milliseconds, int | float) else None


_RETURNS = re.compile(r"^InitPlan \d+ \(returns (.+)\)$")


def awaited(node: Node, subplan: Node) -> list[Node]:
    """The nodes of the tree below `node` inside which the work of its `subplan` is done; empty: in `node` itself."""
    if subplan.subplan.startswith("CTE "):
        name = subplan.subplan.removeprefix("CTE ")
        return [one for one in node.walk() if one.type == "CTE Scan" and one.relation == name]
    returned = _RETURNS.match(subplan.subplan)
    # `$0` until PostgreSQL 16, `(InitPlan 1).col1` since 17.
    marks = returned[1].split(",") if returned else [f"({subplan.subplan})"]
    users = [one for child in node.children if child is not subplan for one in child.walk() if _mentions(one, marks)]
    return users[:1]


def _mentions(node: Node, marks: list[str]) -> bool:
    text = " ".join(condition for _, condition in node.conditions)
    return any(re.search(re.escape(mark) + r"(?!\d)", text) for mark in marks)
