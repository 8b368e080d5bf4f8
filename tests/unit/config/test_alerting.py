"""`alerts.yaml`: what it says, and what is wrong with it, where."""

import pytest

from opsconsole.config.alerting import Alerting, read_alerting
from opsconsole.config.document import parse_document
from opsconsole.core.problem import Problem

GOOD = """\
version: 1
interval: 15s
groups:
  service:
    recordings:
      job:errors:ratio5m: {expr: "sum by (job) (rate(errors_total[5m]))"}
    alerts:
      Down:
        severity: critical
        team: ops
        expr: up == 0
        for: 2m
        summary: "{{ $labels.job }} is down"
        runbook: restart
        tests:
          - {series: {'up{job="a"}': 1 0x10}, at: 5m, fires: [{labels: {job: a}, summary: a is down}]}
          - {series: {'up{job="a"}': 1x10}, at: 5m}
"""


def read(text: str) -> tuple[Alerting, list[Problem]]:
    """The file with this text."""
    return read_alerting(parse_document(text, "alerts.yaml"))


def test_a_rule_its_tests_and_its_runbook_are_one_definition() -> None:
    alerting, problems = read(GOOD)
    assert problems == []
    (alert,) = alerting.alerts
    assert (alert.name, alert.group, alert.hold, alert.runbook, alert.at) == ("Down", "service", 120, "restart", (8, 7))
    assert alert.all_labels == {"severity": "critical", "team": "ops"}
    firing, quiet = alert.tests
    assert firing.series == {'up{job="a"}': "1 0x10"}
    assert [dict(one.labels) for one in firing.fires] == [{"job": "a"}]
    assert quiet.fires == ()
    assert (alerting.interval, alerting.recordings[0].record) == (15, "job:errors:ratio5m")


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "code", "says"),
    [
        ("severity: critical", "severity: urgent", 9, 19, "bad-choice", "critical, warning, info or none"),
        ("expr: up == 0", "exp: up == 0", 11, 9, "unknown-key", "did you mean 'expr'"),
        ("for: 2m", "for: 2", 12, 14, "bad-duration", "with its unit"),
        ("Down:", "Is down:", 8, 7, "bad-name", "an alert name"),
        ("summary: a is down", "summary: ''", 16, 91, "empty", "text, not empty"),
        (", summary: a is down", "", 16, 63, "missing-key", "how it reads in this test"),
        ("          - {series: {'up{job=\"a\"}': 1x10}, at: 5m}\n", "", 8, 7, "untested", "in which it does not fire"),
        ("fires: [{labels: {job: a}, summary: a is down}]", "fires: []", 8, 7, "untested", "in which it fires"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, line: int, column: int, code: str, says: str) -> None:
    problems = [one for one in read(GOOD.replace(old, new))[1] if one.code == code]
    assert [(one.line, one.column) for one in problems] == [(line, column)], problems
    assert says in problems[0].message


def test_a_rule_that_lacks_what_it_needs_is_left_out_and_the_rest_stays() -> None:
    alerting, problems = read(GOOD + "      Broken: {severity: info, summary: x, always: true}\n")
    assert [one.name for one in alerting.alerts] == ["Down"]
    assert [one.code for one in problems] == ["missing-key"]


def test_a_name_stands_for_one_rule_only() -> None:
    more = "  other:\n    alerts:\n      Down: {severity: info, expr: x > 1, summary: x, always: true}\n"
    _, (problem,) = read(GOOD + more)
    assert (problem.line, problem.column, problem.code) == (20, 7, "duplicate-name")
    assert "group service" in problem.message
