"""Findings: what somebody should know about the database, the worst first, each with what repairs it."""

from collections.abc import Iterable
from dataclasses import dataclass

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.examining import examine
from opsconsole.database.finding import Coverage, Finding
from opsconsole.database.findings import findings
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.lines import state_role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

COLUMNS = (
    Column("state", "STATE", width=6),
    Column("kind", "KIND", widest=24, priority=2),
    Column("subject", "WHAT", widest=44, least=14),
    Column("effect", "EFFECT", align="right", priority=1),
    Column("fix", "FIX", widest=22, priority=3),
    Column("title", "FINDING", grows=True, least=24),
)


@dataclass(frozen=True, slots=True)
class FindingsReading:
    """The findings at one moment."""

    found: tuple[Finding, ...]
    coverage: Coverage


class FindingsPage(Page[Database, FindingsReading]):
    """All findings; a reading looks at everything, so it is taken every five minutes only."""

    id = "findings"
    title = "Findings"
    period = 300.0
    sorts = ("rank", "kind", "subject")

    async def take(self, database: Database, before: FindingsReading | None, order: Order) -> FindingsReading:
        readings = await examine(database)
        return FindingsReading(findings(readings), readings.coverage)

    def sheet(self, reading: FindingsReading, order: Order) -> Sheet:
        """One row a finding."""
        found = list(reading.found)
        if order.sort != "rank":
            found.sort(key=lambda one: (one.id, one.subject) if order.sort == "kind" else (one.subject, one.id))
        counts = {state: sum(one.state is state for one in found) for state in (State.CRIT, State.WARN)}
        told = "   ".join(f"{number} {state.value}" for state, number in counts.items() if number)
        summary = (
            f"{len(found)} finding{'' if len(found) == 1 else 's'}   {told}"
            if found
            else "nothing that anybody has to know"
        )
        shown = "" if order.sort == "rank" else order.sort
        return Sheet(COLUMNS, finding_rows(found), summary, shown, descending=False, notes=reading.coverage.notes)

    def detail(self, reading: FindingsReading, key: str) -> Detail | None:
        """Why, what to do, the exact statement, and what would make it wrong."""
        finding = _of(reading, key)
        return finding_detail(finding) if finding is not None else None

    def choices(self, reading: FindingsReading, key: str) -> list[Choice]:
        """The finding's own fix."""
        finding = _of(reading, key)
        return finding_choices(finding) if finding is not None else []


def finding_rows(found: Iterable[Finding]) -> list[Row]:
    """One row for each."""
    return [
        Row(
            key_of(one),
            (
                Cell(one.state.value if one.state is not State.OK else "advice", _role(one)),
                cells.words(one.id, "dim"),
                cells.words(one.subject, limit=130),
                Cell(_effect(one), "text"),
                cells.words(one.fix.action.partition(".")[2] if one.fix else "", "accent"),
                cells.words(one.title),
            ),
        )
        for one in found
    ]


def finding_detail(finding: Finding) -> Detail:
    """One finding in full."""
    facts = [("kind", finding.id), ("about", finding.subject), ("effect", _effect(finding))]
    # Lists are for programs: what is in them stands in words below.
    scalars = {name: value for name, value in finding.evidence.items() if not isinstance(value, tuple)}
    facts += [(name.replace("_", " "), str(value)) for name, value in scalars.items()]
    parts = [("why", finding.why), ("what to do", finding.advice)]
    if finding.fix is not None:
        fix = finding.fix
        parts += [("statement", fix.sql), ("lock", fix.lock), ("undo", fix.undo)]
    parts.append(("but", "; ".join(finding.caveats)))
    return Detail(
        clean_line(finding.title),
        tuple((name, clean_line(value, limit=300)) for name, value in facts if value),
        tuple((name, clean(text)) for name, text in parts if text),
    )


def finding_choices(finding: Finding) -> list[Choice]:
    """Its fix, where the console has one."""
    fix = finding.fix
    if fix is None:
        return []
    label = fix.action.partition(".")[2]
    title = clean_line(f"{label.replace('-', ' ').capitalize()} {finding.subject}")
    full = fix.arguments.get("mode") == "full"
    return [Choice(label, Repair(fix.action, fix.arguments, title, f"{finding.title}: {finding.why}", full))]


def key_of(finding: Finding) -> str:
    """What tells a finding from the others, from reading to reading."""
    return f"{finding.id} {finding.subject}"


def _role(finding: Finding) -> str:
    return state_role(finding.state) if finding.state is not State.OK else "dim"


def _effect(finding: Finding) -> str:
    return format_value(finding.effect, finding.unit) if finding.unit and finding.effect else ""


def _of(reading: FindingsReading, key: str) -> Finding | None:
    return next((one for one in reading.found if key_of(one) == key), None)
