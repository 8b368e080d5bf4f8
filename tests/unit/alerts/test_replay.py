"""A rule over the past: when it would have fired, for how long, and how often somebody would have been told."""

import math
from pathlib import Path

import pytest

from opsconsole.alerts.replay import AlertRule, Episode, Replay, Replayer
from opsconsole.alerts.replay_notifying import DEFAULTS, Told, told
from opsconsole.alerts.replay_rules import evaluation_interval, loaded_rules, rules_of_file
from opsconsole.alerts.routing import Notification
from opsconsole.cli.alert.replay import _is_file
from opsconsole.core.problem import ContentError


def replayed(
    present: str, *, hold: float = 0.0, keep: float = 0.0, expr: str = "x > 1", parts: int = 1, since: float = 0.0
) -> Replay:
    """The replay of a series that is there where `present` has a digit, every 10 s from 0; digits are its values.

    `since`: seconds from the last evaluation to the end.
    """
    rule = AlertRule("A", expr, 10.0, hold, keep, {"severity": "high", "of": "{{ $labels.job }}"})
    replayer = Replayer(rule)
    points = [(at * 10.0, float(value)) for at, value in enumerate(present) if value != "."]
    size = math.ceil(len(points) / parts) or 1
    for start in range(0, len(points), size):
        replayer.see({"__name__": "x", "job": "api"}, points[start : start + size])
    last = (len(present) - 1) * 10.0
    return replayer.end(0.0, last + since, last)


def spans(replay: Replay) -> list[tuple[float, float | None]]:
    return [(one.started_at, one.ended_at) for one in replay.episodes]


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize(
    ("present", "hold", "keep", "expected"),
    [
        ("..222..", 0, 0, [(20, 50)]),
        ("..222..", 20, 0, [(40, 50)]),
        ("..222..", 21, 0, []),
        ("..22222..", 21, 0, [(50, 70)]),
        ("..222.22..", 0, 0, [(20, 50), (60, 80)]),
        ("..222.22..", 0, 10, [(20, 90)]),
        ("..222..22..", 0, 10, [(20, 60), (70, 100)]),
        ("..222..22..", 0, 11, [(20, None)]),
        ("..2.2.2..", 10, 30, []),
        ("..2222", 10, 0, [(30, None)]),
        ("........", 0, 0, []),
    ],
)
def test_pending_firing_kept_and_resolved_as_prometheus_does_it(
    present: str, hold: float, keep: float, expected: list[tuple[float, float | None]], parts: int
) -> None:
    assert spans(replayed(present, hold=hold, keep=keep, parts=parts)) == expected


@pytest.mark.parametrize("since", [0.0, 5.0, 9.999])
def test_what_fires_at_the_last_evaluation_fires_at_the_end(since: float) -> None:
    """However soon the next evaluation would come."""
    assert spans(replayed("..2222", since=since)) == [(20, None)]
    assert spans(replayed("..222.", since=since)) == [(20, 50)]


def test_an_alert_has_the_labels_of_series_and_rule_and_the_worst_value() -> None:
    (one,) = replayed(".2583.").episodes
    assert one.labels == {"alertname": "A", "job": "api", "severity": "high", "of": "api"}
    assert (one.pending_at, one.worst) == (10.0, 8.0)
    assert replayed(".2583.", expr='x{job!="a>b"} < 9').episodes[0].worst == 2.0
    assert replayed(".2583.", expr="x < 9 and y > 3").episodes[0].worst == 8.0


def test_what_held_but_not_for_long_enough_is_told_too() -> None:
    replay = replayed(".22.222.2222222", hold=40)
    assert (replay.nearly, replay.longest_nearly) == (2, 20.0)
    assert spans(replay) == [(120.0, None)]


def test_time_that_something_fires_is_counted_once() -> None:
    rule = AlertRule("A", "x > 1", 10.0)
    times = [(10.0, 50.0), (20.0, 30.0), (40.0, 60.0), (80.0, None)]
    replay = Replay(rule, 0.0, 100.0, tuple(Episode({}, start, start, end, 1.0) for start, end in times))
    assert (replay.firing_seconds, replay.firing_share) == (70.0, 0.7)


def episode(start: float, end: float | None, **labels: str) -> Episode:
    return Episode({"alertname": "A", **labels}, start, start, end, 1.0)


def way(
    receiver: str = "pager", group_by: tuple[str, ...] = ("alertname",), muted: tuple[str, ...] = ()
) -> Notification:
    return Notification("alertmanager", receiver, ("webhook",), (), group_by, "30s", "5m", "4h", muted)


def counts(*episodes: Episode, group_by: tuple[str, ...] = ("alertname",), until: float = 1e6) -> tuple[int, int]:
    found = told(episodes, lambda labels, at: (way(group_by=group_by),), until)
    return (found[0].firing, found[0].resolved) if found else (0, 0)


def test_a_group_is_told_of_once_again_when_it_changes_and_when_it_repeats() -> None:
    assert counts(episode(0, 100)) == (1, 1)
    assert counts(episode(0, 20)) == (0, 0), "it is over before group_wait"
    assert counts(episode(0, 100, a="1"), episode(10, 100, a="2")) == (1, 1)
    assert counts(episode(0, 1000, a="1"), episode(60, 1000, a="2")) == (2, 1)
    assert counts(episode(0, 100, a="1"), episode(10, 100, a="2"), group_by=("...",)) == (2, 2)
    assert counts(episode(0, 5 * 3600)) == (2, 1)
    assert counts(episode(0, None), until=5 * 3600) == (2, 0)
    assert counts(episode(0, 100), episode(5000, 5100)) == (2, 2)


def test_receivers_are_told_apart_and_who_is_muted_is_told_nothing() -> None:
    def notified(labels: object, at: float) -> list[Notification]:
        return [way("pager"), way("mail"), way("night", muted=("nights",))]

    assert told([episode(0, 100)], notified, 1e6) == (Told("mail", 1, 1), Told("pager", 1, 1))
    assert told([episode(0, 100)], lambda labels, at: (DEFAULTS,), 1e6) == (Told("", 1, 1),)


RULES = """\
groups:
- name: g
  interval: 30s
  rules:
  - {record: "a:b", expr: "1"}
  - alert: A
    expr: up == 0
    for: 5m
    keep_firing_for: 1m
    labels: {severity: critical}
    annotations: {summary: x}
- name: usual
  rules: [{alert: B, expr: vector(1), for: 0}]
"""


def test_rules_of_a_file_know_their_place(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(RULES)
    first, second = rules_of_file(file, 15.0)
    assert (first.name, first.interval, first.hold, first.keep, first.line) == ("A", 30.0, 300.0, 60.0, 6)
    assert (first.labels, first.group) == ({"severity": "critical"}, "g")
    assert (second.name, second.interval, second.hold) == ("B", 15.0, 0.0)


def test_a_file_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(RULES.replace("for: 5m", "for: soon"))
    with pytest.raises(ContentError, match=r"rules\.yml:8:10: error: for: 'soon'; expected a duration"):
        rules_of_file(file, 15.0)


def test_what_prometheus_has_loaded() -> None:
    rule = {
        "type": "alerting",
        "name": "A",
        "query": "up == 0",
        "duration": 60,
        "keepFiringFor": 5,
        "labels": {"a": "b"},
    }
    group = {"name": "g", "file": "f", "interval": 15, "rules": [rule, {"type": "recording", "name": "r"}]}
    (one,) = loaded_rules({"groups": [group, None]})
    assert (one.name, one.expr, one.interval, one.hold, one.keep) == ("A", "up == 0", 15.0, 60.0, 5.0)
    assert loaded_rules(None) == []
    assert evaluation_interval({"yaml": "global: {evaluation_interval: 15s}"}) == 15.0
    assert evaluation_interval({"yaml": "["}) == evaluation_interval(None) == 60.0


@pytest.mark.parametrize(
    ("given", "file"), [("ApiDown", False), ("new.yml", True), ("./new", True), ("/etc/rules/x.rules", True)]
)
def test_what_has_a_slash_or_ends_as_a_file_does_is_one(given: str, *, file: bool) -> None:
    assert _is_file(given) is file
