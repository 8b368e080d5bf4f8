"""From the JSON of a dashboard, in any of Grafana's formats, to the one model."""

import json
import re
from collections.abc import Mapping

from opsconsole.monitoring.grafana import fields, layouts, legacy
from opsconsole.monitoring.grafana.model import (
    PROMETHEUS,
    Dashboard,
    DashboardVariable,
    Panel,
    Section,
    Target,
)
from opsconsole.monitoring.grafana.restoring import is_exported
from opsconsole.monitoring.grafana.untrusted import Json, at, items, mapping, mappings, passage, whole, word

MAX_BYTES = 8_000_000
"""Of a dashboard's file. The largest public ones have under one million."""

_PROMQL_SOURCES = frozenset({"prometheus", "grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource",
                             "mimir", "thanos", "victoriametrics-metrics-datasource", "promxy", "cortex"})  # fmt: skip
_VARIABLE = re.compile(r"\$\{?(\w+)|\[\[(\w+)\]\]")


class DashboardError(ValueError):
    """The text is none; the message says what it is and what was expected."""


def parse_dashboard(text: str) -> Dashboard:
    """The dashboard in `text`: a file of Grafana, or what its HTTP API answers.

    Raises:
        DashboardError: it is no JSON, or JSON of something else.
    """
    if len(text) > MAX_BYTES:
        raise DashboardError(f"more than {MAX_BYTES} characters; expected a Grafana dashboard")
    try:
        found = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise DashboardError(f"no JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (RecursionError, ValueError):
        raise DashboardError("no JSON that can be read: nested too deeply, or a number too long") from None
    return read_dashboard(found)


def read_dashboard(document: object) -> Dashboard:
    """As `parse_dashboard`, for JSON that is read already."""
    spec = _unwrapped(document)
    if "elements" in spec and "layout" in spec:
        return _read_v2(spec, mapping(document))
    if not ({"panels", "rows"} & spec.keys()):
        raise DashboardError("no Grafana dashboard: it has neither panels, rows nor elements")
    return _read_classic(spec)


def _unwrapped(document: object) -> Json:
    """The dashboard itself: the API puts it into `dashboard`, an app platform resource into `spec`."""
    if not isinstance(document, dict):
        raise DashboardError(f"no Grafana dashboard: a JSON {type(document).__name__}; expected an object")
    for key in ("dashboard", "spec"):
        inner = document.get(key)
        if isinstance(inner, dict) and ({"panels", "rows", "elements"} & inner.keys()):
            return inner
    return document


def _read_classic(spec: Json) -> Dashboard:
    variables = mappings(at(spec, "templating", "list"))
    sources = _Sources(spec, variables)
    library = {str(uid): mapping(at(one, "model")) for uid, one in mapping(spec.get("__elements")).items()}
    return Dashboard(
        title=word(spec.get("title"), limit=100) or "Dashboard",
        uid=word(spec.get("uid"), limit=60),
        schema=str(whole(spec.get("schemaVersion"))),
        sections=tuple(_section(one, sources, library) for one in layouts.classic_sections(spec)),
        variables=tuple(one for said in variables if (one := _variable(said, sources)).name),
        refresh=word(spec.get("refresh"), limit=20),
        window=word(at(spec, "time", "from"), limit=40),
        annotations=_annotations(mappings(at(spec, "annotations", "list"))),
        links=_links(spec.get("links")),
        exported=spec if is_exported(spec) else {},
    )


def _read_v2(spec: Json, document: Json) -> Dashboard:
    variables = layouts.v2_variables(spec)
    sources = _Sources({}, variables)
    annotations = [mapping(one.get("spec")) for one in mappings(spec.get("annotations"))]
    return Dashboard(
        title=word(spec.get("title"), limit=100) or "Dashboard",
        uid=word(at(document, "metadata", "name"), limit=60),
        schema=word(document.get("apiVersion"), limit=60).rpartition("/")[2] or "v2",
        sections=tuple(_section(one, sources, {}) for one in layouts.v2_sections(spec)),
        variables=tuple(one for said in variables if (one := _variable(said, sources)).name),
        refresh=word(at(spec, "timeSettings", "autoRefresh"), limit=20),
        window=word(at(spec, "timeSettings", "from"), limit=40),
        annotations=_annotations(annotations),
        links=_links(spec.get("links")),
    )


class _Sources:
    """Which kind a data source is, by the many ways in which dashboards name one."""

    def __init__(self, spec: Json, variables: list[Json]) -> None:
        self._named: dict[str, str] = {}
        for one in mappings(spec.get("__inputs")):
            self._named[word(one.get("name"))] = word(one.get("pluginId"))
        for one in variables:
            if one.get("type") == "datasource":
                self._named[word(one.get("name"))] = word(one.get("query")) or PROMETHEUS

    def kind(self, said: object, default: str = "") -> str:
        """`prometheus`, `loki`, …; nothing where it is not said."""
        if isinstance(said, dict):
            kind, uid = word(said.get("type")), word(said.get("uid"))
            if uid in ("__expr__", "-- Dashboard --", "-- Mixed --", "-- Grafana --"):
                return uid
            found = self._of_reference(uid) or kind
        else:
            found = self._of_reference(word(said)) if isinstance(said, str) else ""
            if isinstance(said, str) and not found:
                found = self._of_name(said)
        found = found or default
        return PROMETHEUS if found.lower() in _PROMQL_SOURCES else found

    def _of_reference(self, text: str) -> str:
        match = _VARIABLE.search(text)
        return self._named.get(match[1] or match[2], "") if match else ""

    @staticmethod
    def _of_name(name: str) -> str:
        """What a data source is by the name that somebody gave it, where that name says it."""
        lowered = name.lower()
        known = (
            "loki",
            "prometheus",
            "elasticsearch",
            "influxdb",
            "graphite",
            "tempo",
            "cloudwatch",
            "postgres",
            "mysql",
        )
        return next((kind for kind in known if kind in lowered), "")


def _section(placed: layouts.Placed, sources: _Sources, library: Mapping[str, Json]) -> Section:
    panels = tuple(_panel(said, sources, library, position) for position, said in enumerate(placed.panels))
    return Section(placed.title, panels, placed.repeat, placed.folded)


def _panel(said: Json, sources: _Sources, library: Mapping[str, Json], position: int) -> Panel:
    shared = mapping(said.get("libraryPanel"))
    if shared:
        model = mapping(shared.get("model")) or library.get(str(shared.get("uid"))) or {}
        said = {**model, **{key: value for key, value in said.items() if value not in (None, "")}}
    source = sources.kind(said.get("datasource"))
    original = word(said.get("type"), limit=60)
    said = legacy.modern(said)
    config, options = mapping(said.get("fieldConfig")), mapping(said.get("options"))
    targets = tuple(_target(one, sources, source, place) for place, one in enumerate(mappings(said.get("targets"))))
    place = mapping(said.get("gridPos"))
    kind = word(said.get("type"), limit=60)
    return Panel(
        id=whole(said.get("id"), position),
        title=word(said.get("title")),
        # What was asked for is what the report names; what it became in Grafana is what is converted.
        type=kind or original or ("library panel" if shared else ""),
        x=whole(place.get("x")),
        y=whole(place.get("y")),
        width=max(1, min(24, whole(place.get("w"), 12))),
        height=max(1, min(200, whole(place.get("h"), 8))),
        description=passage(said.get("description"), limit=4000),
        targets=targets,
        field=fields.read_field(mapping(config.get("defaults"))),
        overrides=fields.read_overrides(config.get("overrides")),
        organized=fields.read_organized(mappings(said.get("transformations"))),
        calc=word(next(iter(items(at(options, "reduceOptions", "calcs"))), ""), limit=40),
        over_time=_over_time(kind, options),
        coloured=_coloured(kind, options, config),
        text=passage(options.get("content"), limit=50_000) if kind == "text" else "",
        repeat=word(said.get("repeat")),
        library=word(shared.get("name")) or word(shared.get("uid")) if shared and not targets else "",
        window=word(said.get("timeFrom"), limit=20),
        links=_links(said.get("links")),
        lost=_panel_losses(kind, config, options),
    )


def _over_time(kind: str, options: Json) -> bool:
    return kind == "stat" and options.get("graphMode", "none") == "area"


def _coloured(kind: str, options: Json, config: Json) -> bool:
    """Whether a panel shows its thresholds: charts only where they say so, numbers unless they say not to."""
    mode = word(at(config, "defaults", "color", "mode"))
    if kind in ("timeseries", "barchart", "histogram", "trend"):
        return at(config, "defaults", "custom", "thresholdsStyle", "mode") not in (None, "off")
    if kind == "table":
        display = at(config, "defaults", "custom", "cellOptions", "type") or at(
            config, "defaults", "custom", "displayMode"
        )
        return str(display).startswith(("color", "gradient", "lcd", "basic", "gauge"))
    if kind == "stat" and options.get("colorMode") == "none":
        return False
    return mode in ("", "thresholds")


def _panel_losses(kind: str, config: Json, options: Json) -> tuple[str, ...]:
    lost = []
    if kind == "timeseries" and at(config, "defaults", "custom", "stacking", "mode") in ("normal", "percent"):
        lost.append("series are not stacked")
    if kind == "stat" and options.get("textMode") == "name":
        lost.append("the value is shown beside the name")
    return tuple(lost)


def _target(said: Json, sources: _Sources, panel_source: str, position: int) -> Target:
    expr = said.get("expr")
    own = sources.kind(said.get("datasource"))
    if panel_source and panel_source != "-- Mixed --" and not said.get("datasource"):
        own = panel_source
    kind = own or (PROMETHEUS if isinstance(expr, str) else "another source")
    return Target(
        ref=word(said.get("refId"), limit=40) or chr(ord("A") + position % 26),
        query=passage(expr) if kind == PROMETHEUS else "",
        legend=word(said.get("legendFormat")),
        instant=said.get("instant") is True and said.get("range") is not True,
        hidden=said.get("hide") is True,
        source=kind,
    )


def _variable(said: Json, sources: _Sources) -> DashboardVariable:
    query = said.get("query")
    if isinstance(query, dict):
        query = query.get("query")
    kind = word(said.get("type"), limit=30)
    text = passage(query) or (passage(said.get("definition")) if kind == "query" else "")
    current = at(said, "current", "value")
    chosen = tuple(word(one) for one in current) if isinstance(current, list) else (word(current),)
    options = tuple(word(one.get("value")) for one in mappings(said.get("options")))
    return DashboardVariable(
        name=word(said.get("name"), limit=100),
        type=kind,
        query=text,
        label=word(said.get("label"), limit=100),
        source=sources.kind(said.get("datasource"), PROMETHEUS),
        regex=word(said.get("regex"), limit=1000),
        multi=said.get("multi") is True,
        everything=said.get("includeAll") is True,
        all_value=word(said.get("allValue"), limit=1000),
        values=_choices(kind, text) or tuple(one for one in options if one and one != "$__all"),
        current=tuple(one for one in chosen if one),
    )


def _choices(kind: str, query: str) -> tuple[str, ...]:
    """The values of a custom or interval variable: separated by commas, each perhaps after its name and a colon."""
    if kind not in ("custom", "interval"):
        return ()
    found = (part.replace("\\,", ",").strip() for part in re.split(r"(?<!\\),", query))
    return tuple(dict.fromkeys(word(part.partition(" : ")[2] or part) for part in found if part))


def _annotations(said: list[Json]) -> tuple[str, ...]:
    return tuple(word(one.get("name")) for one in said if not one.get("builtIn") and word(one.get("name")))


def _links(said: object) -> tuple[tuple[str, str], ...]:
    found = ((word(one.get("title")), word(one.get("url"), limit=500)) for one in mappings(said))
    return tuple((title, url) for title, url in found if url)
