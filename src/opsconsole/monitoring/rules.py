"""Rule files for Prometheus, 2.42 and later, and unit tests for promtool, from `alerts.yaml`."""

from collections.abc import Iterable, Mapping
from typing import Any

from opsconsole.config.alerting import Alerting, AlertRule, Expected, RecordingRule, RuleTest
from opsconsole.monitoring.text import prometheus_duration

_USUAL_STEP = 60.0
Case = tuple[AlertRule, int, RuleTest]
"""A rule, and one of its tests with its position among them."""


def rule_path(alerting: Alerting, group: str) -> str:
    """Where a group stands below `prometheus/`: with alerts in it in `alerts/`, else in `rules/`."""
    alerts = any(one.group == group for one in alerting.alerts)
    return f"alerts/{group}-alerts.yml" if alerts else f"rules/{group}.yml"


def rule_file(alerting: Alerting, group: str, runbook_files: Mapping[str, str]) -> dict[str, Any]:
    """The file of a group: recording rules first, for alerts of the same evaluation then see their new values.

    `runbook_files` maps a runbook's id to the name of its file.
    """
    rules = [
        *(recording_rule(one) for one in alerting.recordings if one.group == group),
        *(alerting_rule(one, alerting, runbook_files) for one in alerting.alerts if one.group == group),
    ]
    return {"groups": [{"name": group, "interval": prometheus_duration(alerting.interval), "rules": rules}]}


def recording_rule(rule: RecordingRule) -> dict[str, Any]:
    """One recording rule."""
    return {"record": rule.record, "expr": rule.expr, **({"labels": dict(rule.labels)} if rule.labels else {})}


def alerting_rule(rule: AlertRule, alerting: Alerting, runbook_files: Mapping[str, str]) -> dict[str, Any]:
    """One alerting rule."""
    return {
        "alert": rule.name,
        "expr": rule.expr,
        **({"for": prometheus_duration(rule.hold)} if rule.hold else {}),
        "labels": rule.all_labels,
        "annotations": _annotations(rule, alerting, runbook_files, Expected()),
    }


def unit_test_files(
    alerting: Alerting, group: str, runbook_files: Mapping[str, str], rules: str
) -> dict[str, dict[str, Any]]:
    """The unit tests of a group, for `promtool test rules`: the name of a file -> its content.

    promtool evaluates all rules of a file at each step of a test, so tests whose samples are far apart have a file of
    their own, with steps as long. `rules` is the path of the rule file, seen from theirs.
    """
    cases = [
        (rule, position, test)
        for rule in alerting.alerts
        if rule.group == group
        for position, test in enumerate(rule.tests, start=1)
    ]
    by_interval: dict[float, list[dict[str, Any]]] = {}
    for together in _together(cases):
        interval = together[0][2].interval
        by_interval.setdefault(interval, []).append(_test(together, alerting, runbook_files))
    return {
        _test_name(group, interval): {
            "rule_files": [rules],
            "evaluation_interval": prometheus_duration(interval),
            "tests": tests,
        }
        for interval, tests in by_interval.items()
    }


def _test_name(group: str, interval: float) -> str:
    step = "" if interval == _USUAL_STEP else f"-{prometheus_duration(interval)}"
    return f"{group}-alerts{step}.test.yml"


def _together(cases: Iterable[Case]) -> Iterable[list[Case]]:
    """Cases that one test can hold: the same alert of several objectives, whose series their name keeps apart. promtool
    sets a database up for each test, which is most of what one takes."""
    found: dict[object, list[Case]] = {}
    for number, (rule, position, test) in enumerate(cases):
        key: object = number
        if test.series and all('slo="' in series for series in test.series):
            labels = tuple(pair for pair in rule.labels.items() if pair[0] != "slo")
            key = (rule.name, labels, position, test.interval, test.at)
        found.setdefault(key, []).append((rule, position, test))
    return found.values()


def _test(together: list[Case], alerting: Alerting, runbook_files: Mapping[str, str]) -> dict[str, Any]:
    expected = [
        {
            "exp_labels": {**rule.all_labels, **one.labels},
            "exp_annotations": _annotations(rule, alerting, runbook_files, one),
        }
        for rule, _, test in together
        for one in test.fires
    ]
    rule, position, first = together[0]
    series = {name: values for _, _, test in together for name, values in test.series.items()}
    which = " ".join((rule.name, *(value for label, value in rule.labels.items() if label != "slo")))
    return {
        "name": f"{which} {'fires' if expected else 'does not fire'} ({position})",
        "interval": prometheus_duration(first.interval),
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": prometheus_duration(first.at), "alertname": rule.name, "exp_alerts": expected}
        ],
    }


def _annotations(
    rule: AlertRule, alerting: Alerting, runbook_files: Mapping[str, str], read: Expected
) -> dict[str, str]:
    """What the rule says beside labels; with the texts of `read`, where a test says how they read."""
    file = runbook_files.get(rule.runbook, "")
    given: Iterable[tuple[str, str]] = (
        ("summary", read.summary or rule.summary),
        ("description", read.description or rule.description),
        ("runbook", rule.runbook),
        ("runbook_url", alerting.runbook_url.replace("{file}", file) if alerting.runbook_url and file else ""),
    )
    return {name: text for name, text in given if text}
