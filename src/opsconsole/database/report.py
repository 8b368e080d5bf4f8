"""The performance report: what was found about a database, ranked, as Markdown and as one self-contained HTML page.

Whatever comes from the database is text in it: names with markup stay names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.finding import Finding
from opsconsole.database.findings import Readings
from opsconsole.database.instance import lifetime

LARGEST = 20
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em;
 color: #222; background: #fff }
table { border-collapse: collapse } td, th { padding: .2em .8em; border-bottom: 1px solid #ccc; text-align: left }
pre { background: #f4f4f4; padding: .6em; white-space: pre-wrap } .CRIT { color: #a00 } .WARN { color: #850 }
h3 { margin-bottom: .2em } dt { font-weight: 600 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } pre { background: #2a2a2a }
 .CRIT { color: #f77 } .WARN { color: #eb5 } }
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and the findings in their order."""

    readings: Readings
    findings: tuple[Finding, ...]

    @property
    def title(self) -> str:
        """One line."""
        return f"Performance report of {self.readings.database}"

    @property
    def about(self) -> str:
        """Server, time and how much was found."""
        at = datetime.fromtimestamp(self.readings.taken_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        counts = Counter(one.state for one in self.findings)
        urgent = f"{counts[State.CRIT]} urgent, {counts[State.WARN]} to be looked at, {counts[State.OK]} advice"
        free = sum(one.effect for one in self.findings if one.unit == "bytes")
        return f"PostgreSQL {self.readings.version}, {at}. {urgent}; up to {_size(free)} would come free."


Table = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]
"""Title, columns, rows."""


def tables(report: Report) -> tuple[Table, ...]:
    """The numbers behind the findings: largest tables, counters, pools, settings."""
    return tuple(
        one
        for one in (
            _largest(report.readings),
            _counters(report.readings),
            _pools(report.readings),
            _advice(report.readings),
        )
        if one[2]
    )


def details(finding: Finding) -> tuple[tuple[str, str], ...]:
    """What a finding says beside its title, as (word, text); what is empty is left out."""
    fix = finding.fix
    effect = _size(finding.effect) if finding.unit == "bytes" else duration_text(finding.effect) + " a day"
    said = (
        ("Why", finding.why),
        ("Worth", effect if finding.unit else ""),
        ("Do", finding.advice),
        ("Takes", fix.lock if fix else ""),
        ("Undo", fix.undo if fix and not _is_sql(fix.undo) else ""),
        ("Mind", "; ".join(finding.caveats)),
    )
    return tuple((word, text) for word, text in said if text)


def statements(finding: Finding) -> tuple[tuple[str, str], ...]:
    """Its SQL: what repairs it, and what takes that back."""
    if finding.fix is None:
        return ()
    undo = finding.fix.undo
    return (("SQL", finding.fix.sql), ("Undo", undo)) if _is_sql(undo) else (("SQL", finding.fix.sql),)


def _is_sql(undo: str) -> bool:
    """Whether an undo is a statement, rather than words about why there is none."""
    return undo.endswith(";")


def markdown(report: Report) -> str:
    """The report as Markdown (CommonMark, tables as GitHub has them)."""
    lines = [f"# {_md(report.title)}", "", _md(report.about), "", "## Findings", ""]
    for number, one in enumerate(report.findings, start=1):
        lines += [f"### {number}. {one.state} {_md(one.subject)}: {_md(one.title)}", ""]
        lines += [f"- {word}: {_md(text)}" for word, text in details(one)]
        for word, sql in statements(one):
            fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", sql)), default=0))
            lines += ["", f"{word}:", "", f"{fence}sql", sql, fence]
        lines.append("")
    lines += [] if report.findings else ["Nothing was found.", ""]
    for title, columns, rows in tables(report):
        lines += [f"## {title}", "", _md_row(columns), _md_row(("---",) * len(columns), raw=True)]
        lines += [*(_md_row(row) for row in rows), ""]
    if report.readings.coverage.notes:
        lines += ["## What could not be seen", "", *(f"- {_md(note)}" for note in report.readings.coverage.notes), ""]
    return "\n".join(lines)


def html(report: Report) -> str:
    """The report as one page that loads nothing."""
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(report.title)}</h1><p>{escape(report.about)}</p>",
        "<h2>Findings</h2>",
        *(_html_finding(number, one) for number, one in enumerate(report.findings, start=1)),
    ]
    parts += [] if report.findings else ["<p>Nothing was found.</p>"]
    for title, columns, rows in tables(report):
        parts.append(f"<h2>{escape(title)}</h2><table><tr>{_html_cells('th', columns)}</tr>")
        parts += [f"<tr>{_html_cells('td', row)}</tr>" for row in rows]
        parts.append("</table>")
    if report.readings.coverage.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in report.readings.coverage.notes)
        parts.append(f"<h2>What could not be seen</h2><ul>{notes}</ul>")
    return "\n".join((*parts, "</body></html>"))


def _html_finding(number: int, one: Finding) -> str:
    said = "".join(f"<dt>{word}</dt><dd>{escape(text)}</dd>" for word, text in details(one))
    sql = "".join(f"<p>{word}:</p><pre>{escape(text)}</pre>" for word, text in statements(one))
    head = f'<span class="{one.state}">{one.state}</span> {escape(one.subject)}: {escape(one.title)}'
    return f"<h3>{number}. {head}</h3><dl>{said}</dl>{sql}"


def _html_cells(tag: str, cells: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)


def _largest(readings: Readings) -> Table:
    largest = sorted(readings.tables, key=lambda one: -one.sizes.total)[:LARGEST]
    rows = tuple(
        (
            one.title,
            _size(one.sizes.total),
            _size(one.sizes.indexes),
            f"{one.live}",
            f"{one.dead}",
            format_value(one.hot_share, "percentunit"),
            f"{one.seq_scans}",
            f"{one.index_scans}",
            format_value(one.xid_age, "short"),
        )
        for one in largest
    )
    columns = ("Table", "Size", "of it indexes", "Rows", "Dead", "HOT", "Seq. scans", "Index scans", "Age")
    return "Largest tables", columns, rows


def _counters(readings: Readings) -> Table:
    if readings.instance is None:
        return "Counters", (), ()
    told = lifetime(readings.instance)
    rows = (
        ("Counted over", duration_text(told.seconds)),
        ("Cache hits", format_value(told.hit_share, "percentunit")),
        ("Rolled back", format_value(told.rollback_share, "percentunit")),
        ("Checkpoints forced by WAL", format_value(told.requested_share, "percentunit")),
        ("Temporary files", _size(told.grown.temp_bytes)),
        ("Deadlocks", format_value(told.grown.deadlocks, "short")),
        ("WAL", _size(told.grown.wal_bytes)),
    )
    return "Counters", ("What", "Value"), rows


def _pools(readings: Readings) -> Table:
    pooler = readings.connections.pooler if readings.connections else None
    if pooler is None:
        return "Pools", (), ()
    rows = tuple(
        (
            one.name,
            one.mode,
            _told(one.clients_active),
            _told(one.clients_waiting),
            "not told" if one.longest_wait is None else duration_text(one.longest_wait),
            f"{one.servers}",
            f"{one.spare}",
            _told(one.size),
            _told(one.reserve),
        )
        for one in pooler.pools
    )
    columns = ("Pool", "Mode", "Clients", "Waiting", "Longest wait", "Servers", "of them idle", "Size", "Reserve")
    return f"Pools of PgBouncer {pooler.version}", columns, rows


def _told(value: int | None) -> str:
    return "not told" if value is None else str(value)


def _advice(readings: Readings) -> Table:
    advice = readings.settings.advice if readings.settings else ()
    rows = tuple((one.name, one.value, one.suggested, one.why, one.reference) for one in advice)
    return "Settings worth a look", ("Setting", "Is", "Suggested", "Why", "Source"), rows


def _md(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text.replace("\n", "⏎"))


def _md_row(cells: Sequence[str], *, raw: bool = False) -> str:
    return "| " + " | ".join(cells if raw else map(_md, cells)) + " |"


def _size(value: float | None) -> str:
    return format_value(value, "bytes")
