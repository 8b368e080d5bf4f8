"""The report as one HTML page that loads nothing: to be read on any screen, and printed. Names and reasons are text in
it, whatever they hold."""

from collections.abc import Sequence
from html import escape

from opsconsole.core.state import State
from opsconsole.sla.report import Report, Table, tables, taken_text

# Twelve columns fit on a page only where it lies, and in small print; on a small screen the table scrolls by itself.
_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 90em; margin: 2em auto; padding: 0 1em;
 color: #222; background: #fff }
h1 { line-height: 1.2; margin-bottom: .3em } .headline { font-size: 1.25em; font-weight: 600; margin: .3em 0 }
.table { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { padding: .25em .8em .25em 0; border-bottom: 1px solid #ccc; text-align: left; vertical-align: top }
.number { text-align: right; white-space: nowrap } .short { white-space: nowrap }
th, th.number, th.short { white-space: normal; vertical-align: bottom } .words { min-width: 9em }
.OK { color: #060 } .CRIT { color: #a00; font-weight: 600 } .WARN { color: #850; font-weight: 600 }
.UNKNOWN { color: #666 }
@media screen and (prefers-color-scheme: dark) {
 body { color: #ddd; background: #1b1b1b } td, th { border-color: #444 }
 .OK { color: #7c7 } .CRIT { color: #f77 } .WARN { color: #eb5 } .UNKNOWN { color: #aaa } }
@page { size: A4 landscape; margin: 1.2cm }
@media print {
 body { font-size: 9pt; max-width: none; margin: 0; padding: 0 } td, th { padding-right: .6em }
 .words { min-width: 6em } .table { overflow: visible } thead { display: table-header-group } tr { break-inside: avoid }
 h2 { break-after: avoid } }
"""
_NUMBERS = frozenset(
    {"Good", "Before", "Change (points)", "Budget left", "Counted", "Known", "Of the budget", "Bad", "MTTR"}
)
"""Columns of numbers, which stand at the right and are not broken."""
_SHORT = frozenset({"State", "Start", "End", "Recovered after", "Violations", "For"})
"""Columns of a few words, which are not broken."""


def html(report: Report) -> str:
    """The page."""
    title = escape(report.title)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="headline">{escape(report.headline)}</p>'
        f"<p>{escape(f'{report.lead} {taken_text(report)}')}</p>"
    ]
    for table in tables(report):
        parts.append(f"<h2>{escape(table.title)}</h2>")
        parts += _table(table) if table.rows else [f"<p>{escape(table.empty)}</p>"]
    return "\n".join((*parts, "</body></html>")) + "\n"


def _table(table: Table) -> list[str]:
    rows = [f"<tr>{_cells('td', table.columns, row)}</tr>" for row in table.rows]
    head = f"<thead><tr>{_cells('th', table.columns, table.columns)}</tr></thead>"
    return [f'<div class="table"><table>{head}<tbody>', *rows, "</tbody></table></div>"]


def _cells(tag: str, columns: Sequence[str], cells: Sequence[str]) -> str:
    def cell(column: str, text: str) -> str:
        state = text.partition(" ")[0] if column == "State" else ""
        kinds = ["number" if column in _NUMBERS else "short" if column in _SHORT else "words"]
        kinds += [state] if state in State.__members__ else []
        return f'<{tag} class="{" ".join(kinds)}">{escape(text)}</{tag}>'

    return "".join(cell(column, text) for column, text in zip(columns, cells, strict=True))
