"""Panels of Grafana from panes: what each kind becomes."""

import re
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold, evaluate
from opsconsole.monitoring.grafana.colours import COLOURS
from opsconsole.monitoring.grafana.kinds import PANEL_TYPES
from opsconsole.monitoring.grafana.units import unit_to_grafana
from opsconsole.monitoring.keeping import KEY, kept_of_pane
from opsconsole.screens.definition import Column, Kind, Pane, Reduce
from opsconsole.screens.variables import is_sql

_CALCS = {
    Reduce.LAST: "lastNotNull", Reduce.MEAN: "mean", Reduce.MAX: "max", Reduce.MIN: "min", Reduce.SUM: "sum",
}  # fmt: skip
SLA = "sla"
"""The source that Grafana has no way to ask."""
_BIND = re.compile(r":'([A-Za-z_]\w*)'")


def panel(pane: Pane, number: int, place: dict[str, int]) -> dict[str, Any]:
    """The panel for a pane, with `number` as its id, at `place` (`gridPos`)."""
    made: dict[str, Any] = {
        "id": number,
        "title": pane.title,
        "type": PANEL_TYPES.get(pane.kind, "text"),
        "gridPos": place,
        KEY: kept_of_pane(pane),
    }
    if pane.kind is Kind.SECTION:
        return {**made, "type": "row", "collapsed": pane.folded, "panels": []}
    if pane.kind in (Kind.TEXT, Kind.VIEW) or pane.source == SLA:
        return {**made, "type": "text", "options": {"mode": "markdown", "content": _words(pane)}}
    made["datasource"] = datasource(pane.source)
    made["targets"] = [_target(pane, position) for position in range(len(pane.targets))]
    made["fieldConfig"] = {"defaults": _defaults(pane), "overrides": _overrides(pane)}
    made["options"] = _OPTIONS[pane.kind](pane) if pane.kind in _OPTIONS else {}
    if pane.kind is Kind.TABLE:
        made["transformations"] = _one_table(pane)
    return made


def datasource(source: str) -> dict[str, str]:
    """The data source by its uid: `prometheus`, and `postgres-app` for `postgres/app`."""
    kind = "grafana-postgresql-datasource" if is_sql(source) else source.partition("/")[0]
    return {"type": kind, "uid": source.replace("/", "-")}


def _target(pane: Pane, position: int) -> dict[str, Any]:
    target = pane.targets[position]
    ref = chr(ord("A") + position)
    if is_sql(pane.source):
        return {
            "refId": ref,
            "datasource": datasource(pane.source),
            "format": "table",
            "rawQuery": True,
            "rawSql": _BIND.sub(r"${\1:sqlstring}", target.query),
        }
    now = pane.kind in (Kind.TABLE, Kind.STATUS, Kind.GAUGE, Kind.BARS) or (pane.kind is Kind.STAT and not pane.window)
    return {
        "refId": ref,
        "datasource": datasource(pane.source),
        "expr": target.query.strip(),
        "legendFormat": target.legend or "__auto",
        "instant": now,
        "range": not now,
        **({"format": "table"} if pane.kind is Kind.TABLE else {}),
        **({"format": "heatmap"} if pane.kind is Kind.HEATMAP else {}),
    }


def _defaults(pane: Pane) -> dict[str, Any]:
    given = {"unit": unit_to_grafana(pane.unit), "decimals": pane.decimals, "min": pane.minimum, "max": pane.maximum}
    found: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    found["thresholds"] = {"mode": "absolute", "steps": steps(pane.thresholds)}
    found["color"] = {
        "mode": "thresholds" if pane.thresholds and pane.kind is not Kind.TIMESERIES else "palette-classic"
    }
    if pane.mappings:
        found["mappings"] = _mappings(pane.mappings)
    if pane.kind is Kind.TIMESERIES:
        found["custom"] = {
            "drawStyle": "line",
            "fillOpacity": 8,
            "showPoints": "never",
            "thresholdsStyle": {"mode": "line" if pane.thresholds else "off"},
        }
    return found


def steps(thresholds: Sequence[Threshold]) -> list[dict[str, Any]]:
    """Grafana's steps, each valid from its value on: the state between any two neighbouring bounds, at its middle.

    A bound itself counts there as what is above it, here as what the threshold says: 0.9 s of `above: 0.9`.
    """
    bounds = sorted({bound for one in thresholds for bound in one.bounds})
    colour = COLOURS.get(evaluate(bounds[0] - 1, thresholds) if bounds else State.OK, "green")
    found: list[dict[str, Any]] = [{"color": colour, "value": None}]
    for bound, following in zip_longest(bounds, bounds[1:]):
        inside = bound + 1 if following is None else (bound + following) / 2
        colour = COLOURS.get(evaluate(inside, thresholds), "green")
        if colour != found[-1]["color"]:
            found.append({"color": colour, "value": bound})
    return found


def _mappings(mappings: Sequence[tuple[float, str]]) -> list[dict[str, Any]]:
    options = {f"{number:g}": {"text": word, "index": index} for index, (number, word) in enumerate(mappings)}
    return [{"type": "value", "options": options}]


def _overrides(pane: Pane) -> list[dict[str, Any]]:
    return [
        {"matcher": {"id": "byName", "options": _field(pane, column)}, "properties": properties}
        for column in pane.columns
        if (properties := _properties(column))
    ]


def _field(pane: Pane, column: Column) -> str:
    """What a column is called after the queries are merged: `Value #B` for the second one."""
    legends = [target.legend for target in pane.targets]
    if not is_sql(pane.source) and column.name in legends and len(legends) > 1:
        return f"Value #{chr(ord('A') + legends.index(column.name))}"
    return "Value" if column.name == "value" and not is_sql(pane.source) else column.name


def _properties(column: Column) -> list[dict[str, Any]]:
    given: list[tuple[str, Any]] = [
        ("displayName", column.title),
        ("unit", unit_to_grafana(column.unit) if column.unit != "none" else ""),
        ("decimals", column.decimals),
        ("mappings", _mappings(column.mappings) if column.mappings else None),
    ]
    if column.thresholds:
        given += [
            ("thresholds", {"mode": "absolute", "steps": steps(column.thresholds)}),
            ("custom.cellOptions", {"type": "color-text"}),
        ]
    return [{"id": name, "value": value} for name, value in given if value not in (None, "")]


def _one_table(pane: Pane) -> list[dict[str, Any]]:
    if is_sql(pane.source):
        return []
    shown = [_field(pane, column) for column in pane.columns]
    order = {name: index for index, name in enumerate(shown)}
    return [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": order}},
    ]


def _reduced(pane: Pane) -> dict[str, Any]:
    return {"reduceOptions": {"calcs": [_CALCS[pane.reduce]], "fields": "", "values": is_sql(pane.source)}}


def _stat(pane: Pane) -> dict[str, Any]:
    return {**_reduced(pane), "graphMode": "area" if pane.window else "none", "colorMode": "value", "textMode": "auto"}


def _status(pane: Pane) -> dict[str, Any]:
    return {**_reduced(pane), "graphMode": "none", "colorMode": "background", "textMode": "value_and_name"}


def _bars(pane: Pane) -> dict[str, Any]:
    return {**_reduced(pane), "displayMode": "basic", "orientation": "horizontal"}


def _timeseries(_: Pane) -> dict[str, Any]:
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}


def _heatmap(_: Pane) -> dict[str, Any]:
    return {"calculate": False, "yAxis": {"unit": "s"}, "cellValues": {"unit": "short"}}


_OPTIONS: dict[Kind, Callable[[Pane], dict[str, Any]]] = {
    Kind.STAT: _stat,
    Kind.STATUS: _status,
    Kind.GAUGE: _reduced,
    Kind.BARS: _bars,
    Kind.TIMESERIES: _timeseries,
    Kind.HEATMAP: _heatmap,
    Kind.TIMELINE: lambda _: {"mergeValues": True, "showValue": "never", "rowHeight": 0.9},
    Kind.TABLE: lambda _: {"showHeader": True, "cellHeight": "sm"},
}


def _words(pane: Pane) -> str:
    """A text as it is; in the place of a view, which is a program, where to find it."""
    if pane.kind is Kind.TEXT:
        return pane.text.strip()
    if pane.source == SLA:
        return f"{pane.title} is worked out by the console only: `opsconsole`, or `opsconsole sla status` for scripts."
    return f"`{pane.view}` is shown by the console only: `opsconsole`, or `opsconsole status` for scripts."
