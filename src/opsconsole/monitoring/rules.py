"""Rule files for Prometheus, 2.42 and later, and unit tests for promtool, from `alerts.yaml`."""

from collections.abc import Iterable, Mapping
from typing import Any

from opsconsole.config.alerting import Alerting, AlertRule, Expected, RecordingRule, RuleTest
from opsconsole.monitoring.text import prometheus_duration

_USUAL_STEP = 60.0


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


def test_files(
    alerting: Alerting, group: str, runbook_files: Mapping[str, str], rules: str
) -> dict[str, dict[str, Any]]:
    """The unit tests of a group, for `promtool test rules`: the name of a file -> its content.

    promtool evaluates all rules of a file at each step of a test, so tests whose samples are far apart have a file of
    their own, with steps as long. `rules` is the path of the rule file, seen from theirs.
    """
    by_interval: dict[float, list[dict[str, Any]]] = {}
    for rule in alerting.alerts:
        if rule.group == group:
            for position, test in enumerate(rule.tests, start=1):
                found = _test(rule, test, position, alerting, runbook_files)
                by_interval.setdefault(test.interval, []).append(found)
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


def _test(
    rule: AlertRule, test: RuleTest, position: int, alerting: Alerting, runbook_files: Mapping[str, str]
) -> dict[str, Any]:
    expected = [
        {
            "exp_labels": {**rule.all_labels, **one.labels},
            "exp_annotations": _annotations(rule, alerting, runbook_files, one),
        }
        for one in test.fires
    ]
    return {
        "name": f"{rule.name} {'fires' if expected else 'does not fire'} ({position})",
        "interval": prometheus_duration(test.interval),
        "input_series": [{"series": series, "values": values} for series, values in test.series.items()],
        "alert_rule_test": [
            {"eval_time": prometheus_duration(test.at), "alertname": rule.name, "exp_alerts": expected}
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
