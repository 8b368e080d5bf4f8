"""The overview: what needs attention, worst first and with the next useful step, and one line for each area."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from opsconsole.core.duration import age_text
from opsconsole.core.state import State
from opsconsole.screens.overview import TREND_WINDOW, AreaState, AttentionRow, Next, Overview
from opsconsole.ui.charts.sparkline import resampled, shape_floor, sparkline
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, clip_line, fit_line, in_role, line, spread, state_role
from opsconsole.ui.panes.looking import AWAY, Item, Looking, page_of
from opsconsole.ui.table_layout import Cell, Column, Layout, Row, asked_widths, heading, lay_out, row_line

_WIDE = 110
"""Cells from which on there is room for everything."""
_AGE_STEP = 10
"""Seconds in which young ages advance: each step is written to the terminal. More than the usual refresh, so that the
age of a value that is read as it should be stands still."""


def attention_items(overview: Overview) -> tuple[Item, ...]:
    """What needs attention, for the cursor."""
    return tuple(
        Item(row.check.id, row.check.labels, row.state, f"{row.state} {row.area} {row.subject} {row.text}", subject=row)
        for row in overview.attention
    )


def area_items(overview: Overview) -> tuple[Item, ...]:
    """The areas, for the cursor."""
    return tuple(
        Item(area.id, {}, area.state, f"{area.state} {area.title} {area.now_text}", subject=area)
        for area in overview.areas
    )


# --- what needs attention -------------------------------------------------------------------------------------

_ATTENTION = (
    Column("state", ""),
    Column("area", "", priority=2, widest=14),
    Column("subject", "", widest=30),
    Column("text", "", grows=True, least=18),
    Column("since", "since", "right", priority=1),
    Column("age", "age", "right", priority=3),
    Column("next", "next", widest=34),
)


def render_attention(
    overview: Overview,
    width: int,
    height: int,
    glyphs: Glyphs,
    now: float,
    looking: Looking = AWAY,
    titles: Mapping[str, str] | None = None,
) -> Lines:
    """What needs attention: heading, then one line each; where nothing does, that.

    Args:
        titles: the titles of runbooks, by id.
    """
    if width <= 0 or height <= 0:
        return ()
    items = looking.items if looking.items is not None else attention_items(overview)
    title: Line = (Span("NEEDS ATTENTION", "title-focus" if looking.focused else "title"),)
    if not items:
        return tuple(clip_line(one, width, glyphs.ellipsis) for one in (title, _calm(overview, looking, glyphs)))[
            :height
        ]
    columns = _attention_columns(width)
    rows = [_attention_row(item, titles or {}, glyphs) for item in items]
    layout = lay_out(columns, asked_widths(columns, rows), width)
    first, page = page_of(items, looking.key, max(0, height - 1))
    counted = line(*title, (f"  {_extent(items, first, len(page), overview, looking, glyphs)}", "dim"))
    head = _over(counted, heading(columns, layout), width, glyphs)
    return (head, *_page(page, rows[first:], layout, width, glyphs, looking))


def _attention_columns(width: int) -> tuple[Column, ...]:
    if width >= _WIDE:
        return _ATTENTION
    narrow = {"subject": 22, "next": 20}
    return tuple(replace(one, widest=narrow.get(one.id, one.widest)) for one in _ATTENTION)


def _attention_row(item: Item, titles: Mapping[str, str], glyphs: Glyphs) -> Row:
    row = item.subject
    assert isinstance(row, AttentionRow), "made by attention_items"
    known = row.state not in (State.STALE, State.UNKNOWN)
    return Row(
        item.key,
        (
            Cell(glyphs.badge(row.state), state_role(row.state)),
            Cell(row.area, "dim"),
            Cell(row.subject, "strong" if row.state is State.CRIT else "text"),
            Cell(row.text, "text" if known else "dim"),
            Cell(_since(row.since_seconds), "dim"),
            Cell(_age(row.age_seconds), "dim"),
            Cell(next_text(row.next, titles), "accent"),
        ),
    )


def _since(seconds: float | None) -> str:
    """How long it has been so; the first minute is not counted out, for each step is written to the terminal."""
    return "<1m" if seconds is not None and seconds < 60 else _age(seconds)


def next_text(step: Next, titles: Mapping[str, str]) -> str:
    """The key that does it, and what it does: `b DAG failure recovery`, `enter`, `e last error`."""
    match step.kind:
        case "runbook":
            return f"b {titles.get(step.target) or step.target.replace('-', ' ')}"
        case "error":
            return "e last error"
        case _:
            return "enter"


def _extent(items: Sequence[Item], first: int, shown: int, overview: Overview, looking: Looking, glyphs: Glyphs) -> str:
    """How many there are, and which of them are in view."""
    total = f"{len(items)} of {len(overview.attention)}" if looking.filter else str(len(items))
    extent = total if shown >= len(items) else f"{first + 1}{glyphs.minus}{first + shown} of {total}"
    return f"{extent}  filter {looking.filter}" if looking.filter else extent


def _calm(overview: Overview, looking: Looking, glyphs: Glyphs) -> Line:
    """What to say when there is nothing, and on how much that rests."""
    if looking.filter and overview.attention:
        return line((f"nothing of {len(overview.attention)} matches {looking.filter}", "dim"))
    if not overview.checks:
        return line(("waiting for the first answers", "dim"))
    oldest = max((check.age_seconds or 0.0 for check in overview.checks), default=0.0)
    age = f"; the oldest value is {age_text(oldest)} old" if oldest >= 60 else ""
    good = overview.counts.get(State.OK, 0)
    return line((f"{glyphs.ok} ", "ok"), ("all is well   ", "text"), (f"{good} checks are OK{age}", "dim"))


# --- areas ----------------------------------------------------------------------------------------------------

_AREAS = (
    Column("area", "AREA", widest=20),
    Column("key", ""),
    Column("state", "STATE"),
    Column("now", "NOW", grows=True, least=28),
    Column("trend", "LAST HOUR", priority=1, widest=60),
    Column("ago", "24 H AGO", priority=2, widest=22),
)
_TREND_CELLS = (27, 16)
"""On a wide terminal, and on a narrow one."""


def render_areas(
    overview: Overview,
    width: int,
    height: int,
    glyphs: Glyphs,
    now: float,
    looking: Looking = AWAY,
    keys: Mapping[str, str] | None = None,
) -> Lines:
    """One line for each area: state, what it is like now, the last hour, and how it was a day ago. `keys`: id of a
    screen -> the key that leads there."""
    if width <= 0 or height <= 0:
        return ()
    items = looking.items if looking.items is not None else area_items(overview)
    if not items:
        text = f"no area matches {looking.filter}" if looking.filter else "this screen names no areas"
        return (clip_line(line((text, "dim")), width, glyphs.ellipsis),)
    cells = _TREND_CELLS[0] if width >= _WIDE else _TREND_CELLS[1]
    rows = [_area_row(item, cells, glyphs, now, keys or {}) for item in items]
    layout = lay_out(_AREAS, asked_widths(_AREAS, rows), width)
    first, page = page_of(items, looking.key, max(0, height - 1))
    head = heading(_AREAS, layout)
    if looking.focused and head:
        name = _AREAS[0].title
        head = line((head[0].text[: len(name)], "title-focus"), (head[0].text[len(name) :], "heading"))
    return (head, *_page(page, rows[first:], layout, width, glyphs, looking))


def _area_row(item: Item, cells: int, glyphs: Glyphs, now: float, keys: Mapping[str, str]) -> Row:
    area = item.subject
    assert isinstance(area, AreaState), "made by area_items"
    stale = area.state is State.STALE
    old = f"  {age_text(area.age_seconds)} old" if stale and area.age_seconds is not None else ""
    unknown = Cell("asking…" if area.awaited else "not watched", "dim")
    badge = Cell(glyphs.badge(area.state), state_role(area.state)) if area.checks else unknown
    return Row(
        item.key,
        (
            Cell(area.title, "strong" if area.state in (State.CRIT, State.ERROR) else "text"),
            Cell(keys.get(area.screen, ""), "key"),
            badge,
            Cell(area.now_text + old, "dim" if stale else "text"),
            Cell(trend_text(area, cells, glyphs, now), "spark"),
            Cell(area.day_ago_text, "dim"),
        ),
    )


def trend_text(area: AreaState, cells: int, glyphs: Glyphs, now: float) -> str:
    """The last hour of an area; empty where nothing is known of it."""
    if not area.trend:
        return ""
    values = resampled(area.trend, now, TREND_WINDOW, cells)
    return sparkline(values, glyphs, low=shape_floor(values))


# --- both -----------------------------------------------------------------------------------------------------


def _page(
    page: Sequence[Item], rows: Sequence[Row], layout: Layout, width: int, glyphs: Glyphs, looking: Looking
) -> list[Line]:
    lines = []
    for item, row in zip(page, rows, strict=False):
        shown = row_line(row, layout, glyphs.ellipsis)
        if item.key == looking.key:
            shown = in_role(fit_line(shown, width), "cursor" if looking.focused else "selected")
        elif item.gone:
            shown = in_role(shown, "dim")
        lines.append(shown)
    return lines


def _over(title: Line, head: Line, width: int, glyphs: Glyphs) -> Line:
    """A title, and the column titles that stand right of it."""
    text = "".join(span.text for span in head)
    right = (Span(text[len(text) - len(text.lstrip()) :], "heading"),) if text.strip() else ()
    return spread(title, right, width, glyphs.ellipsis)


def _age(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < _AGE_STEP:
        return f"<{_AGE_STEP}s"
    return age_text(seconds if seconds >= 60 else seconds // _AGE_STEP * _AGE_STEP)
