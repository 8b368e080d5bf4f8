"""Dashboards of Grafana from screens, to be provisioned as files."""

from collections.abc import Iterator
from typing import Any

from opsconsole.monitoring.keeping import KEY, kept_of_screen
from opsconsole.monitoring.panels import datasource, panel
from opsconsole.monitoring.text import prometheus_duration
from opsconsole.screens.definition import Kind, Pane, Screen, Variable
from opsconsole.screens.variables import EVERYTHING, is_sql

_WIDTH = 24
"""Columns of Grafana's grid."""
_LINES_PER_UNIT = 2
"""A unit of height there is 30 pixels, and two lines of a terminal take about as much."""
_HEIGHTS = {Kind.STAT: 4, Kind.TEXT: 4, Kind.VIEW: 3, Kind.GAUGE: 6}
_USUAL_HEIGHT = 8


def dashboard(screen: Screen) -> dict[str, Any]:
    """The dashboard for a screen, as Grafana 10 and later read it. Its uid is the screen's id."""
    places = layout(screen)
    panes = [(pane, place) for pane, place in zip(screen.panes, places, strict=True) if not pane.broken]
    return {
        "uid": screen.id[:40],
        "title": screen.title,
        "tags": [KEY],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": prometheus_duration(max(5.0, screen.refresh)),
        "time": {"from": f"now-{prometheus_duration(screen.window)}", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_variable(one) for one in screen.variables]},
        "annotations": {"list": []},
        KEY: kept_of_screen(screen),
        "panels": _folded([panel(pane, number, place) for number, (pane, place) in enumerate(panes, start=1)]),
    }


def _folded(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the panels of a folded row inside of it, where Grafana has them."""
    found: list[dict[str, Any]] = []
    inside: list[dict[str, Any]] = found
    for one in panels:
        if one["type"] == "row":
            found.append(one)
            inside = one["panels"] if one["collapsed"] else found
        else:
            inside.append(one)
    return found


def provider_file() -> dict[str, Any]:
    """What tells Grafana that the dashboards lie beside this file."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": KEY,
                "folder": KEY,
                "type": "file",
                "disableDeletion": True,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 30,
                "options": {"path": "/etc/grafana/provisioning/dashboards"},
            }
        ],
    }


def layout(screen: Screen) -> list[dict[str, int]]:
    """`gridPos` of each pane: from left to right, as the console does it; a row is as high as its highest."""
    return list(_placed(screen))


def _placed(screen: Screen) -> Iterator[dict[str, int]]:
    x = y = 0
    row: list[tuple[int, int, int]] = []
    for pane in screen.panes:
        width = round(_WIDTH * min(pane.span, screen.columns) / screen.columns)
        if pane.kind is Kind.SECTION:
            width = _WIDTH
        if x + width > _WIDTH:
            yield from _row(row, y)
            y += max(height for *_, height in row)
            x, row = 0, []
        row.append((x, width, _height(pane)))
        x += width
    yield from _row(row, y)


def _row(row: list[tuple[int, int, int]], y: int) -> Iterator[dict[str, int]]:
    highest = max((height for *_, height in row), default=0)
    return ({"h": highest, "w": width, "x": x, "y": y} for x, width, _ in row)


def _height(pane: Pane) -> int:
    if pane.kind is Kind.SECTION:
        return 1
    if pane.rows:
        return max(3, -(-pane.rows // _LINES_PER_UNIT) + 2)
    return _HEIGHTS.get(pane.kind, _USUAL_HEIGHT)


def _variable(variable: Variable) -> dict[str, Any]:
    everything = variable.default == EVERYTHING
    current: dict[str, Any] = {"text": variable.default, "value": variable.default}
    if everything:
        current = {"text": ["All"], "value": ["$__all"]}
    common: dict[str, Any] = {
        "name": variable.name,
        "label": variable.title or variable.name,
        "multi": variable.multi,
        "includeAll": everything,
        **({"allValue": variable.everything} if everything and variable.everything != ".*" else {}),
        "current": current,
    }
    if not variable.query:
        return {**common, "type": "custom", "query": ",".join(value.replace(",", "\\,") for value in variable.values)}
    sql = is_sql(variable.source)
    return {
        **common,
        "type": "query",
        "datasource": datasource(variable.source),
        "query": variable.query if sql else {"query": variable.query, "refId": variable.name},
        "definition": variable.query,
        "refresh": 2,
        "sort": 7,
    }
