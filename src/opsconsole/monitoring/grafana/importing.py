"""A dashboard as a screen: what is shown of it, what its file says, and how much of each panel that is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from opsconsole.config.document import parse_document
from opsconsole.core.duration import parse_duration
from opsconsole.monitoring.grafana import variables as dashboard_variables
from opsconsole.monitoring.grafana.arranging import arranged, rows_of
from opsconsole.monitoring.grafana.checking import promql_problem
from opsconsole.monitoring.grafana.fidelity import Fate, Fidelity, Losses
from opsconsole.monitoring.grafana.model import PROMETHEUS, Dashboard, Panel, Section
from opsconsole.monitoring.grafana.paging import paged
from opsconsole.monitoring.grafana.panes import NotTakenError, pane_of
from opsconsole.monitoring.grafana.promql import normal_references
from opsconsole.monitoring.grafana.restoring import restored
from opsconsole.monitoring.grafana.variables import Variables
from opsconsole.monitoring.grafana.writing import Entry, Written, written
from opsconsole.screens.definition import Screen
from opsconsole.screens.format import MAX_PANES
from opsconsole.screens.loading import read_screen

_RANGE = re.compile(r"now-(\d+)([smhdwMy])(?:/[a-zA-Z])?")
_TODAY = re.compile(r"now/([dwM])")
_SHORTEST, _LONGEST = 60.0, 366 * 86400.0
_REFRESH = 30.0
"""Seconds, where a dashboard does not refresh itself: what is in view of an imported screen may be many queries."""


@dataclass(frozen=True, slots=True)
class Page:
    """A further screen of a dashboard that is more than one holds."""

    id: str
    text: str
    """Its file."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A screen that was a dashboard."""

    id: str
    title: str
    uid: str
    schema: str
    text: str
    """Its file."""
    fates: tuple[Fate, ...]
    """What became of each panel, in reading order."""
    lost: tuple[str, ...] = ()
    """What of the dashboard as a whole is not there."""
    panes: int = 0
    """On all its screens."""
    more: tuple[Page, ...] = ()
    """The screens after the first."""

    @property
    def pages(self) -> tuple[Page, ...]:
        """All its screens."""
        return (Page(self.id, self.text), *self.more)

    def count(self, fidelity: Fidelity) -> int:
        """How many panels arrived so."""
        return sum(fate.fidelity is fidelity for fate in self.fates)


def import_dashboard(dashboard: Dashboard, screen_id: str = "") -> Imported:
    """The screen for `dashboard`.

    What its file says has been read back, and its queries have been parsed: a pane that would not work is not in it,
    and its panel is lost for that reason.

    Args:
        screen_id: the id of the screen; empty: made of the dashboard's title.
    """
    if dashboard.exported:
        return _exported(dashboard, screen_id or slug(dashboard.uid) or "dashboard")
    name = slug(screen_id or dashboard.title) or "dashboard"
    queries = [
        target.query
        for section in dashboard.sections
        for panel in section.panels
        for target in panel.targets
        if target.source == PROMETHEUS and not target.hidden
    ]
    variables = dashboard_variables.converted(dashboard.variables, queries)
    variables, more = _variables_that_work(variables)
    window = _window(dashboard.window)
    columns, sections = arranged(dashboard.sections)
    head = _head(dashboard, name, columns, window)
    lost = (*_dashboard_losses(dashboard, variables), *more)
    # What does not work takes no place on a page.
    entries = _that_work(head, variables, list(_entries(dashboard, variables, window, sections)))
    pages = paged(entries, MAX_PANES)
    heads = [_head_of_page(head, number, len(pages)) for number in range(1, len(pages) + 1)]
    files = [
        Page(one["id"], written(Written(one, variables, page, _source(dashboard), lost)))
        for one, page in zip(heads, pages, strict=True)
    ]
    fates = tuple(
        replace(entry.fate, screen=one["id"] if len(pages) > 1 and entry.pane is not None else "")
        for one, page in zip(heads, pages, strict=True)
        for entry in page
        if entry.fate is not None
    )
    panes = sum(entry.pane is not None for page in pages for entry in page)
    return Imported(
        name, dashboard.title, dashboard.uid, dashboard.schema, files[0].text, fates, lost, panes, tuple(files[1:])
    )


def _exported(dashboard: Dashboard, name: str) -> Imported:
    """The screen that `dashboard` was exported from, with what was changed in Grafana since."""
    found = restored(dashboard.exported, name)
    screen, _ = read_screen(parse_document(found.text, "screen"))
    broken = {pane.id: pane.broken.partition(": ")[2] for pane in screen.panes if pane.broken} if screen else {}
    fates = tuple(
        replace(fate, fidelity=Fidelity.LOST, notes=(broken[fate.pane],)) if fate.pane in broken else fate
        for fate in found.fates
    )
    panes = sum(fate.fidelity is not Fidelity.LOST for fate in fates) if screen else 0
    return Imported(name, dashboard.title, dashboard.uid, dashboard.schema, found.text, fates, panes=panes)


def slug(text: str) -> str:
    """`text` as an id: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")


def _head(dashboard: Dashboard, name: str, columns: int, window: str) -> dict[str, Any]:
    refresh = _seconds(dashboard.refresh)
    return {
        "screen": 1,
        "id": name,
        "title": dashboard.title,
        "refresh": f"{min(86400, max(5, round(refresh or _REFRESH)))}s",
        "range": window,
        "columns": columns,
    }


def _head_of_page(head: dict[str, Any], number: int, of: int) -> dict[str, Any]:
    """The same for each page, but for id and title: `node`, `node-2`, …"""
    if of == 1:
        return head
    name = head["id"] if number == 1 else f"{head['id'][:56]}-{number}"
    return {**head, "id": name, "title": f"{head['title']} ({number} of {of})"}


def _seconds(text: str) -> float:
    try:
        return parse_duration(text) if text else 0.0
    except ValueError:
        return 0.0


def _window(start: str) -> str:
    """`now-6h` as `6h`; an hour for what is no distance from now."""
    if match := _TODAY.fullmatch(start):
        return {"d": "24h", "w": "7d", "M": "30d"}[match[1]]
    match = _RANGE.fullmatch(start)
    if match is None or len(match[1]) > 6:
        return "1h"
    count, unit = int(match[1]), match[2]
    if unit == "M":
        count, unit = count * 30, "d"
    seconds = count * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}[unit]
    return f"{count}{unit}" if _SHORTEST <= seconds <= _LONGEST else "1h"


def _source(dashboard: Dashboard) -> str:
    uid = f"uid {dashboard.uid}, " if dashboard.uid else ""
    return f"{dashboard.title!r} ({uid}schema {dashboard.schema})"


def _dashboard_losses(dashboard: Dashboard, variables: Variables) -> tuple[str, ...]:
    lost = [f"variable {name}: {why}" for name, why in variables.lost]
    lost += [f"annotation {name!r}" for name in dashboard.annotations]
    lost += [f"link {title or url!r}: {url}" for title, url in dashboard.links]
    return tuple(lost)


def _variables_that_work(variables: Variables) -> tuple[Variables, tuple[str, ...]]:
    """`variables` without those that a screen's file may not say so, and what is lost by that."""
    lost: list[str] = []
    said = dict(variables.said)
    for _ in range(len(said)):
        file = Written({"screen": 1, "id": "x"}, replace(variables, said=said), [], "", ())
        _, problems = read_screen(parse_document(written(file, sample=True), "x"))
        wrong = next((one for one in problems if one.severity == "error"), None)
        if wrong is None:
            break
        name = next((name for name in said if re.search(rf"\b{re.escape(name)}\b", wrong.message)), next(iter(said)))
        name = _variable_at(written(file, sample=True), wrong.line, said) or name
        lost.append(f"variable {name}: {wrong.message}")
        del said[name]
    known = replace(variables.known, names=frozenset(said), several=variables.known.several & said.keys())
    return replace(variables, said=said, known=known), tuple(lost)


def _variable_at(text: str, line: int, names: dict[str, Any]) -> str:
    """The variable whose entry stands at a line of a file."""
    for one in reversed(text.split("\n")[:line]):
        match = re.match(r"  (\w+):", one)
        if match and match[1] in names:
            return match[1]
    return ""


def _entries(dashboard: Dashboard, variables: Variables, window: str, sections: list[list[Any]]) -> Iterator[Entry]:
    """Every section and panel in reading order, as it goes into the file."""
    taken: set[str] = set()
    several = len(dashboard.sections) > 1 or any(section.title for section in dashboard.sections)
    for section, panels in zip(dashboard.sections, sections, strict=True):
        if several and section.title:
            yield _heading(section, taken)
        for panel, span in panels:
            yield _entry(panel, span, section, variables, window, taken)


def _heading(section: Section, taken: set[str]) -> Entry:
    title = normal_references(section.title)
    pane: dict[str, Any] = {"id": _free(slug(title) or "section", taken), "kind": "section", "title": title}
    if section.folded:
        pane["folded"] = True
    notes = (f"repeated for every ${section.repeat} in Grafana; here once, for all",) if section.repeat else ()
    return Entry(pane, notes)


def _entry(panel: Panel, span: int, section: Section, variables: Variables, window: str, taken: set[str]) -> Entry:
    losses = Losses()
    asks = any(one.source == PROMETHEUS and one.query.strip() and not one.hidden for one in panel.targets)
    fate = Fate(panel.id, panel.title, panel.type, section.title, Fidelity.LOST, asks=asks)
    try:
        pane = pane_of(panel, variables.known, window, losses)
    except NotTakenError as error:
        return Entry(None, fate=replace(fate, notes=(str(error),)))
    if panel.repeat:
        losses.close.append(f"repeated for every ${panel.repeat} in Grafana; here once, for all")
    name = _free(slug(panel.title) or f"{pane['kind']}-{panel.id}", taken)
    rows = rows_of(panel, pane)
    placed = {"id": name, **pane, **({"span": span} if span > 1 else {}), **({"rows": rows} if rows else {})}
    done = replace(fate, fidelity=losses.fidelity(), pane=name, kind=pane["kind"], notes=losses.notes())
    links = tuple(f"link {title}: {url}" if title else f"link {url}" for title, url in panel.links)
    return Entry(placed, losses.notes(), done, panel.description, links)


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    taken.add(name)
    return name


def _that_work(head: dict[str, Any], variables: Variables, entries: list[Entry]) -> list[Entry]:
    """`entries`, those that a screen could not show without their pane and with the reason."""
    panes = [entry for entry in entries if entry.pane is not None]
    broken: dict[str, str] = {}
    for start in range(0, len(panes), MAX_PANES):
        text = written(Written(head, variables, panes[start : start + MAX_PANES], "", ()))
        screen, _ = read_screen(parse_document(text, "screen"))
        if screen is not None:
            broken |= _unparsable(screen)
            broken |= {pane.id: pane.broken.partition(": ")[2] for pane in screen.panes if pane.broken}
    return [
        _without_pane(entry, broken[entry.pane["id"]]) if entry.pane and entry.pane["id"] in broken else entry
        for entry in entries
    ]


def _unparsable(screen: Screen) -> dict[str, str]:
    return {pane.id: why for pane in screen.panes if (why := promql_problem(screen, pane))}


def _without_pane(entry: Entry, why: str) -> Entry:
    fate = entry.fate
    if fate is not None:
        fate = replace(fate, fidelity=Fidelity.LOST, pane="", kind="", notes=(why,))
    return replace(entry, pane=None, fate=fate, notes=())
