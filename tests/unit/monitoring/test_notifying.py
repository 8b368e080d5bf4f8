"""Alertmanager's configuration from `escalation.yaml`: who is told, as the route tree works out."""

from datetime import datetime
from zoneinfo import ZoneInfo

from opsconsole.alerts.routing import Routing, routing_of
from opsconsole.config.alerting import Alerting, AlertRule
from opsconsole.config.document import parse_document
from opsconsole.config.escalation import Escalation, Quiet, read_escalation
from opsconsole.monitoring.hearing import unheard
from opsconsole.monitoring.notifying import alertmanager_file, matchers, time_intervals
from opsconsole.monitoring.text import yaml_text
from tests.unit.config.test_escalation import GOOD


def escalation_of(text: str = GOOD) -> Escalation:
    """The file with this text."""
    escalation, problems = read_escalation(parse_document(text, "escalation.yaml"))
    assert escalation is not None, problems
    return escalation


def routing(text: str = GOOD) -> Routing:
    """The route tree that is made."""
    return routing_of(yaml_text(alertmanager_file(escalation_of(text)), origin="escalation.yaml"))


def told(tree: Routing, when: str, **labels: str) -> list[str]:
    """The receivers that are told at that time in Berlin."""
    at = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    return [one.receiver for one in tree.notified(labels, at) if one.reaches]


def test_routes_and_quiet_hours_over_midnight() -> None:
    tree = routing()
    assert told(tree, "2026-11-25T12:00", team="dwh") == ["data"]
    assert told(tree, "2026-11-25T21:59", team="data") == ["data"]
    assert told(tree, "2026-11-25T22:00", team="data") == []
    assert told(tree, "2026-11-25T06:59", team="data") == []
    assert told(tree, "2026-11-25T07:00", team="data") == ["data"]
    assert told(tree, "2026-11-25T03:00", team="data", severity="critical") == ["on-call"]
    assert told(tree, "2026-11-25T12:00", team="else") == ["hook"]


def test_a_night_ends_on_the_next_day() -> None:
    intervals = list(time_intervals(Quiet(("friday", "saturday"), 22 * 60, 7 * 60, "UTC")))
    assert [one["weekdays"] for one in intervals] == [["friday", "saturday"], ["saturday", "sunday"]]
    assert [one["times"][0]["end_time"] for one in intervals] == ["24:00", "07:00"]
    assert list(time_intervals(Quiet(("sunday",)))) == [{"weekdays": ["sunday"], "location": "UTC"}]


def test_values_are_matched_as_they_are() -> None:
    assert matchers({"a": ('say "hi"',)}) == ['a="say \\"hi\\""']
    assert matchers({"a": ("x.y", "z|")}) == ['a=~"x\\\\.y|z\\\\|"']


def test_no_secret_is_in_the_file() -> None:
    text = yaml_text(alertmanager_file(escalation_of()), origin="x")
    for line in ("routing_key_file: /s/key", "api_url_file: /s/slack", "credentials_file: /s/token"):
        assert line in text
    assert "smtp_auth_password_file: /s/mail" in text


def test_a_critical_alert_that_has_to_wait_for_the_morning_is_reported() -> None:
    text = GOOD.replace("  - {to: on-call, match: {severity: critical}}\n", "").replace(
        "otherwise: hook", "otherwise: nobody"
    )
    escalation = escalation_of(text.replace("  hook:", "  nobody: []\n  hook:"))
    alerts = (
        AlertRule("Night", "g", "critical", "up", team="data", at=(3, 5)),
        AlertRule("Lost", "g", "warning", "up", at=(9, 5)),
        AlertRule("Fine", "g", "warning", "up", team="data"),
    )
    found = list(unheard(Alerting(alerts, file="alerts.yaml"), escalation))
    assert [(one.line, one.severity) for one in found] == [(3, "warning"), (9, "warning")]
    assert "nobody is told during nights" in found[0].message
    assert "nobody in escalation.yaml has no way" in found[1].message
