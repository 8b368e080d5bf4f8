"""`alertmanager.yml`, for Alertmanager 0.25 and later, from `escalation.yaml`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from opsconsole.alerts.matching import Matcher
from opsconsole.config.escalation import WEEKDAYS, Escalation, Grouping, Mail, Match, Quiet, RouteTo, Way
from opsconsole.monitoring.text import prometheus_duration

_DAY = 1440
_TITLE = (
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}: {{ .Alerts.Firing | len }}{{ end }}] '
    "{{ .GroupLabels.alertname }}"
)
_TEXT = (
    "{{ range .Alerts }}{{ .Labels.severity }}: {{ .Annotations.summary }}\n"
    "{{ if .Annotations.description }}{{ .Annotations.description }}\n{{ end }}"
    "{{ if .Annotations.runbook }}"
    "runbook: {{ .Annotations.runbook }} {{ .Annotations.runbook_url }}\n{{ end }}{{ end }}"
)


def alertmanager_file(escalation: Escalation) -> dict[str, Any]:
    """The whole configuration."""
    root = {"receiver": escalation.otherwise, **_grouping(escalation.grouping)}
    return {
        **({"global": _global(escalation.mail)} if escalation.mail else {}),
        "route": {**root, "routes": [_route(one) for one in escalation.routes]},
        "receivers": [_receiver(name, ways) for name, ways in escalation.receivers.items()],
        "inhibit_rules": [
            {
                "source_matchers": matchers(one.while_),
                "target_matchers": matchers(one.mute),
                **({"equal": list(one.same)} if one.same else {}),
            }
            for one in escalation.inhibitions
        ],
        "time_intervals": [
            {"name": name, "time_intervals": [interval for span in spans for interval in time_intervals(span)]}
            for name, spans in escalation.quiet_hours.items()
        ],
    }


def matchers(match: Match) -> list[str]:
    """`severity="critical"`, and for one of several values `severity=~"critical|warning"`."""
    return [
        str(Matcher(name, "=", values[0]) if len(values) == 1 else Matcher(name, "=~", "|".join(map(_escaped, values))))
        for name, values in match.items()
    ]


def time_intervals(span: Quiet) -> Iterator[dict[str, Any]]:
    """The intervals of Alertmanager for a span; over midnight two, for an interval there ends at midnight at the
    latest, and the second is on the days after."""
    if span.begin < span.end:
        yield _interval(span.begin, span.end, span.days, span.zone)
        return
    yield _interval(span.begin, _DAY, span.days, span.zone)
    if span.end:
        after = tuple(WEEKDAYS[(WEEKDAYS.index(day) + 1) % 7] for day in span.days)
        yield _interval(0, span.end, after, span.zone)


def _interval(begin: int, end: int, days: tuple[str, ...], zone: str) -> dict[str, Any]:
    whole = (begin, end) == (0, _DAY)
    return {
        **({} if whole else {"times": [{"start_time": _clock(begin), "end_time": _clock(end)}]}),
        **({"weekdays": list(days)} if days else {}),
        "location": zone,
    }


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _route(route: RouteTo) -> dict[str, Any]:
    return {
        "receiver": route.to,
        "matchers": matchers(route.match),
        **_grouping(route.grouping),
        **({"mute_time_intervals": list(route.quiet)} if route.quiet else {}),
        **({"continue": True} if route.also else {}),
    }


def _grouping(grouping: Grouping) -> dict[str, Any]:
    times = (
        ("group_wait", grouping.wait),
        ("group_interval", grouping.interval),
        ("repeat_interval", grouping.repeat),
    )
    by = {} if grouping.by is None else {"group_by": list(grouping.by)}
    return {**by, **{name: prometheus_duration(value) for name, value in times if value is not None}}


def _receiver(name: str, ways: tuple[Way, ...]) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for way in ways:
        found.setdefault(f"{way.kind}_configs", []).append(_WAYS[way.kind](way))
    return {"name": name, **found}


def _email(way: Way) -> dict[str, Any]:
    return {"to": way.to, "send_resolved": way.resolved, "headers": {"Subject": _TITLE}, "text": _TEXT}


def _slack(way: Way) -> dict[str, Any]:
    channel = {"channel": way.channel} if way.channel else {}
    return {"api_url_file": way.secret, **channel, "send_resolved": way.resolved, "title": _TITLE, "text": _TEXT}


def _pagerduty(way: Way) -> dict[str, Any]:
    return {
        "routing_key_file": way.secret,
        "send_resolved": way.resolved,
        "severity": '{{ if eq .CommonLabels.severity "critical" }}critical{{ else }}warning{{ end }}',
        "description": f"{_TITLE} {{{{ .CommonAnnotations.summary }}}}",
        "details": {"runbook": "{{ .CommonAnnotations.runbook }}", "alerts": _TEXT},
    }


def _webhook(way: Way) -> dict[str, Any]:
    token = {"http_config": {"authorization": {"credentials_file": way.secret}}} if way.secret else {}
    return {"url": way.url, "send_resolved": way.resolved, **token}


_WAYS = {"email": _email, "slack": _slack, "pagerduty": _pagerduty, "webhook": _webhook}


def _global(mail: Mail) -> Mapping[str, Any]:
    found = {
        "smtp_smarthost": mail.server,
        "smtp_from": mail.sender,
        "smtp_auth_username": mail.username,
        "smtp_auth_password_file": mail.password_file,
    }
    return {**{key: value for key, value in found.items() if value}, "smtp_require_tls": mail.tls}


def _escaped(value: str) -> str:
    """For Go's regular expressions, which like Python's take a backslash before any of these."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)
