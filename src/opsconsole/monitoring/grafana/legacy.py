"""Panel types that Grafana itself has replaced, in the words of those that replaced them.

What Grafana's own migrations do when it opens an old dashboard, for the part that a screen can show.
"""

from typing import Any

from opsconsole.monitoring.grafana.untrusted import Json, at, items, mapping, mappings, number, word

_CALCS = {
    "current": "lastNotNull", "avg": "mean", "total": "sum", "max": "max", "min": "min", "first": "first",
    "delta": "delta", "diff": "diff", "range": "range", "name": "lastNotNull", "last_time": "lastNotNull",
}  # fmt: skip
"""A singlestat's `valueName` -> the calculation of a stat."""


def modern(panel: Json) -> Json:
    """`panel` as a panel of today's type; one that is of today already is returned as it is."""
    match panel.get("type"):
        case "graph":
            return _graph(panel)
        case "singlestat" | "grafana-singlestat-panel":
            return _singlestat(panel)
        case "table-old":
            return _old_table(panel)
        case "table" if "styles" in panel and "fieldConfig" not in panel:
            return _old_table(panel)
        case "text" if "content" in panel:
            return {**panel, "options": {"content": panel["content"], "mode": panel.get("mode")}}
        case "grafana-piechart-panel":
            unit = panel.get("format")
            return {**panel, **_with_defaults(panel, {"unit": unit}), "options": _reduced(panel.get("valueName"))}
        case _:
            return panel


def _with_defaults(panel: Json, defaults: Json) -> dict[str, Any]:
    """A field configuration of `defaults`, without what is not said."""
    known = {key: value for key, value in defaults.items() if value not in (None, "", [])}
    config = mapping(panel.get("fieldConfig"))
    return {
        "fieldConfig": {"defaults": {**known, **mapping(config.get("defaults"))}, "overrides": config.get("overrides")}
    }


def _reduced(calc: object) -> dict[str, Any]:
    return {"reduceOptions": {"calcs": [_CALCS.get(str(calc), "lastNotNull")]}}


def _graph(panel: Json) -> Json:
    axes = mappings(panel.get("yaxes"))
    left = axes[0] if axes else {}
    formats = items(panel.get("y_formats"))
    grid = mapping(panel.get("grid"))
    defaults = {
        "unit": left.get("format") or (formats[0] if formats else None),
        "decimals": left.get("decimals") if left.get("decimals") is not None else panel.get("decimals"),
        "min": left.get("min") if left.get("min") is not None else grid.get("leftMin"),
        "max": left.get("max") if left.get("max") is not None else grid.get("leftMax"),
    }
    steps = _graph_steps(mappings(panel.get("thresholds")))
    if steps:
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["custom"] = {"thresholdsStyle": {"mode": "line"}}
    kind = "barchart" if at(panel, "xaxis", "mode") == "series" else "timeseries"
    values = items(at(panel, "xaxis", "values"))
    right = axes[1].get("format") if len(axes) > 1 else None
    other = _right_axis(panel, right) if right and right != defaults["unit"] else []
    found = {**panel, **_with_defaults(panel, defaults), "type": kind, "options": _reduced(values[0] if values else "")}
    found["fieldConfig"]["overrides"] = other
    if panel.get("stack"):
        found["fieldConfig"]["defaults"].setdefault("custom", {})["stacking"] = {"mode": "normal"}
    return found


def _graph_steps(thresholds: list[Json]) -> list[Json]:
    """Steps of a graph's thresholds; those for small values (`lt`) come before the good ones."""
    colours = {"critical": "red", "warning": "orange", "ok": "green"}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    for one in sorted(thresholds, key=lambda one: number(one.get("value")) or 0.0):
        bound, colour = number(one.get("value")), colours.get(str(one.get("colorMode")))
        if bound is None or colour is None:
            continue
        if one.get("op") == "lt":
            steps[-1]["color"] = colour
            steps.append({"color": "green", "value": bound})
        else:
            steps.append({"color": colour, "value": bound})
    return list(steps) if len(steps) > 1 else []


def _right_axis(panel: Json, unit: object) -> list[Json]:
    """Overrides for the series on the right axis, which has a unit of its own."""
    return [
        {"matcher": {"id": "byName", "options": one.get("alias")}, "properties": [{"id": "unit", "value": unit}]}
        for one in mappings(panel.get("seriesOverrides"))
        if one.get("yaxis") == 2
    ]


def _singlestat(panel: Json) -> Json:
    gauge = mapping(panel.get("gauge"))
    defaults: dict[str, Any] = {"unit": panel.get("format"), "decimals": panel.get("decimals")}
    if gauge.get("show"):
        defaults |= {"min": gauge.get("minValue"), "max": gauge.get("maxValue")}
    coloured = bool(panel.get("colorValue") or panel.get("colorBackground") or gauge.get("show"))
    steps = _old_steps(panel.get("thresholds"), items(panel.get("colors")))
    if steps:
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    defaults["mappings"] = [{"type": 1, "value": one.get("value"), "text": one.get("text")}
                            for one in mappings(panel.get("valueMaps"))]  # fmt: skip
    ranges = [{"type": 2, "from": one.get("from"), "to": one.get("to"), "text": one.get("text")}
              for one in mappings(panel.get("rangeMaps"))] if panel.get("mappingType") == 2 else []  # fmt: skip
    defaults["mappings"] = ranges or defaults["mappings"]
    options = {
        **_reduced(panel.get("valueName")),
        "colorMode": "value" if coloured else "none",
        "graphMode": "area" if at(panel, "sparkline", "show") else "none",
    }
    return {
        **panel,
        **_with_defaults({}, defaults),
        "type": "gauge" if gauge.get("show") else "stat",
        "options": options,
    }


def _old_steps(bounds: object, colours: list[Any]) -> list[Json]:
    """`"50,80"` and three colours as steps."""
    numbers = [number(one) for one in bounds.split(",")] if isinstance(bounds, str) else []
    known = [one for one in numbers if one is not None]
    if not known or not colours:
        return []
    names = [str(colour) for colour in colours]
    return [
        {"color": names[min(place, len(names) - 1)], "value": bound}
        for place, bound in enumerate([None, *known][: len(names)])
    ]


def _old_table(panel: Json) -> Json:
    """Styles by a pattern of the column's name as overrides."""
    overrides = []
    for style in mappings(panel.get("styles")):
        pattern = word(style.get("pattern"))
        if pattern in ("Time", "/.*/", ""):
            continue
        properties: list[Json] = [{"id": "displayName", "value": style.get("alias")}] if style.get("alias") else []
        if style.get("type") == "hidden":
            properties.append({"id": "custom.hidden", "value": True})
        elif style.get("type") == "number":
            properties += [{"id": key, "value": style.get(key)} for key in ("unit", "decimals") if style.get(key)]
            bounds = ",".join(str(one) for one in items(style.get("thresholds")))
            steps = _old_steps(bounds, items(style.get("colors"))) if style.get("colorMode") else []
            properties += [{"id": "thresholds", "value": {"mode": "absolute", "steps": steps}}] if steps else []
        by = "byRegexp" if pattern.startswith("/") else "byName"
        overrides.append({"matcher": {"id": by, "options": pattern}, "properties": properties})
    config: dict[str, Any] = {"defaults": {}, "overrides": overrides}
    return {**panel, "type": "table", "fieldConfig": config, "options": {}}
