"""Screen files: every error at its place, and a broken pane beside working ones."""

# ruff: noqa: E501 - a file and what is said about it read best side by side

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.config.document import parse_document
from opsconsole.core.content import shipped_content
from opsconsole.core.problem import ContentError, Problem
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.screens.definition import Column, Drill, Kind, Reduce, RunbookLink, Screen, Target, Variable
from opsconsole.screens.loading import load_screen, load_screens, read_screen

GOOD = """\
screen: 1
id: system-health
title: System health
refresh: 5s
range: 3h
order: 2
variables:
  job: {query: "label_values(up, job)", multi: true, default: all}
  env: {values: [prod, test], title: Environment}
columns: 4
panes:
  - id: up
    title: Services
    kind: status
    query: up{job=~"$job"}
    legend: "{{job}} {{instance}}"
    thresholds: [{below: 1, state: CRIT}]
    mappings: {0: down, 1: up}
    span: 2
    area: services
    runbook: {id: service-restart-procedures, params: {SERVICE: job}}
    drill: {screen: service, variables: {job: job}}
  - {id: p95, kind: timeseries, unit: s, decimals: 2, range: 1h, rows: 8, min: 0, max: 2, queries: [{query: a, legend: A}, {query: b}]}
  - id: sessions
    kind: table
    source: postgres/app
    query: |
      select state, count(*) as n from pg_stat_activity where :'env' <> '' group by 1
    columns: [{name: n, title: Sessions, unit: short, thresholds: [{above: 10, state: WARN}]}]
    refresh: 30s
    no_data: OK
    optional: true
    check: false
    drill: database-activity
  - {id: note, kind: text, text: "Mind the *gap*."}
  - {id: rate, kind: stat, query: "rate(x[$__rate_interval])", reduce: max, runbook: some-runbook, options: {limit: 7}}
"""


def read(text: str) -> tuple[Screen | None, list[Problem]]:
    return read_screen(parse_document(text, "s.yaml"))


def told(text: str) -> list[str]:
    return [str(problem).removeprefix("s.yaml:") for problem in read(text)[1]]


def test_a_good_file_says_all_that_it_says() -> None:
    screen, problems = read(GOOD)
    assert problems == []
    assert screen is not None
    assert (screen.id, screen.title, screen.refresh, screen.window, screen.order) == (
        "system-health",
        "System health",
        5,
        10800,
        2,
    )
    assert screen.variables == (
        Variable("job", "label_values(up, job)", multi=True),
        Variable("env", values=("prod", "test"), default="prod", title="Environment"),
    )
    up, p95, sessions, note, rate = screen.panes
    assert up.thresholds == (Threshold(State.CRIT, below=1),)
    assert up.mappings == ((0.0, "down"), (1.0, "up"))
    assert up.runbook == RunbookLink("service-restart-procedures", {"SERVICE": "job"})
    assert up.drill == Drill("service", {"job": "job"})
    assert (up.area, up.span, up.line) == ("services", 2, 12)
    assert p95.targets == (Target("a", "A"), Target("b"))
    assert (p95.title, p95.window, p95.rows, p95.minimum, p95.maximum, p95.decimals) == ("p95", 3600, 8, 0, 2, 2)
    assert sessions.columns == (Column("n", "Sessions", "short", (Threshold(State.WARN, above=10),)),)
    assert (sessions.refresh, sessions.no_data, sessions.optional, sessions.check) == (30, State.OK, True, False)
    assert sessions.drill == Drill("database-activity")
    assert (note.kind, note.text) == (Kind.TEXT, "Mind the *gap*.")
    assert (rate.reduce, rate.runbook, rate.options["limit"]) == (Reduce.MAX, RunbookLink("some-runbook"), 7)


HEAD = "screen: 1\nid: s\npanes:\n"


@pytest.mark.parametrize(
    ("pane", "problem"),
    [
        ("{id: a, kind: stta, query: up}", "4:19: error: kind: 'stta'; expected stat, gauge, timeseries"),
        ("{id: a, kind: stat, qurey: up}", "4:25: error: unknown key 'qurey'; did you mean 'query'? [unknown-key]"),
        ("{id: a, kind: stat}", "4:5: error: panes[1]: key 'query' is missing; a stat pane needs it [missing-key]"),
        ("{id: a, kind: text, query: up}", "4:5: error: panes[1]: key 'text' is missing"),
        ("{id: a, kind: view}", "4:5: error: panes[1]: key 'view' is missing"),
        ("{kind: stat, query: up}", "4:5: error: panes[1]: key 'id' is missing"),
        ("{id: a, kind: stat, query: up, unit: secs}", "4:42: error: unit: 'secs'; expected a unit such as"),
        ("{id: a, kind: view, view: database.sesions}", "view: 'database.sesions' is none; expected one of overview.attention, overview.areas, database.sessions"),
        ("{id: a, kind: view, view: database.sesions}", "; did you mean 'database.sessions'? [unknown-view]"),
        ("{id: a, kind: view, view: database.locks, source: prometheus}", "source: 'prometheus' is no database; expected postgres/NAME [wrong-source]"),
        ("{id: a, kind: stat, query: up, source: promethues}", "did you mean 'prometheus'? [bad-source]"),
        ("{id: a, kind: stat, query: up, source: postgres}", "expected prometheus, prometheus/NAME, postgres/NAME"),
        ("{id: a, kind: stat, query: up, source: prometheus/}", "expected prometheus, prometheus/NAME, postgres/NAME"),
        ("{id: a, kind: stat, query: '${x:wrong}', source: prometheus/eu}", "unknown variable 'x'"),
        ("{id: a, kind: stat, query: up, refresh: 5}", "4:45: error: refresh: 5; expected a duration with its unit"),
        ("{id: a, kind: stat, query: up, refresh: 5ms}", "at least 1.0 s"),
        ("{id: a, kind: stat, query: up, span: 5}", "4:42: error: span: 5, but the screen has 4 columns"),
        ("{id: a, kind: stat, query: up, thresholds: [{state: CRIT}]}", "expected above, at_least, below or equals"),
        ("{id: a, kind: stat, query: up, thresholds: [{above: 1}]}", "key 'state' is missing"),
        ("{id: a, kind: stat, query: up, mappings: {x: down}}", "4:47: error: 'x' as a number"),
        ("{id: a, kind: stat, query: up, queries: [{query: up}]}", "query and queries together"),
        ("{id: a, kind: stat, query: 'up{job=\"$jbo\"}'}", "4:32: error: unknown variable 'jbo' [unknown-variable]"),
        ("{id: a, kind: stat, query: 'x[$__rate_intervall]'}", "did you mean '__rate_interval'?"),
        ("{id: a, kind: stat, source: postgres/app, query: \"select ':x\"}", "a quote that does not end (line 1, column 8"),
        ("{id: a, kind: stat, source: postgres/app, query: \"select 1; drop table t\"}", "2 statements"),
        ("{id: a, kind: stat, source: postgres/app, query: \"select :'nobody'\"}", "unknown variable 'nobody'"),
        ("{id: a, kind: stat, source: postgres/app, query: \"select :nobody\"}", "bare :nobody would paste"),
        ("{id: a, kind: view, view: overview.areas}", "options: key 'areas' is missing"),
        ("{id: a, kind: view, view: overview.areas, options: {areas: [{id: x, now: {query: up, text: '{vlaue}'}}]}}", "no query 'vlaue'"),
        ("{id: a, kind: stat, query: up, options: 3}", "options: expected a mapping"),
        ("just text", "4:5: error: panes[1]: 'just text'; expected a pane"),
    ],
)  # fmt: skip
def test_a_pane_with_an_error_is_broken_and_says_where_and_why(pane: str, problem: str) -> None:
    text = f"{HEAD}  - {pane}\n  - {{id: fine, kind: stat, query: up}}\n"
    screen, _ = read(text)
    assert any(problem in line for line in told(text)), told(text)
    assert screen is not None
    broken, fine = screen.panes
    assert broken.broken.startswith("s.yaml:4:")
    assert fine.broken == ""
    assert broken.id


def test_every_error_of_a_file_is_told_at_once_in_the_order_of_its_lines() -> None:
    text = """\
screen: 1
id: s
refesh: 5s
variables:
  late: {query: 'label_values(up{job="$job"}, x)'}
  job: {query: "label_values(up job)"}
  none: {multi: true}
panes:
  - {id: a, kind: stat, query: up, unit: secs, reduce: average}
  - {id: a, kind: stat, query: up}
  - {id: b, kind: bars, query: up, columns: [{name: x}]}
"""
    assert told(text) == [
        "3:1: error: unknown key 'refesh'; did you mean 'refresh'? [unknown-key]",
        "5:17: error: unknown variable 'job' [unknown-variable]",
        "6:16: error: job: 'label_values(up job)'; expected label_values(METRIC, LABEL) or label_values(LABEL) [bad-query]",
        "7:9: error: none: expected query or values [missing-key]",
        "9:42: error: unit: 'secs'; expected a unit such as short, s, ms, bytes, percent, percentunit, reqps, suffix:jobs; did you mean 'recps'? [bad-unit]",
        "9:56: error: reduce: 'average'; expected last, mean, max, min or sum [bad-choice]",
        "10:10: error: pane 'a' is already there; expected another id [duplicate-id]",
        "11:36: warning: columns: a bars pane has none; they are for tables [unused-key]",
    ]
    screen, _ = read(text)
    assert screen is not None
    assert [pane.id for pane in screen.panes] == ["a", "a-2", "b"]
    assert screen.panes[0].broken.endswith("(and 1 more)")
    assert screen.panes[2].broken == ""


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ('up{job="$job"}', 'write =~"$job" to match any'),
        ("up[$job]", "stands outside of quotes"),
        ('up{job=~"${job:html}"}', "expected pipe, regex, csv"),
    ],
)
def test_a_use_of_a_variable_that_fails_for_some_choice_is_found_before_anybody_chooses(
    query: str, problem: str
) -> None:
    text = f"""\
screen: 1
id: s
variables: {{job: {{query: "label_values(up, job)", multi: true}}}}
panes:
  - {{id: a, kind: stat, query: '{query}'}}
"""
    assert any(problem in line for line in told(text)), told(text)


def test_a_variable_in_sql_text_is_refused() -> None:
    text = (
        "screen: 1\nid: s\nvariables: {db: {values: [a]}}\n"
        "panes:\n  - {id: a, kind: stat, source: postgres/app, query: \"select '$db'\"}\n"
    )
    assert told(text) == [
        "5:54: error: $db in SQL; a variable is never part of its text, expected :'db' [variable-in-sql]"
    ]


@pytest.mark.parametrize(
    "text", ["screen: 2\nid: s\npanes: [{id: a, kind: text, text: t}]", "id: s", "[]", "screen: 1\nid: s\npanes: []"]
)
def test_a_file_of_which_nothing_can_be_shown_gives_no_screen(text: str) -> None:
    screen, problems = read(text)
    assert screen is None
    assert problems


def test_a_folder_gives_its_screens_in_the_order_of_their_tabs(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("screen: 1\nid: b\norder: 1\npanes: [{id: a, kind: text, text: t}]\n")
    (tmp_path / "a.yml").write_text("screen: 1\nid: a\norder: 2\npanes: [{id: a, kind: text, text: t}]\n")
    (tmp_path / "c.yaml").write_text("screen: 1\nid: a\npanes: [{id: a, kind: text, text: t}]\n")
    (tmp_path / "d.yaml").write_text("a: [")
    (tmp_path / "ignored.txt").write_text("nothing")
    screens, problems = load_screens(tmp_path)
    assert [screen.id for screen in screens] == ["b", "a"]
    assert [problem.code for problem in problems] == ["duplicate-id", "bad-yaml"]
    assert load_screens(tmp_path / "nowhere")[1][0].code == "unreadable"


def test_the_shipped_screens_have_no_problem() -> None:
    screens, problems = load_screens(shipped_content() / "screens")
    assert problems == []
    assert {"overview", "system-health", "resources", "database-overview"} <= {screen.id for screen in screens}
    assert screens[0].id == "overview"


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    screen, problems = load_screen(tmp_path / "nothing.yaml")
    assert screen is None
    assert problems[0].code == "unreadable"


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab $'\"{}:[]%\\", max_size=12) | st.sampled_from(list(Kind)),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["id", "kind", "query", "queries", "legend", "options", "areas", "now", "thresholds", "state",
                         "above", "columns", "name", "view", "drill", "runbook", "mappings", "0", "source", "variables"]),
        inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(yaml_values, min_size=1, max_size=3), yaml_values)
def test_whatever_a_file_says_it_is_read_or_refused_in_words(panes: list[object], variables: object) -> None:
    import json

    text = json.dumps({"screen": 1, "id": "s", "variables": variables, "panes": panes})
    try:
        document = parse_document(text, "s.yaml")
    except ContentError:
        return
    screen, problems = read_screen(document)
    assert screen is not None or problems
    for pane in screen.panes if screen else ():
        assert pane.broken or pane.targets or pane.kind in (Kind.TEXT, Kind.VIEW)
