"""Grafana dashboards become screens: each format, what is kept, what is said to be lost."""

from typing import Any

import pytest

from opsconsole.config.document import parse_document
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.monitoring.grafana.fidelity import Fidelity
from opsconsole.monitoring.grafana.importing import Imported, import_dashboard
from opsconsole.monitoring.grafana.reading import DashboardError, parse_dashboard, read_dashboard
from opsconsole.screens.definition import Kind, Pane, Screen
from opsconsole.screens.loading import read_screen
from tests.unit.monitoring.dashboards import (
    classic,
    defaults,
    panel,
    placed,
    query_variable,
    steps,
    target,
    v2,
    v2_element,
    v2_item,
)


def imported(dashboard: dict[str, Any]) -> tuple[Imported, Screen]:
    """The import of a dashboard, and the screen that its file is; which has no problem."""
    found = import_dashboard(read_dashboard(dashboard))
    screen, problems = read_screen(parse_document(found.text, "screen.yaml"))
    assert problems == []
    assert screen is not None
    return found, screen


def only(*panels: dict[str, Any], **more: Any) -> tuple[Imported, Pane]:
    """The import of a dashboard with one panel, and its pane."""
    found, screen = imported(classic(*panels, **more))
    (pane,) = screen.panes
    return found, pane


# The whole


def test_a_dashboard_becomes_a_screen_of_its_panels() -> None:
    found, screen = imported(classic(panel(title="Up"), panel("stat", title="Up", id=7)))
    assert (screen.id, screen.title, screen.window, screen.refresh) == ("house", "House", 21600.0, 60.0)
    assert [(pane.id, pane.kind) for pane in screen.panes] == [("up", Kind.TIMESERIES), ("up-2", Kind.STAT)]
    assert [fate.fidelity for fate in found.fates] == [Fidelity.FULL, Fidelity.FULL]


@pytest.mark.parametrize("wrap", ["dashboard", "spec"])
def test_what_the_api_answers_is_a_dashboard_too(wrap: str) -> None:
    assert imported({wrap: classic(panel()), "meta": {"slug": "house"}})[1].title == "House"


def test_rows_of_schema_14_are_sections_and_their_spans_places() -> None:
    old = {"format": "s", "datasource": "$ds"}
    rows = [
        {"title": "First", "showTitle": True, "panels": [{**panel("graph"), "span": 6, "yaxes": [{"format": "ms"}]},
                                                          {**panel("singlestat"), "span": 6, **old}]},
        {"title": "Dashboard Row", "panels": [{**panel("graph"), "span": 12}]},
    ]  # fmt: skip
    dashboard = {"title": "Old", "schemaVersion": 14, "rows": rows}
    _, screen = imported(dashboard)
    shown = [(pane.kind, pane.title, pane.span, pane.unit) for pane in screen.panes]
    assert shown == [
        (Kind.SECTION, "First", 1, "short"),
        (Kind.TIMESERIES, "A graph", 1, "ms"),
        (Kind.STAT, "A singlestat", 1, "s"),
        (Kind.TIMESERIES, "A graph", 2, "short"),
    ]


def test_a_collapsed_row_is_a_folded_section() -> None:
    row = {"type": "row", "title": "More", "collapsed": True, "panels": [panel("stat")]}
    _, screen = imported(classic(panel(), row))
    assert [(pane.kind, pane.folded) for pane in screen.panes][1:] == [(Kind.SECTION, True), (Kind.STAT, False)]


def test_tabs_and_rows_of_v2_are_sections() -> None:
    grid = {"kind": "GridLayout", "spec": {"items": [v2_item(2, 12, 0), v2_item(1, 0, 0)]}}
    rows = {"kind": "RowsLayout", "spec": {"rows": [
        {"kind": "RowsLayoutRow", "spec": {"title": "Row", "collapse": True, "layout": grid}}]}}  # fmt: skip
    auto = {"kind": "AutoGridLayout", "spec": {"items": [
        {"kind": "AutoGridLayoutItem", "spec": {"element": {"name": "panel-3"}}}]}}  # fmt: skip
    tabs = [{"spec": {"title": "One", "layout": rows}}, {"spec": {"title": "Two", "layout": auto}}]
    asked = {"kind": "DataQuery", "group": "prometheus", "spec": {"query": "label_values(up, job)"}}
    job = {"name": "job", "multi": True, "includeAll": True, "current": {"value": ["$__all"]}, "query": asked}
    variables = [{"kind": "QueryVariable", "spec": job}]
    elements = [
        v2_element(1, "stat", 'up{job=~"$job"}', unit="s"),
        v2_element(2, "gauge", "b"),
        v2_element(3, "table", "c"),
    ]
    found, screen = imported(v2({"kind": "TabsLayout", "spec": {"tabs": tabs}}, *elements, variables=variables))
    assert (found.schema, found.uid, screen.window, screen.refresh) == ("v2beta1", "uid-2", 10800.0, 10.0)
    assert [pane.title for pane in screen.panes] == ["One / Row", "Panel 1", "Panel 2", "Two", "Panel 3"]
    assert screen.panes[0].folded
    assert (screen.panes[1].unit, screen.panes[2].kind) == ("s", Kind.GAUGE)
    assert [(one.name, one.multi, one.default) for one in screen.variables] == [("job", True, "all")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON at line 1, column 1"),
        ("{", "no JSON at line 1"),
        ("[]", "a JSON list; expected an object"),
        ("{}", "neither panels, rows nor elements"),
        ('{"alert": 1}', "neither panels, rows nor elements"),
        ("[" * 100_000, "nested too deeply"),
        (f'{{"panels": {"9" * 5000}}}', "a number too long"),
    ],
)
def test_what_is_no_dashboard_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(DashboardError, match=reason):
        parse_dashboard(text)


# Panels


@pytest.mark.parametrize(
    ("kind", "becomes", "fidelity"),
    [
        ("timeseries", Kind.TIMESERIES, Fidelity.FULL),
        ("stat", Kind.STAT, Fidelity.FULL),
        ("gauge", Kind.GAUGE, Fidelity.FULL),
        ("bargauge", Kind.BARS, Fidelity.FULL),
        ("piechart", Kind.BARS, Fidelity.CLOSE),
        ("table", Kind.TABLE, Fidelity.FULL),
        ("heatmap", Kind.HEATMAP, Fidelity.FULL),
        ("state-timeline", Kind.TIMELINE, Fidelity.FULL),
    ],
)
def test_a_panel_type_becomes_a_kind(kind: str, becomes: Kind, fidelity: Fidelity) -> None:
    found, pane = only(panel(kind))
    assert (pane.kind, found.fates[0].fidelity) == (becomes, fidelity)


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        (panel("logs"), "log lines are not shown"),
        (panel("acme-sankey-panel"), "no kind of pane shows what acme-sankey-panel shows"),
        (
            {"type": "timeseries", "targets": [{"refId": "A", "datasource": {"type": "loki"}, "expr": "{a=~`b`}"}]},
            "asks loki",
        ),
        ({"type": "stat", "targets": [target("up", hide=True)]}, "all its queries are hidden"),
        ({"type": "stat"}, "it has no query"),
        ({"libraryPanel": {"uid": "x", "name": "Shared"}}, "the library panel 'Shared' is not in this file"),
        (panel("stat", 'up{job="$nobody"}'), "uses \\$nobody, one that the dashboard does not define"),
        (panel("stat", "up[$__from]"), "uses \\$__from, Grafana's own"),
        ({"type": "text", "options": {"content": "<img src=x>"}}, "no text"),
    ],
)
def test_a_panel_that_cannot_be_taken_over_is_said_with_its_reason(lost: dict[str, Any], why: str) -> None:
    found, screen = imported(classic(panel(title="kept"), {**lost, "title": "Gone"}))
    assert [pane.id for pane in screen.panes] == ["kept"]
    assert found.fates[1].fidelity is Fidelity.LOST
    assert "# Not taken over: 'Gone'" in found.text
    with pytest.raises(AssertionError, match=why):
        assert found.fates[1].notes == ()


def test_hidden_queries_stay_out_and_those_of_other_sources_are_said() -> None:
    loki = {"refId": "C", "datasource": {"type": "loki", "uid": "l"}, "expr": "rate({a=`b`}[1m])"}
    found, pane = only(panel(targets=[target("a"), target("b", "B", hide=True), loki]))
    assert [one.query for one in pane.targets] == ["a"]
    assert (found.fates[0].fidelity, found.fates[0].notes) == (Fidelity.PARTIAL, ("its queries of loki",))


def test_a_library_panel_within_the_file_is_resolved() -> None:
    shared = {"libraryPanel": {"uid": "x", "name": "Shared"}, "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}}
    _, pane = only(shared, __elements={"x": {"model": panel("gauge", "load", title="Load")}})
    assert (pane.kind, pane.title, pane.targets[0].query) == (Kind.GAUGE, "Load", "load")


def test_a_number_with_its_course_reads_the_range() -> None:
    assert only(panel("stat", options={"graphMode": "area"}))[1].window == 21600.0
    assert only(panel("stat", options={"graphMode": "none"}))[1].window is None


def test_the_calculation_is_the_reduction_and_one_that_there_is_not_is_said() -> None:
    mean = {"reduceOptions": {"calcs": ["mean"]}}
    found, pane = only(panel("stat", options=mean))
    assert (pane.reduce, pane.window, found.fates[0].fidelity) == ("mean", 21600.0, Fidelity.FULL)
    found, pane = only(panel("stat", options={"reduceOptions": {"calcs": ["diff"]}}))
    assert (pane.reduce, found.fates[0].fidelity) == ("last", Fidelity.PARTIAL)


def test_words_for_numbers_are_kept_and_words_for_ranges_are_said() -> None:
    mappings = [
        {"type": "value", "options": {"0": {"text": "down", "color": "red"}, "1": {"text": "up"}}},
        {"type": "range", "options": {"from": 2, "to": 5, "result": {"text": "many"}}},
        {"type": "special", "options": {"match": "null", "result": {"text": "N/A"}}},
    ]
    found, pane = only(panel("stat", fieldConfig=defaults(mappings=mappings)))
    assert pane.mappings == ((0.0, "down"), (1.0, "up"))
    assert found.fates[0].notes == ("the word 'many' for numbers 2 to 5",)


def test_a_unit_of_single_series_is_said() -> None:
    override = {"matcher": {"id": "byName", "options": "load"}, "properties": [{"id": "unit", "value": "percent"}]}
    config = {"defaults": {"unit": "bytes"}, "overrides": [override]}
    found, pane = only(panel(targets=[target("a"), target("b", "B", legendFormat="load")], fieldConfig=config))
    assert (pane.unit, found.fates[0].notes) == ("bytes", ("the unit 'percent' of 'load'",))


def test_the_name_of_a_field_is_the_legend() -> None:
    shown = defaults(displayName="${__field.labels.version} of ${__field.labels['job']}")
    assert only(panel("stat", fieldConfig=shown))[1].targets[0].legend == "{{version}} of {{job}}"
    assert only(panel(targets=[target("up", legendFormat="__auto")]))[1].targets[0].legend == ""
    assert only(panel(targets=[target("up", legendFormat="{{ job }} {{a.b}}")]))[1].targets[0].legend == "{{job}}"


# Thresholds


def thresholds(*pairs: tuple[float | None, str], kind: str = "stat", **more: Any) -> tuple[Threshold, ...]:
    """The thresholds that steps become."""
    return only(panel(kind, fieldConfig=defaults(thresholds=steps(*pairs), **more)))[1].thresholds


def test_colours_are_states_from_a_value_on() -> None:
    assert thresholds((None, "green"), (70, "#EAB839"), (90, "red")) == (
        Threshold(State.WARN, at_least=70, below=90),
        Threshold(State.CRIT, at_least=90),
    )
    assert thresholds((None, "red"), (1, "green")) == (Threshold(State.CRIT, below=1),)
    assert thresholds((None, "red"), (0, "orange"), (5, "blue")) == (
        Threshold(State.CRIT, below=0),
        Threshold(State.WARN, at_least=0, below=5),
    )
    assert thresholds((0, "red"), (0.9, "dark-red"), (1, "green")) == (Threshold(State.CRIT, below=1),)


def test_the_steps_that_every_new_panel_has_mean_nothing_unless_it_is_a_percentage() -> None:
    assert thresholds((None, "green"), (80, "red")) == ()
    assert thresholds((None, "green"), (80, "red"), unit="percent") == (Threshold(State.CRIT, at_least=80),)


def test_a_chart_has_thresholds_where_it_draws_them() -> None:
    pairs: tuple[tuple[float | None, str], ...] = ((None, "green"), (5, "red"))
    assert thresholds(*pairs, kind="timeseries") == ()
    drawn = {"thresholdsStyle": {"mode": "line"}}
    assert thresholds(*pairs, kind="timeseries", custom=drawn) == (Threshold(State.CRIT, at_least=5),)


def test_steps_in_percent_are_worked_out_from_the_ends() -> None:
    percent = {"mode": "percentage", "steps": [{"color": "green"}, {"color": "red", "value": 70}]}
    found, pane = only(panel("gauge", fieldConfig=defaults(thresholds=percent, min=100, max=200)))
    assert pane.thresholds == (Threshold(State.CRIT, at_least=170),)
    found, pane = only(panel("gauge", fieldConfig=defaults(thresholds=percent)))
    assert (pane.thresholds, found.fates[0].fidelity) == ((), Fidelity.CLOSE)


def test_thresholds_colour_and_make_no_check() -> None:
    assert not only(panel("stat", fieldConfig=defaults(thresholds=steps((None, "red"), (1, "green")))))[1].check


# Variables


def query_of(expr: str, *variables: dict[str, Any]) -> str:
    """The query that `expr` becomes beside `variables`."""
    return only(panel(expr=expr), variables=list(variables))[1].targets[0].query


JOB = query_variable("job", "label_values(up, job)", multi=True, includeAll=True)
NODE = query_variable("node", 'label_values(up{job=~"$job"}, instance)', current={"value": "app-1"})


def test_variables_keep_their_queries_and_forget_what_somebody_chose() -> None:
    _, screen = imported(classic(panel(expr='up{job=~"$job",instance="$node"}'), variables=[JOB, NODE]))
    shown = [(one.name, one.query, one.multi, one.default) for one in screen.variables]
    assert shown == [
        ("job", "label_values(up, job)", True, "all"),
        ("node", 'label_values(up{job=~"$job"}, instance)', False, ""),
    ]


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ('up{job=~"[[job]]"}', 'up{job=~"${job}"}'),
        ('up{job=~"${job:regex}"}', 'up{job=~"${job:regex}"}'),
        ('up{job=~"(${job:pipe})"}', 'up{job=~"(${job:pipe})"}'),
        ('up{job=~"${job:glob}"}', 'up{job=~"${job}"}'),
        ('up{job="$job"}', 'up{job=~"$job"}'),
        ('up{job!="$job"}', 'up{job!~"$job"}'),
        ('up{job = "a.$job"}', 'up{job =~ "a\\\\.$job"}'),
        ('up{instance="$node"}', 'up{instance="$node"}'),
        ("rate(x[$__rate_interval])", "rate(x[$__rate_interval])"),
        ("rate(x[${__interval}])", "rate(x[${__interval}])"),
        ("rate(x[$__auto])", "rate(x[$__interval])"),
        ('label_replace(up, "a", "$1", "b", "(.*)")', 'label_replace(up, "a", "$1", "b", "(.*)")'),
    ],
)
def test_every_way_to_write_a_variable_is_ours(said: str, becomes: str) -> None:
    assert query_of(said, JOB, NODE) == becomes


def test_a_variable_outside_of_quotes_has_one_value() -> None:
    by = {"name": "by", "type": "custom", "query": "pod, node", "multi": True, "includeAll": True}
    found, screen = imported(classic(panel(expr="sum by ($by) (up)"), variables=[by]))
    (variable,) = screen.variables
    assert (variable.values, variable.multi, variable.default) == (("pod", "node"), False, "")
    assert "one value at a time" in found.text


def test_constants_and_text_boxes_are_written_out() -> None:
    constant = {"name": "sel", "type": "constant", "query": 'env="live"'}
    box = {"name": "text", "type": "textbox", "query": "a.*", "current": {"value": "a.*"}}
    found, pane = only(panel(expr='up{$sel,job=~"$text"}'), variables=[constant, box])
    assert pane.targets[0].query == 'up{env="live",job=~"a.*"}'
    assert found.lost == ("variable text: always 'a.*': a screen has no field to type into",)


def test_an_interval_is_a_choice_and_auto_is_left_to_the_screen() -> None:
    step = {"name": "step", "type": "interval", "query": "1m,10m,1h", "current": {"value": "10m"}}
    _, screen = imported(classic(panel(expr="rate(x[$step])"), variables=[step]))
    assert (screen.variables[0].values, screen.variables[0].default) == (("1m", "10m", "1h"), "10m")


def test_the_expression_for_all_is_kept() -> None:
    _, screen = imported(classic(panel(expr='up{job=~"$job"}'), variables=[{**JOB, "allValue": ".+"}]))
    assert screen.variables[0].everything == ".+"


@pytest.mark.parametrize(
    ("regex", "query"),
    [
        ("/^app/", 'label_values(up{job=~"app.*"}, job)'),
        ("web.*", 'label_values(up{job=~"web.*"}, job)'),
        (
            "/([^:]+):.*/",
            'group by (job) (label_replace(up{job=~".*?([^:]+):.*.*"}, "job", "$1", "job", ".*?([^:]+):.*.*"))',
        ),
        ("(?!x).*", "label_values(up, job)"),
        ("(.*)", "label_values(up, job)"),
    ],
)
def test_a_filter_of_values_is_left_to_prometheus(regex: str, query: str) -> None:
    _, screen = imported(classic(panel(expr='up{job=~"$job"}'), variables=[{**JOB, "regex": regex}]))
    assert screen.variables[0].query == query


def test_values_of_another_source_are_said_where_a_query_needs_them() -> None:
    other = {"name": "level", "type": "query", "datasource": {"type": "loki"}, "query": "label_values(level)"}
    found, pane = only(panel(expr='x{level=~"$level"}'), variables=[other])
    assert pane.targets[0].query == 'x{level=~".*"}'
    assert found.lost == ("variable level: its values come from loki; it is always '.*'",)
    assert only(panel(), variables=[other])[0].lost == ()


# Tables


def test_the_columns_of_a_table_are_those_of_its_transformations() -> None:
    organize = {
        "id": "organize",
        "options": {
            "excludeByName": {"Time": True, "job": True},
            "indexByName": {"pod": 0, "Value #B": 1, "Value #A": 2, "Time": 3},
            "renameByName": {"pod": "Pod", "Value #A": "CPU", "Value #B": "Memory"},
        },
    }
    override = {"matcher": {"id": "byName", "options": "Memory"}, "properties": [
        {"id": "unit", "value": "bytes"}, {"id": "decimals", "value": 1}]}  # fmt: skip
    config = {"defaults": {"unit": "percentunit"}, "overrides": [override]}
    targets = [target("sum by (pod) (a)", format="table"), target("sum by (pod) (b)", "B", format="table")]
    found, pane = only(panel("table", targets=targets, transformations=[{"id": "merge"}, organize], fieldConfig=config))
    shown = [(one.name, one.title, one.unit, one.decimals) for one in pane.columns]
    assert shown == [("pod", "Pod", "none", None), ("Memory", "", "bytes", 1), ("CPU", "", "percentunit", None)]
    assert [one.legend for one in pane.targets] == ["CPU", "Memory"]
    assert found.fates[0].fidelity is Fidelity.FULL


# Places


def spans(*panels: dict[str, Any]) -> tuple[int, list[tuple[str, int]]]:
    """(columns, titles and spans)."""
    _, screen = imported(classic(*panels))
    return screen.columns, [(pane.title, pane.span) for pane in screen.panes]


def numbers(count: int, y: int = 0) -> list[dict[str, Any]]:
    """Stats side by side."""
    width = 24 // count
    return [placed(panel("stat", title=f"s{at}"), at * width, y, width, 4) for at in range(count)]


def test_panels_side_by_side_stay_so_and_fill_the_row() -> None:
    wide = [placed(panel(title="left"), 0, 4, 16, 8), placed(panel(title="right"), 16, 4, 8, 8)]
    assert spans(*numbers(4), *wide) == (
        4,
        [("s0", 1), ("s1", 1), ("s2", 1), ("s3", 1), ("left", 3), ("right", 1)],
    )
    assert spans(*numbers(6)) == (3, [(f"s{at}", 1) for at in range(6)])
    assert spans(*numbers(8), placed(panel(title="all"), 0, 9, 24, 8))[1][-1] == ("all", 4)


def test_numbers_stacked_beside_a_chart_come_before_it() -> None:
    stacked = [placed(panel("stat", title=f"s{at}"), 0, 4 * at, 6, 4) for at in range(2)]
    columns, shown = spans(placed(panel(title="chart"), 6, 0, 18, 8), *stacked)
    assert [title for title, _ in shown] == ["s0", "s1", "chart"]
    assert columns == 2


# Hostile


def test_nothing_of_a_dashboard_reaches_a_terminal_or_ends_a_comment() -> None:
    evil = "a\x1b]52;c;eA==\x07\nscreen: 2\u202e"
    link = {"title": evil, "url": f"javascript:{evil}"}
    hostile = panel(
        "stat", title=evil, description=evil, links=[link], fieldConfig=defaults(unit=evil, displayName=evil)
    )
    text = {"type": "text", "title": "T", "options": {"content": f"# Hi\n{evil}\n<script>alert(1)</script><b>bold</b>"}}
    found, screen = imported(classic(hostile, text, title=evil, links=[link], tags=[evil]))
    assert all(char.isprintable() or char == "\n" for char in found.text)
    assert screen.panes[1].text.startswith("# Hi\na")
    assert "alert(1)" not in screen.panes[1].text
    assert found.text.count("\nscreen: ") == 1
