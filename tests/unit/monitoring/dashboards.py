"""Small Grafana dashboards for tests, in each of the formats."""

from typing import Any

PROMETHEUS = {"type": "prometheus", "uid": "${ds}"}
DATASOURCE = {"name": "ds", "type": "datasource", "query": "prometheus"}


def target(expr: str, ref: str = "A", **more: Any) -> dict[str, Any]:
    """A query for Prometheus."""
    return {"refId": ref, "expr": expr, "datasource": PROMETHEUS, **more}


def panel(kind: str = "timeseries", expr: str = "up", **more: Any) -> dict[str, Any]:
    """A panel with one query."""
    return {"type": kind, "title": f"A {kind}", "targets": [target(expr)], **more}


def defaults(**said: Any) -> dict[str, Any]:
    """A field configuration."""
    return {"defaults": said, "overrides": []}


def steps(*pairs: tuple[float | None, str]) -> dict[str, Any]:
    """Thresholds of (value, colour)."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in pairs]}


def placed(at: dict[str, Any], x: int, y: int, w: int, h: int) -> dict[str, Any]:
    """A panel at its place."""
    return {**at, "gridPos": {"x": x, "y": y, "w": w, "h": h}}


def classic(*panels: dict[str, Any], variables: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A dashboard of schema 39."""
    return {
        "title": "House",
        "uid": "abc",
        "schemaVersion": 39,
        "panels": list(panels),
        "templating": {"list": [DATASOURCE, *(variables or [])]},
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        **more,
    }


def query_variable(name: str, query: str, **more: Any) -> dict[str, Any]:
    """A variable whose values Prometheus knows."""
    return {"name": name, "type": "query", "datasource": PROMETHEUS, "query": {"query": query}, **more}


def v2_element(number: int, group: str, expr: str, **field: Any) -> dict[str, Any]:
    """A panel of a v2 dashboard."""
    query = {"kind": "DataQuery", "group": "prometheus", "datasource": {"name": "x"}, "spec": {"expr": expr}}
    return {
        "kind": "Panel",
        "spec": {
            "id": number,
            "title": f"Panel {number}",
            "data": {
                "kind": "QueryGroup",
                "spec": {"queries": [{"kind": "PanelQuery", "spec": {"refId": "A", "hidden": False, "query": query}}]},
            },
            "vizConfig": {
                "kind": "VizConfig",
                "group": group,
                "spec": {"options": {}, "fieldConfig": defaults(**field)},
            },
        },
    }


def v2_item(number: int, x: int, y: int, width: int = 12) -> dict[str, Any]:
    """The place of a v2 panel."""
    element = {"kind": "ElementReference", "name": f"panel-{number}"}
    return {"kind": "GridLayoutItem", "spec": {"x": x, "y": y, "width": width, "height": 8, "element": element}}


def v2(
    layout: dict[str, Any], *elements: dict[str, Any], variables: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """A dashboard of v2beta1."""
    return {
        "apiVersion": "dashboard.grafana.app/v2beta1",
        "kind": "Dashboard",
        "metadata": {"name": "uid-2"},
        "spec": {
            "title": "Second",
            "elements": {f"panel-{one['spec']['id']}": one for one in elements},
            "layout": layout,
            "variables": variables or [],
            "timeSettings": {"from": "now-3h", "to": "now", "autoRefresh": "10s"},
        },
    }
