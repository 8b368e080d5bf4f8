"""Route trees, matchers and time intervals, by Alertmanager's rules."""

from datetime import datetime

import pytest

from opsconsole.alerts.filtering import parse_filter
from opsconsole.alerts.matching import Matcher, exactly, parse_matchers
from opsconsole.alerts.routing import Routing, routing_of
from opsconsole.core.clean import clean

TREE = """
route:
  receiver: default
  group_by: [alertname]
  group_wait: 10s
  routes:
  - receiver: audit
    matchers: ['severity=~"critical|warning"']
    continue: true
  - receiver: pager
    matchers: ['severity="critical"']
    mute_time_intervals: [holidays]
    routes:
    - matchers: [team="data", env!="test"]
      group_by: ['...']
      receiver: data
      active_time_intervals: [office]
  - match: {severity: warning}
    match_re: {job: "api.*"}
    receiver: slack
    repeat_interval: 1h
receivers:
- name: default
- name: audit
  webhook_configs: [{url: "http://a"}, {url: "http://b"}]
- name: pager
  pagerduty_configs: [{routing_key: <secret>}]
- name: data
  email_configs: [{to: a}]
- name: slack
  slack_configs: [{channel: x}]
mute_time_intervals:
- name: holidays
  time_intervals:
  - {months: ['december'], days_of_month: ['24:26', '-1']}
time_intervals:
- name: office
  time_intervals:
  - times: [{start_time: 09:00, end_time: 17:00}]
    weekdays: ['monday:friday']
    location: Europe/Berlin
"""


@pytest.fixture
def routing() -> Routing:
    return routing_of(TREE)


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


WEDNESDAY = at("2026-11-18T12:00:00Z")


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({}, ["default"]),
        ({"severity": "info"}, ["default"]),
        ({"severity": "critical"}, ["audit", "pager"]),
        ({"severity": "critical", "team": "data"}, ["audit", "data"]),
        ({"severity": "critical", "team": "data", "env": "test"}, ["audit", "pager"]),
        ({"severity": "warning", "job": "api-1"}, ["audit", "slack"]),
        ({"severity": "warning", "job": "my-api"}, ["audit"]),
    ],
)
def test_the_first_child_that_matches_and_those_after_continue(
    routing: Routing, labels: dict[str, str], receivers: list[str]
) -> None:
    assert [one.receiver for one in routing.notified(labels, WEDNESDAY)] == receivers


def test_what_a_route_does_not_say_it_has_from_its_parents_but_for_intervals(routing: Routing) -> None:
    audit, data = routing.notified({"severity": "critical", "team": "data"}, at("2026-12-24T12:00:00Z"))
    assert (audit.group_by, audit.group_wait, audit.repeat_interval) == (("alertname",), "10s", "4h")
    assert (data.group_by, data.group_wait) == (("...",), "10s")
    assert data.muted_by == ()  # the holidays are its parent's
    assert data.route == ('{severity="critical"}', '{team="data", env!="test"}')


def test_receivers_without_integrations_tell_nobody(routing: Routing) -> None:
    (default,) = routing.notified({}, WEDNESDAY)
    assert (default.integrations, default.reaches) == ((), False)
    audit, _ = routing.notified({"severity": "critical"}, WEDNESDAY)
    assert (audit.integrations, audit.reaches) == (("webhook", "webhook"), True)


@pytest.mark.parametrize(
    ("when", "muted"),
    [
        ("2026-12-23T23:59:59Z", False),
        ("2026-12-24T00:00:00Z", True),
        ("2026-12-26T23:59:59Z", True),
        ("2026-12-27T00:00:00Z", False),
        ("2026-12-31T12:00:00Z", True),
        ("2026-11-30T12:00:00Z", False),
    ],
)
def test_mute_intervals_hold_by_day_and_month_from_either_end(routing: Routing, when: str, muted: bool) -> None:
    (_, pager) = routing.notified({"severity": "critical"}, at(when))
    assert pager.muted_by == (("holidays",) if muted else ())


@pytest.mark.parametrize(
    ("when", "active"),
    [
        ("2026-11-18T08:59:00+01:00", False),
        ("2026-11-18T09:00:00+01:00", True),
        ("2026-11-18T16:59:59+01:00", True),
        ("2026-11-18T17:00:00+01:00", False),
        ("2026-11-22T12:00:00+01:00", False),  # a Sunday
        ("2026-07-15T07:30:00Z", True),  # 09:30 in summer
    ],
)
def test_active_intervals_hold_in_their_own_time_zone(routing: Routing, when: str, active: bool) -> None:
    (_, data) = routing.notified({"severity": "critical", "team": "data"}, at(when))
    assert data.muted_by == (() if active else ("outside of office",))


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("receivers: []", "no route"),
        ("route: [", "not YAML"),
        ("route: {routes: [{matchers: [nonsense]}]}", "no matcher"),
        ("route: {routes: [{matchers: ['a=~\"(\"']}]}", "unterminated"),
        ("route: {}\ntime_intervals: [{name: a, time_intervals: [{location: Local}]}]", "not known here"),
        ("route: {}\ntime_intervals: [{name: a, time_intervals: [{weekdays: [moonday]}]}]", "moonday"),
        ("route: {}\ntime_intervals: [{name: a, time_intervals: [{times: [{start_time: x}]}]}]", "no time of day"),
    ],
)
def test_what_cannot_be_worked_out_is_said_and_not_guessed(broken: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        routing_of(broken)


def test_matchers_in_all_their_forms() -> None:
    found = parse_matchers('{a="b, c", d=~"e|\\"f", g!=h, i!~"j"}')
    assert [(one.name, one.op, one.value) for one in found] == [
        ("a", "=", "b, c"), ("d", "=~", 'e|"f'), ("g", "!=", "h"), ("i", "!~", "j"),
    ]  # fmt: skip
    assert parse_matchers(", ".join(map(str, found))) == found


def test_a_label_that_is_not_there_is_empty_and_expressions_are_anchored() -> None:
    assert Matcher.of("a", "=", "").holds({})
    assert Matcher.of("a", "!=", "b").holds({})
    assert Matcher.of("a", "=~", ".*").holds({})
    assert not Matcher.of("a", "=~", "b").holds({"a": "abc"})
    assert Matcher.of("a", "!~", "b").holds({"a": "abc"})


def test_classes_of_characters_are_those_of_go() -> None:
    one = Matcher.of("a", "=~", "[[:digit:]x]+")
    assert one.holds({"a": "1x2"})
    assert not one.holds({"a": "di"})
    with pytest.raises(ValueError, match="not known here"):
        Matcher.of("a", "=~", "[[:nonsense:]]")


def test_one_that_cannot_be_worked_out_holds_for_nothing() -> None:
    """As `wire` makes them of a silence of others, whose expression only Go can read."""
    for op in ("=~", "!~"):
        one = Matcher("a", op, r"\\pL+")
        assert not one.known
        assert not one.holds({"a": "x"})
        assert not one.holds({})


@pytest.mark.parametrize("raw", ['a"b\\c', "{x}, y", "one\ntwo", "\x1b[31m.*", "a\u200bb", "z" * 12_000, "👩\u200d🚀"])
def test_a_label_is_matched_by_what_is_shown_of_it(raw: str) -> None:
    """What cannot be shown is not lost for the matcher: it fits the label as Alertmanager has it."""
    shown = clean(raw)
    one = exactly("a", shown)
    assert one.holds({"a": raw})
    assert one.holds({"a": shown})
    assert not one.holds({"a": raw + "!"}) or len(raw) > 10_000
    assert parse_matchers(str(one)) == (one,)
    assert (one.op == "=") == (shown == raw)


def test_a_label_whose_name_is_no_identifier_is_quoted() -> None:
    one = exactly("service.name", "api")
    assert str(one) == '"service.name"="api"'
    assert parse_matchers(str(one)) == (one,)
    assert [str(term.matcher) for term in parse_filter(str(one))] == [str(one)]
