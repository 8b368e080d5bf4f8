"""Comparing what is loaded with what is here: rules in any spelling, configurations as servers show them."""

import pytest

from opsconsole.monitoring.drift.configurations import alertmanager_drift, prometheus_drift
from opsconsole.monitoring.drift.difference import Drift
from opsconsole.monitoring.drift.rules import RuleText, rule_drift, texts_of, unhealthy
from opsconsole.monitoring.lint.promql import normalized

ROUTES = """
route: {receiver: a, group_by: [x], routes: [
  {receiver: b, matchers: ['severity="critical"'], continue: true},
  {receiver: a, matchers: ['team="t"'], mute_time_intervals: [nights]}]}
receivers: [{name: a}, {name: b, slack_configs: [{api_url_file: /s, channel: '#ops'}]}]
inhibit_rules: [{source_matchers: ['a="1"'], target_matchers: ['b="2"'], equal: [job]}]
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]}]
"""
SCRAPES = """
global: {scrape_interval: 15s, evaluation_interval: 30s, external_labels: {site: a}}
scrape_configs: [{job_name: api, static_configs: [{targets: ['a:1', 'b:1']}]}]
"""


def rule(name: str, expr: str = "up == 0", *, severity: str = "a", hold: str = "1m") -> RuleText:
    """An alert."""
    return RuleText("alert", name, normalized(expr), hold, (("severity", severity),), ())


def said(here: list[RuleText], loaded: list[RuleText]) -> list[tuple[str, str, str]]:
    """(name, state, what) of each difference."""
    return [(one.name, one.state, words(one)) for one in rule_drift("prometheus", here, loaded)]


def words(drift: Drift) -> str:
    """Its changes as text."""
    return "; ".join(
        f"{one.part}: {one.here or 'nothing'} here, {one.loaded or 'nothing'} loaded" for one in drift.changes
    )


def test_spelling_is_no_drift() -> None:
    assert (
        said([rule("X", "sum by (job) (up{a='1',b='2'}) > 300")], [rule("X", 'sum(up{b="2", a="1"}) by (job)>300')])
        == []
    )


def test_missing_extra_and_changed_rules() -> None:
    here = [rule("Same"), rule("Gone"), rule("Other", "up > 1")]
    loaded = [rule("Other", "up > 2", hold="5m"), rule("Same"), rule("New")]
    assert said(here, loaded) == [
        ("Gone", "missing", ""),
        ("Other", "changed", "expr: up > 1 here, up > 2 loaded; for: 1m here, 5m loaded"),
        ("New", "extra", ""),
    ]


def test_rules_of_one_name_belong_together_by_their_labels() -> None:
    here = [rule("X", "up > 1", severity="a"), rule("X", "up > 2", severity="b"), rule("X", "up > 9", severity="c")]
    loaded = [rule("X", "up > 3", severity="b"), rule("X", "up > 1", severity="a")]
    assert [(name, state) for name, state, _ in said(here, loaded)] == [
        ("X{severity=b}", "changed"), ("X{severity=c}", "missing"),
    ]  # fmt: skip
    assert said([rule("X", severity="a")], [rule("X", severity="b")]) == [
        ("X", "changed", "label severity: a here, b loaded")
    ]
    twice = [rule("X", "up > 1"), rule("X", "up > 2")]
    assert [state for _, state, _ in said(twice, [rule("X", "up > 3")])] == ["changed", "missing"]
    assert said([rule("X"), rule("X")], [rule("X")]) == [("X{severity=a}", "missing", "")]


def test_answers_are_cleaned_and_what_is_no_rule_is_left_out() -> None:
    answer = {
        "groups": [
            {
                "rules": [
                    {"type": "alerting", "name": "A\x1b[31m", "query": "up", "health": "err", "lastError": "no"},
                    3,
                ]
            },
            None,
        ]
    }
    (found,) = texts_of(answer)
    assert "\x1b" not in found.name
    assert ["cannot be evaluated: no" in one for one in unhealthy(answer)] == [True]
    assert texts_of("no answer") == []


@pytest.mark.parametrize(
    ("old", "new", "kind", "state", "what"),
    [
        ("receiver: b", "receiver: a", "route", "changed", "receiver: b here, a loaded"),
        ('severity="critical"', 'severity="page"', "route", "missing", ""),
        ("mute_time_intervals: [nights]", "group_wait: 1m", "route", "changed", "quiet: nights here, nothing loaded"),
        ("'#ops'", "'#dev'", "receiver", "changed", "slack 1 channel: #ops here, #dev loaded"),
        ("{name: a}, ", "{name: a}, {name: z}, ", "receiver", "extra", ""),
        ("equal: [job]", "equal: [job, instance]", "inhibition", "changed", "same: job here"),
        ("22:00", "21:00", "quiet hours", "changed", "times: "),
    ],
)
def test_routes_receivers_inhibitions_and_quiet_hours(old: str, new: str, kind: str, state: str, what: str) -> None:
    found = [one for one in alertmanager_drift("am", ROUTES, ROUTES.replace(old, new)) if one.state == state]
    assert [(one.kind, what in words(one)) for one in found] == [(kind, True)]


def test_the_order_of_routes_matters() -> None:
    first, second = (
        "  {receiver: b, matchers: ['severity=\"critical\"'], continue: true},\n",
        "  {receiver: a, matchers: ",
    )
    swapped = ROUTES.replace(first, "").replace("[nights]}]}", f"[nights]}},\n{first.strip().rstrip(',')}]}}")
    assert second in swapped
    (found,) = alertmanager_drift("am", ROUTES, swapped)
    assert (found.kind, found.state) == ("route", "changed")
    assert "order" in words(found)


def test_what_a_server_fills_in_is_no_drift() -> None:
    filled = ROUTES.replace("group_by: [x]", "group_by: [x], group_wait: 30s, group_interval: 5m, repeat_interval: 4h")
    assert list(alertmanager_drift("am", ROUTES, filled)) == []
    more = SCRAPES.replace("job_name: api", "job_name: api, scrape_interval: 15s, scheme: http, metrics_path: /metrics")
    assert list(prometheus_drift("prometheus", SCRAPES, more.replace("'a:1', 'b:1'", "'b:1', 'a:1'"))) == []


def test_jobs_and_what_holds_for_all() -> None:
    changed = SCRAPES.replace("15s", "1m").replace("site: a", "site: b").replace("'b:1'", "'c:1'")
    changed = changed.replace("]}]}]", "]}]}, {job_name: new}]")
    found = {(one.kind, one.name): (one.state, words(one)) for one in prometheus_drift("prometheus", SCRAPES, changed)}
    assert found["global", "global"] == (
        "changed", "scrape_interval: 15s here, 1m loaded; external label site: a here, b loaded",
    )  # fmt: skip
    assert found["scrape job", "api"] == ("changed", "targets: a:1, b:1 here, a:1, c:1 loaded")
    assert found["scrape job", "new"] == ("extra", "")


def test_what_cannot_be_worked_out_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="no route"):
        list(alertmanager_drift("am", ROUTES, "receivers: []"))
    with pytest.raises(ValueError, match="no mapping"):
        list(prometheus_drift("prometheus", SCRAPES, "- a"))
