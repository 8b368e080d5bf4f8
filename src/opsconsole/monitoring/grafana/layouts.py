"""Where panels stand: rows of every schema, and the layouts of v2, all as sections of panels with a `gridPos`."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from opsconsole.monitoring.grafana.untrusted import Json, at, mapping, mappings, number, whole, word

_DEEPEST = 8
"""Layouts within layouts; Grafana itself allows four."""
GRID = 24


class Placed(NamedTuple):
    """A section whose panels are still JSON."""

    title: str
    panels: list[Json]
    repeat: str = ""
    folded: bool = False


def classic_sections(dashboard: Json) -> list[Placed]:
    """The sections of a dashboard with `panels` (schema 16 and later) or with `rows` (before)."""
    if "rows" in dashboard and not mappings(dashboard.get("panels")):
        return [section for row in mappings(dashboard.get("rows")) if (section := _old_row(row)).panels]
    sections: list[Placed] = [Placed("", [])]
    for panel in sorted(mappings(dashboard.get("panels")), key=_reading_order):
        if panel.get("type") == "row":
            sections.append(
                Placed(word(panel.get("title")), [], word(panel.get("repeat")), panel.get("collapsed") is True)
            )
            # A collapsed row holds its panels; those of an open one follow it.
            sections[-1].panels.extend(sorted(mappings(panel.get("panels")), key=_reading_order))
        else:
            sections[-1].panels.append(panel)
    return [section for section in sections if section.panels]


def _reading_order(panel: Json) -> tuple[int, int]:
    return whole(at(panel, "gridPos", "y")), whole(at(panel, "gridPos", "x"))


def _old_row(row: Json) -> Placed:
    """A row of schema 14: panels from left to right with a `span` of 12, wrapping."""
    panels: list[Json] = []
    x = y = 0
    height = _old_height(row.get("height"))
    for panel in mappings(row.get("panels")):
        width = max(1, min(GRID, round((number(panel.get("span")) or 4.0) * 2)))
        if x + width > GRID:
            x, y = 0, y + height
        panels.append({**panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x += width
    shown = row.get("showTitle", row.get("collapse", False))
    title = word(row.get("title"))
    return Placed(
        title if shown or title != "Dashboard Row" else "", panels, word(row.get("repeat")), row.get("collapse") is True
    )


def _old_height(value: object) -> int:
    """Pixels, a number or `250px`, in units of today's grid."""
    pixels = number(str(value).removesuffix("px")) if value is not None else None
    return max(2, min(40, round((pixels or 250.0) / 38)))


def v2_sections(spec: Json) -> list[Placed]:
    """The sections of a v2 dashboard: its elements where its layout places them; tabs and rows are headings."""
    elements = mapping(spec.get("elements"))
    return [section for section in _layout(mapping(spec.get("layout")), elements, Placed("", []), 0) if section.panels]


def _layout(layout: Json, elements: Json, above: Placed, depth: int) -> Iterator[Placed]:
    """The sections of a layout. `above`: the heading it stands under."""
    spec = mapping(layout.get("spec"))
    if depth > _DEEPEST:
        return
    parts = mappings(spec.get("rows")) or mappings(spec.get("tabs"))
    if parts:
        for part in parts:
            said = mapping(part.get("spec"))
            heading = Placed(
                _joined(above.title, said.get("title")),
                [],
                word(at(said, "repeat", "value")) or above.repeat,
                above.folded or said.get("collapse") is True,
            )
            yield from _layout(mapping(said.get("layout")), elements, heading, depth + 1)
        return
    auto = layout.get("kind") == "AutoGridLayout"
    section = above._replace(panels=[])
    for position, item in enumerate(mappings(spec.get("items"))):
        said = mapping(item.get("spec"))
        if "elements" in said:  # a row within a grid, as v2alpha1 has it
            yield section
            section = Placed(_joined(above.title, said.get("title")), [], above.repeat, said.get("collapsed") is True)
            section.panels.extend(_elements(mappings(said["elements"]), elements))
            yield section
            section = Placed("", [], above.repeat)
        elif auto:
            columns = max(1, min(12, whole(spec.get("maxColumnCount"), 3)))
            width = GRID // columns
            place = {"x": position % columns * width, "y": position // columns * 8, "w": width, "h": 8}
            section.panels.extend(_element(said, elements, place))
        else:
            section.panels.extend(_element(said, elements, _grid_place(said)))
    section.panels.sort(key=_reading_order)
    yield section


def _joined(above: str, title: object) -> str:
    return " / ".join(filter(None, (above, word(title))))


def _elements(items: list[Json], elements: Json) -> Iterator[Json]:
    for item in items:
        said = mapping(item.get("spec"))
        yield from _element(said, elements, _grid_place(said))


def _grid_place(said: Json) -> dict[str, Any]:
    return {
        "x": whole(said.get("x")),
        "y": whole(said.get("y")),
        "w": whole(said.get("width"), 12),
        "h": whole(said.get("height"), 8),
    }


def _element(said: Json, elements: Json, place: Mapping[str, Any]) -> Iterator[Json]:
    """The panel that a layout's item refers to, in the words of a classic panel."""
    element = mapping(elements.get(str(at(said, "element", "name"))))
    if element:
        yield {**v2_panel(element), "gridPos": dict(place), "repeat": at(said, "repeat", "value")}


def v2_panel(element: Json) -> Json:
    """A v2 element as a classic panel; options and field configuration are the same in both."""
    spec = mapping(element.get("spec"))
    if element.get("kind") == "LibraryPanel":
        return {"id": spec.get("id"), "title": spec.get("title"), "libraryPanel": spec.get("libraryPanel")}
    shown, data = mapping(spec.get("vizConfig")), mapping(at(spec, "data", "spec"))
    # Until v2alpha1 the kind named the plugin; since then the group does.
    kind = shown.get("group") if shown.get("kind") == "VizConfig" else shown.get("kind")
    queries = [mapping(one.get("spec")) for one in mappings(data.get("queries"))]
    return {
        "id": spec.get("id"),
        "title": spec.get("title"),
        "description": spec.get("description"),
        "links": spec.get("links"),
        "type": kind,
        "options": at(shown, "spec", "options"),
        "fieldConfig": at(shown, "spec", "fieldConfig"),
        "targets": [_v2_target(query) for query in queries],
        "transformations": [
            {"id": one.get("group") or one.get("kind"), **mapping(one.get("spec"))}
            if one.get("kind") == "Transformation"
            else {"id": one.get("kind"), **mapping(one.get("spec"))}
            for one in mappings(data.get("transformations"))
        ],
        "timeFrom": at(data, "queryOptions", "timeFrom"),
        "interval": at(data, "queryOptions", "interval"),
    }


def _v2_target(query: Json) -> Json:
    asked = mapping(query.get("query"))
    group = asked.get("group") if asked.get("kind") == "DataQuery" else asked.get("kind")
    uid = at(asked, "datasource", "name") or at(query, "datasource", "uid")
    return {
        **mapping(asked.get("spec")),
        "refId": query.get("refId"),
        "hide": query.get("hidden"),
        "datasource": {"type": group, "uid": uid},
    }


_V2_VARIABLES = {
    "QueryVariable": "query",
    "CustomVariable": "custom",
    "IntervalVariable": "interval",
    "ConstantVariable": "constant",
    "TextVariable": "textbox",
    "DatasourceVariable": "datasource",
    "AdhocVariable": "adhoc",
    "GroupByVariable": "groupby",
    "SwitchVariable": "custom",
}


def v2_variables(spec: Json) -> list[Json]:
    """The variables of a v2 dashboard in the words of classic ones."""
    found: list[Json] = []
    for one in mappings(spec.get("variables")):
        said = mapping(one.get("spec"))
        query = said.get("query")
        if isinstance(query, dict):
            group = query.get("group") if query.get("kind") == "DataQuery" else query.get("kind")
            asked = mapping(query.get("spec"))
            text = asked.get("query") or asked.get("__legacyStringValue") or said.get("definition")
            found.append({**said, "type": "query", "query": text, "datasource": {"type": group}})
        else:
            kind = _V2_VARIABLES.get(str(one.get("kind")), word(one.get("kind")))
            plugin = said.get("pluginId")
            found.append({**said, "type": kind, **({"query": plugin} if plugin else {})})
    return found
