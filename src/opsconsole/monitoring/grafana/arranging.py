"""From Grafana's grid of 24 columns to the few that a terminal has room for."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opsconsole.monitoring.grafana.kinds import KINDS
from opsconsole.monitoring.grafana.model import Panel, Section
from opsconsole.screens.definition import Kind

_NUMBERS = frozenset({Kind.STAT, Kind.GAUGE})
_LINES_PER_UNIT = 1.25
"""A unit of Grafana's grid is 38 pixels, its text about 30 a line with what stands around it."""


class Spanned(NamedTuple):
    """A panel, and how many columns it takes."""

    panel: Panel
    span: int


def arranged(sections: Sequence[Section]) -> tuple[int, list[list[Spanned]]]:
    """(columns of the screen, the panels of each section in reading order with their spans).

    Panels that stand in one row of the dashboard stand in one row of the screen, or in as few as it takes.
    """
    rows = [_rows(section.panels) for section in sections]
    columns = _columns([len(row) for section in rows for row in section])
    return columns, [[one for row in section for one in _spanned(row, columns)] for section in rows]


def _columns(counts: Sequence[int]) -> int:
    """Three where rows of three prevail, else four; fewer where no row has as many."""
    widest = max(counts, default=1)
    if widest <= 2:
        return widest
    thirds = sum(count in (3, 6) for count in counts)
    halves = sum(count in (2, 4, 8) or count > 6 for count in counts)
    return 3 if thirds > halves else 4


def _rows(panels: Sequence[Panel]) -> list[list[Panel]]:
    """Panels row by row. What is stacked beside something higher becomes rows of its own, numbers first."""
    bands: list[list[Panel]] = []
    bottom = -1
    for panel in sorted(panels, key=lambda one: (one.y, one.x)):
        if not bands or panel.y >= bottom:
            bands.append([])
        bands[-1].append(panel)
        bottom = max(bottom, panel.y + panel.height) if len(bands[-1]) > 1 else panel.y + panel.height
    return [row for band in bands for row in _band_rows(band)]


def _band_rows(band: list[Panel]) -> list[list[Panel]]:
    if len({panel.y for panel in band}) == 1:
        return [band]
    numbers = [panel for panel in band if _is_number(panel)]
    others: dict[int, list[Panel]] = {}
    for panel in band:
        if not _is_number(panel):
            others.setdefault(panel.y, []).append(panel)
    return [*([numbers] if numbers else []), *(others[y] for y in sorted(others))]


def _is_number(panel: Panel) -> bool:
    taken = KINDS.get(panel.type)
    return taken is not None and taken.kind in _NUMBERS


def _spanned(row: list[Panel], columns: int) -> list[Spanned]:
    """A row in as many lines as it takes, each of which fills the columns."""
    lines = -(-len(row) // columns)
    # Five in four columns are three and two: one alone would be as wide as the terminal.
    each = -(-len(row) // lines) if lines > 1 and len(row) % columns == 1 else columns
    found: list[Spanned] = []
    for start in range(0, len(row), each):
        line = row[start : start + each]
        spans = [1] * len(line)
        for _ in range(columns - len(line)):
            narrowest = max(range(len(line)), key=lambda at: (line[at].width / spans[at], -at))
            spans[narrowest] += 1
        found += [Spanned(panel, span) for panel, span in zip(line, spans, strict=True)]
    return found


def rows_of(panel: Panel, pane: Mapping[str, Any]) -> int:
    """The height of a pane in lines; 0 where its kind's own is right."""
    lines = round(panel.height * _LINES_PER_UNIT)
    match pane["kind"]:
        case "stat" | "gauge":
            single = "query" in pane and "{{" not in pane.get("legend", "") and "range" not in pane
            return 2 if single else max(4, min(12, len(pane.get("queries", ())) + 1)) if "queries" in pane else 0
        case "bars":
            return max(4, min(20, lines))
        case "text":
            return max(2, min(12, str(pane["text"]).count("\n") + 2))
        case "timeseries" | "table" | "heatmap":
            high = max(8, min(30 if pane["kind"] == "table" else 16, lines))
            return high if abs(high - 10) > 2 else 0
        case _:
            return 0
