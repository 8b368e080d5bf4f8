"""Whatever a dashboard says, it is imported, or refused in words; what is imported works."""

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsconsole.config.document import parse_document
from opsconsole.core.clean import clean
from opsconsole.monitoring.grafana.importing import import_dashboard
from opsconsole.monitoring.grafana.reading import DashboardError, parse_dashboard, read_dashboard
from opsconsole.screens.loading import read_screen
from tests.examples import share
from tests.unit.monitoring.dashboards import classic, defaults, panel, placed, query_variable, steps, target, v2
from tests.unit.monitoring.dashboards import v2_element as element
from tests.unit.monitoring.dashboards import v2_item as item

USABLE = 0.9
"""The share of panels with queries for Prometheus that has to arrive."""
SAMPLE = 200_000
"""Bytes of public dashboards, the smallest first, that the unit tests import; the whole is for the slow one."""

STAT = panel("stat", 'up{job=~"$job"}', fieldConfig=defaults(thresholds=steps((None, "red"), (1, "green"))))
ORGANIZED = {"id": "organize", "options": {"excludeByName": {"a": True}, "renameByName": {"b": "B"}}}
WHOLE = classic(
    placed(STAT, 0, 0, 6, 4),
    placed(panel(targets=[target("a"), target("b", "B", hide=True, legendFormat="{{x}}")]), 6, 0, 18, 8),
    {"type": "row", "title": "More", "collapsed": True, "panels": [panel("table", transformations=[ORGANIZED])]},
    {**panel("graph"), "yaxes": [{"format": "ms", "min": "0"}], "thresholds": [{"value": 1, "colorMode": "critical"}]},
    {**panel("singlestat"), "thresholds": "50,80", "colors": ["green", "orange", "red"], "colorValue": True},
    {"type": "text", "title": "Text", "options": {"content": "# Hi\n<b>x</b> [a](http://b)"}},
    variables=[
        query_variable("job", "label_values(up, job)", multi=True, includeAll=True, regex="/(a).*/"),
        {"name": "n", "type": "custom", "query": "1,2 : 3"},
    ],
    annotations={"list": [{"name": "deploys"}]},
    links=[{"title": "x", "url": "http://y"}],
)
SECOND = v2(
    {"kind": "RowsLayout", "spec": {"rows": [{"spec": {"title": "R", "layout": {
        "kind": "GridLayout", "spec": {"items": [item(1, 0, 0)]}}}}]}},
    element(1, "gauge", "x", unit="s"),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything within a JSON value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in entries:
        yield (*path, key)
        yield from places(below, (*path, key))


WORDS = st.text(max_size=5)
# fmt: off
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.lists(st.integers(), max_size=3),
    st.dictionaries(WORDS, WORDS, max_size=2),
    st.sampled_from([[], {}, [{}], "$__all", "${__field.labels.x}", 'a"b\\c$job', 1e308, -(10**30), "x" * 30_000]),
)
KEYS = st.sampled_from(
    ["panels", "rows", "spec", "elements", "layout", "templating", "list", "type", "targets", "expr"]
)
LEAVES = st.none() | st.integers() | st.text(max_size=10)
# fmt: on


def works(dashboard: Any) -> None:
    """Import it; what comes of that has no problem, and holds nothing that a terminal would obey."""
    try:
        found = import_dashboard(read_dashboard(dashboard))
    except DashboardError as error:
        if not str(error):
            raise
        return
    assert clean(found.text, limit=10_000_000) == found.text
    assert all(fate.pane or fate.notes for fate in found.fates)
    if found.panes:
        screen, problems = read_screen(parse_document(found.text, "screen.yaml"))
        assert screen is not None
        assert [problem for problem in problems if problem.severity == "error"] == []
        assert len(screen.panes) == found.panes


@pytest.mark.parametrize("whole", [WHOLE, SECOND], ids=["classic", "v2"])
@settings(max_examples=share(0.5))
@given(data=st.data())
def test_any_mutation_of_a_dashboard_is_imported_or_refused_in_words(
    whole: dict[str, Any], data: st.DataObject
) -> None:
    mutated = copy.deepcopy(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        ways = list(places(mutated))
        *above, last = data.draw(st.sampled_from(ways)) if ways else ("x",)
        parent = mutated
        for step in above:
            parent = parent[step]
        if data.draw(st.booleans()):
            parent[last] = data.draw(anything)
        else:
            del parent[last]
    works(mutated)


@pytest.mark.parametrize("flood", ["$job", "$n ", "[[job]]", '"$job"', "{{", "(", "**a", "[a](", "<a", " ", 'a{b="'])
def test_a_flood_in_any_text_is_no_hang(flood: str) -> None:
    text = flood * (20_000 // len(flood))
    for expr in (f"up{text}", f'up{{job="{text}"}}'):
        works(classic(panel(expr=expr, title=text), variables=[query_variable("job", text, regex=f"/{text}/")]))
    works(
        classic(
            {"type": "text", "options": {"content": text}}, panel(fieldConfig=defaults(unit=text, displayName=text))
        )
    )


@settings(max_examples=share(0.5))
@given(st.recursive(LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4)))
def test_any_json_is_imported_or_refused_in_words(found: Any) -> None:
    works(found)


# Public dashboards


def public_dashboards() -> list[Path]:
    """Those in the folder that $OPSCONSOLE_DASHBOARDS names, else those of the shared data beside the project."""
    named = os.environ.get("OPSCONSOLE_DASHBOARDS")
    near = (parent / "shared/data/monitoring/dashboards" for parent in Path(__file__).resolve().parents)
    folder = Path(named) if named else next((one for one in near if one.is_dir()), None)
    return sorted(folder.glob("*.json"), key=lambda path: path.stat().st_size) if folder else []


def imported_share(files: list[Path]) -> tuple[int, int]:
    """(panels with queries for Prometheus that arrived, all of them). Every file has to be read without a problem."""
    usable = asking = 0
    for path in files:
        found = import_dashboard(parse_dashboard(path.read_text(encoding="utf-8")))
        asking += sum(fate.asks for fate in found.fates)
        usable += sum(fate.asks and bool(fate.pane) for fate in found.fates)
        for page in found.pages if found.panes else ():
            screen, problems = read_screen(parse_document(page.text, path.name))
            assert screen is not None
            assert problems == [], path.name
    return usable, asking


def test_public_dashboards_arrive_usable(record_property: Any) -> None:
    files: list[Path] = []
    for path in public_dashboards():
        if sum(one.stat().st_size for one in files) + path.stat().st_size <= SAMPLE:
            files.append(path)
    if not files:
        pytest.skip("no public dashboards here; OPSCONSOLE_DASHBOARDS names a folder with some")
    usable, asking = imported_share(files)
    record_property("usable", f"{usable} of {asking} panels of {len(files)} dashboards")
    print(f"{usable} of {asking} panels with queries for Prometheus arrive usable, {len(files)} dashboards")
    assert usable / asking >= USABLE


def test_a_real_dashboard_survives_losing_any_part() -> None:
    files = public_dashboards()
    if not files:
        pytest.skip("no public dashboards here; OPSCONSOLE_DASHBOARDS names a folder with some")
    whole = json.loads(files[0].read_text(encoding="utf-8"))
    ways = list(places(whole))
    for *above, last in ways[:: max(1, len(ways) // 60)]:
        without = copy.deepcopy(whole)
        parent = without
        for step in above:
            parent = parent[step]
        parent[last] = None
        works(without)
