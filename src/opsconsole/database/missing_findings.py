"""The indexes that the workload lacks, as findings. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.finding import Finding
from opsconsole.database.index_findings import create, index_name
from opsconsole.database.indexes import DAY
from opsconsole.database.table_findings import read_whole
from opsconsole.database.workload import Missing, Served, Workload

KIND = "missing-index"
_TOLD = 3
"""Statements whose texts are told; the others are counted."""
_TEXT = 120
"""Characters of each."""
_BY_PART = "a partitioned table: create it on each partition, then ON ONLY the table, and attach them"


def missing_findings(workload: Workload) -> Iterator[Finding]:
    """What is missing: with costs where they were reckoned, otherwise as `heuristic`."""
    for one in workload.missing:
        yield _missing(one, workload.seconds)
    for table in workload.scanned:
        yield from read_whole(table)


def without_served(found: Iterable[Finding]) -> list[Finding]:
    """The findings, but for foreign keys without an index that the workload's own index serves as well."""
    findings = list(found)
    ours = [one.evidence for one in findings if one.id == KIND and one.evidence.get("columns")]
    return [one for one in findings if one.id != "unindexed-foreign-key" or not any(_serves(one, of) for of in ours)]


def _serves(key: Finding, ours: Any) -> bool:
    columns = key.evidence.get("columns")
    same = isinstance(columns, tuple) and set(ours["columns"][: len(columns)]) == set(columns)
    return same and key.evidence.get("table_oid") == ours.get("table_oid")


def _missing(one: Missing, counted: float | None) -> Finding:
    relation, columns = one.relation, ", ".join(one.columns)
    fix = create(relation.schema, relation.name, index_name(relation.name, one.columns), one.columns)
    partitioned = relation.kind == "p"
    seconds = sum(served.seconds for served in one.served)
    saved = sum(served.saved for served in one.served)
    # Counted over less than a day, it is not blown up to one.
    effect = saved / max(1.0, counted / DAY) if counted is not None else 0.0
    evidence: dict[str, object] = {
        "costed": one.costed,
        "columns": one.columns,
        "table_oid": relation.oid,
        "rows": relation.rows,
        "writes": relation.writes,
        "calls": sum(served.calls for served in one.served),
        "seconds": seconds,
        "statements": one.served,
    }
    if one.bytes is not None:
        evidence["bytes"] = one.bytes
    return Finding(
        KIND,
        State.WARN if one.costed else State.OK,
        f"{relation.schema}.{relation.name} ({columns})",
        _title(one),
        "; ".join(_told(one.served)),
        _BY_PART if partitioned else "",
        effect,
        "s" if one.costed and effect else "",
        evidence,
        None if partitioned else fix,
        tuple(_caveats(one)),
    )


def _title(one: Missing) -> str:
    many = "a statement looks" if len(one.served) == 1 else f"{len(one.served)} statements look"
    if not one.costed:
        return f"heuristic: {many} for {', '.join(one.columns)}, and no index finds that"
    before = sum((served.before or 0.0) * served.calls for served in one.served)
    gained = sum((served.before or 0.0) * served.gain * served.calls for served in one.served)
    share = format_value(gained / before, "percentunit") if before else "?"
    helped = "a statement" if len(one.served) == 1 else f"{len(one.served)} statements"
    return f"an index that is missing: {helped} would cost {share} less"


def _told(served: Iterable[Served]) -> Iterator[str]:
    dearest = sorted(served, key=lambda one: -one.seconds)
    for one in dearest[:_TOLD]:
        cost = f", cost {one.before:,.0f} -> {one.after:,.0f}" if one.before is not None else ""
        calls = f"{one.calls:,.0f} calls, {duration_text(one.seconds)}{cost}"
        yield f"{clean_line(one.text, limit=_TEXT)} ({one.user}: {calls})"
    if len(dearest) > _TOLD:
        yield f"and {len(dearest) - _TOLD} more"


def _caveats(one: Missing) -> Iterator[str]:
    if one.costed:
        yield "costs are the planner's, for any value of the parameters: it is not measured"
    else:
        yield "nothing was costed: look at the plans (opsconsole db explain --queryid …) before you build it"
    size = f", and it takes some {format_value(one.bytes, 'bytes')}" if one.bytes else ""
    yield f"every write has to keep it up: {one.relation.writes:,.0f} so far{size}"
    if not one.relation.analyzed:
        yield "the table was never analyzed: the planner guesses how many rows it has; analyze it first"
    if one.guessed:
        yield f"{one.relation.schema} is not on the search_path of the role, and the only schema with these tables"
