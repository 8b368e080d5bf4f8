"""Why an alert fires, as lines: its conditions with what they say now, a graph, and how often it fired before."""

from collections.abc import Iterator, Mapping

from opsconsole.alerts.episodes import History, mean_time_to_repair
from opsconsole.alerts.explaining import Explanation, Measured
from opsconsole.alerts.model import Alert, Survey
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.units import format_value
from opsconsole.ui.alerts import telling
from opsconsole.ui.alerts.past import episode_line
from opsconsole.ui.charts.lines import Bound, Chart, draw
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Role, Span, line
from opsconsole.ui.pages.page import Detail
from opsconsole.ui.screens.detail import detail_page
from opsconsole.ui.screens.text import paragraphs

_GRAPH = 9
"""Lines of the graph."""
_EPISODES = 5
_BUDGET_DAYS = 30
"""Days of an error budget, for how long it lasts at a burn rate; as in the SRE Workbook, chapter 5."""


def reason_page(alert: Alert, survey: Survey, explained: Explanation | None, glyphs: Glyphs, width: int) -> Lines:
    """All of it. `explained` None: the answers are not there yet."""
    head = Detail(telling.title_of(alert), telling.alert_facts(alert, survey))
    found: list[Line] = [*detail_page(head)(width), ()]
    by = f"   by {explained.asked}" if explained is not None and explained.asked and len(survey.rules) > 1 else ""
    found += [line(Span(" why it fires", "heading"), Span(by, "dim"))]
    found += _why(alert, explained, width)
    if explained is not None and explained.graph:
        found += [(), *_graph(explained, glyphs, width)]
    if explained is not None and explained.history is not None:
        found += [(), *_past(explained.history, width)]
    notes = explained.notes if explained is not None else ()
    rest = Detail("", (), telling.alert_parts(alert, survey))
    found += detail_page(rest, (*notes, *survey.notes))(width)[2:]
    return tuple(found)


def _why(alert: Alert, explained: Explanation | None, width: int) -> Iterator[Line]:
    if explained is None:
        yield line(Span("  asking…", "dim"))
        return
    if not explained.alternatives:
        yield from (
            line("  ", *one) for one in paragraphs(clean_line(alert.expr, limit=5000) or "not known", width - 4)
        )
        if alert.value is not None:
            yield line(Span(f"  its value is {format_value(alert.value)}"))
        return
    several = len(explained.alternatives) > 1
    for number, together in enumerate(explained.alternatives):
        if several:
            yield line(Span("  either" if not number else "  or", "dim"))
        for one in together:
            yield from _condition(one, width, "    " if several else "  ")


def _condition(one: Measured, width: int, indent: str) -> Iterator[Line]:
    condition = one.condition
    mark, role = _MARKS[one.holds]
    asked = clean_line(" ".join(condition.asked.split()), limit=5000)
    if condition.negated:
        asked = f"nothing of  {asked}"
    room = max(20, width - len(indent) - 8)
    lines = paragraphs(asked, room)
    yield line(Span(f"{indent}{mark:<6}", role), *lines[0])
    yield from (line(Span(f"{indent}{'':<6}"), *more) for more in lines[1:])
    yield line(Span(f"{indent}{'':<6}"), *_values(one))
    if burn := _burn(one):
        yield line(Span(f"{indent}{'':<6}{burn}", "dim"))


_MARKS: Mapping[bool | None, tuple[str, Role]] = {
    True: ("holds", "crit"),
    False: ("not", "dim"),
    None: ("?", "unknown"),
}


def _values(one: Measured) -> Line:
    condition = one.condition
    if one.error:
        return (Span(clean_line(one.error), "error"),)
    limit = ""
    if condition.op:
        written = clean_line(" ".join(condition.limit.split()), limit=120)
        number = format_value(one.limit) if one.limit is not None else ""
        limit = f"   {condition.op} {written}" + (f" = {number}" if number and number != written else "")
    if not one.values:
        return (Span("gives nothing now", "dim"), Span(limit, "dim"))
    shown = ", ".join(format_value(value) for _, value in one.values)
    more = f" and {one.more} more" if one.more else ""
    return (Span("is "), Span(f"{shown}{more}", "strong"), Span(limit, "dim"))


def _burn(one: Measured) -> str:
    """Which window of a burn rate it is, and how fast the budget goes."""
    condition = one.condition
    if not condition.window:
        return ""
    words = f"over {condition.window}"
    factor, limit = condition.factor, one.limit
    if factor is None or factor <= 0 or limit is None or not one.values:
        return words
    # limit = factor × (1 - objective), so value / limit × factor is the burn rate.
    rate = max(value for _, value in one.values) / limit * factor if limit else 0.0
    if rate <= 0:
        return words
    gone = duration_text(_BUDGET_DAYS * 86_400 / rate)
    budget = f"{_BUDGET_DAYS} days' budget are gone in {gone}"
    return f"{words}: burns {rate:.1f} times the budget, from {factor:g} on it alerts; {budget}"


def _graph(explained: Explanation, glyphs: Glyphs, width: int) -> Iterator[Line]:
    measured, window = explained.graph_of, explained.graph_end - explained.graph_start
    bounds = (Bound(measured.limit, "crit-line"),) if measured is not None and measured.limit is not None else ()
    chart = Chart((explained.graph,), explained.graph_end, window, bounds=bounds)
    yield line(Span(f" the last {duration_text(round(window))}", "heading"))
    yield from (line("  ", *one) for one in draw(chart, max(10, width - 4), _GRAPH, glyphs))


def _past(history: History, width: int) -> Iterator[Line]:
    found = history.episodes
    mean = mean_time_to_repair(found)
    words = f"{len(found)} in the last {duration_text(history.end - history.start)}"
    words += f", mean time to repair {duration_text(mean)}" if mean is not None else ""
    yield line(Span(" episodes", "heading"), Span(f"   {words}, exact to {duration_text(history.step)}", "dim"))
    for one in found[:_EPISODES]:
        yield line(Span(f"  {episode_line(one, history.end)}"))
