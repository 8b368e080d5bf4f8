"""Dashboards from screens: one that is exported and imported again is the same, and Grafana shows what it means."""

import json
from dataclasses import replace

import pytest

from opsconsole.config.document import parse_document
from opsconsole.core.content import shipped_content
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.monitoring.dashboards import dashboard, layout
from opsconsole.monitoring.grafana.importing import import_dashboard
from opsconsole.monitoring.grafana.reading import parse_dashboard
from opsconsole.monitoring.panels import steps
from opsconsole.monitoring.text import json_text
from opsconsole.screens.definition import Screen
from opsconsole.screens.loading import load_screens, read_screen

SCREENS = {one.id: one for one in load_screens(shipped_content() / "screens")[0]}
MADE = """\
screen: 1
id: made
title: Made
refresh: 10s
range: 6h
columns: 3
variables:
  job: {query: "label_values(up, job)", multi: true, title: Service}
  zone: {values: ["a,b", c], default: c}
  first: {query: "label_values(up, instance)", default: ""}
  some: {query: "label_values(up, cluster)", all: "prod.*"}
panes:
  - {id: up, title: Up, kind: stat, query: 'up{job=~"$job"}', unit: suffix:jobs, min: 0, max: 10, decimals: 1, range: 1h, reduce: mean}
  - {id: share, title: Share, kind: gauge, query: x, thresholds: [{at_least: 0.8, state: WARN}, {above: 0.9, below: 2, state: CRIT}]}
  - {id: rows, title: Rows, kind: table, source: postgres/app, query: "select :'zone' as a", columns: [{name: a, title: A, mappings: {0: no, 1: yes}}]}
  - {id: below, title: Below, kind: section, folded: true}
  - {id: two, title: Two, kind: timeseries, span: 3, queries: [{query: a, legend: "{{job}} a"}, {query: b}], check: false, area: errors, optional: true}
  - {id: after, title: After, kind: section}
  - {id: words, title: Words, kind: text, text: "one\\ntwo", runbook: {id: r, params: {A: job}}, drill: other}
"""  # noqa: E501


def made() -> Screen:
    """A screen with what the shipped ones do not have."""
    screen, problems = read_screen(parse_document(MADE, "made.yaml"))
    assert screen is not None, problems
    assert [one for one in problems if one.severity == "error"] == []
    return screen


def plain(screen: Screen) -> Screen:
    """Without its file and lines, and line breaks at the ends of queries."""
    panes = [
        replace(pane, line=0, targets=tuple(replace(one, query=one.query.strip()) for one in pane.targets))
        for pane in screen.panes
    ]
    return replace(screen, file="", panes=tuple(panes))


@pytest.mark.parametrize("screen", [*SCREENS.values(), made()], ids=lambda screen: screen.id)
def test_a_screen_that_is_exported_and_imported_is_the_same(screen: Screen) -> None:
    imported = import_dashboard(parse_dashboard(json_text(dashboard(screen))), screen.id)
    assert {fate.fidelity for fate in imported.fates} == {"full"}
    again, problems = read_screen(parse_document(imported.text, "again.yaml"))
    assert again is not None
    assert [one for one in problems if one.severity == "error"] == []
    assert plain(again) == plain(screen)


def test_what_was_changed_in_grafana_arrives() -> None:
    found = dashboard(made())
    found["panels"][0]["title"] = "Up now"
    found["panels"][0]["targets"][0]["expr"] = "up == 1"
    found["panels"][0]["fieldConfig"]["defaults"]["unit"] = "percent"
    again, _ = read_screen(parse_document(import_dashboard(parse_dashboard(json.dumps(found))).text, "x"))
    assert again is not None
    assert (again.panes[0].title, again.panes[0].targets[0].query, again.panes[0].unit) == (
        "Up now",
        "up == 1",
        "percent",
    )


def test_what_is_kept_is_not_trusted() -> None:
    found = dashboard(made())
    found["panels"][0]["opsconsole"]["kind"] = "stat\x1b[31m"
    found["panels"][1]["opsconsole"]["nonsense"] = {"a": [1]}
    imported = import_dashboard(parse_dashboard(json.dumps(found)))
    assert "\x1b" not in imported.text
    assert [fate.pane for fate in imported.fates if fate.fidelity == "lost"] == ["up", "share"]


def test_a_panel_that_was_added_makes_it_a_dashboard_like_any() -> None:
    found = dashboard(made())
    found["panels"].append({"id": 99, "type": "stat", "title": "New", "targets": [{"refId": "A", "expr": "up"}]})
    imported = import_dashboard(parse_dashboard(json.dumps(found)))
    assert "New" in {fate.title for fate in imported.fates}


def test_panes_stand_as_in_the_console() -> None:
    places = layout(made())
    assert [(one["x"], one["w"]) for one in places[:3]] == [(0, 8), (8, 8), (16, 8)]
    assert [(one["x"], one["w"], one["h"]) for one in places[3:6:2]] == [(0, 24, 1)] * 2
    assert len({one["y"] for one in places[:3]}) == 1
    found = dashboard(made())["panels"]
    assert [one["title"] for one in found[3]["panels"]] == ["Two"]
    assert [one["title"] for one in found] == ["Up", "Share", "Rows", "Below", "After", "Words"]


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ([], [("green", None)]),
        ([(State.WARN, 0.8, None), (State.CRIT, 0.9, None)], [("green", None), ("orange", 0.8), ("red", 0.9)]),
        ([(State.CRIT, None, 1)], [("red", None), ("green", 1)]),
        ([(State.WARN, 1, 3)], [("green", None), ("orange", 1), ("green", 3)]),
    ],
)
def test_thresholds_become_steps(
    thresholds: list[tuple[State, float | None, float | None]], expected: list[tuple[str, float | None]]
) -> None:
    found = steps([Threshold(state, above, below) for state, above, below in thresholds])
    assert [(one["color"], one["value"]) for one in found] == expected


def test_sql_reaches_grafana_with_its_own_variables() -> None:
    target = dashboard(made())["panels"][2]["targets"][0]
    assert target["rawSql"] == "select ${zone:sqlstring} as a"
    assert target["datasource"] == {"type": "grafana-postgresql-datasource", "uid": "postgres-app"}
