"""`escalation.yaml`: who is told, and what is wrong with it, where."""

import pytest

from opsconsole.config.document import parse_document
from opsconsole.config.escalation import Escalation, read_escalation
from opsconsole.core.problem import Problem

GOOD = """\
version: 1
mail: {server: "smtp:25", from: a@b.org, password: {file: /s/mail}}
receivers:
  on-call: [{kind: pagerduty, key: {file: /s/key}}, {kind: email, to: on@call.org}]
  data: {kind: slack, url: {file: /s/slack}, channel: "#data"}
  hook: {kind: webhook, url: "https://hook.org/x", token: {file: /s/token}}
quiet_hours:
  nights: {from: "22:00", to: "07:00", zone: Europe/Berlin}
routes:
  - {to: on-call, match: {severity: critical}}
  - {to: data, match: {team: [data, dwh]}, quiet: nights}
otherwise: hook
inhibit:
  - {while: {alertname: Down}, mute: {alertname: [Slow, Errors]}, same: [job]}
"""


def read(text: str) -> tuple[Escalation | None, list[Problem]]:
    """The file with this text."""
    return read_escalation(parse_document(text, "escalation.yaml"))


def test_receivers_routes_and_quiet_hours() -> None:
    escalation, problems = read(GOOD)
    assert problems == []
    assert escalation is not None
    assert [one.kind for one in escalation.receivers["on-call"]] == ["pagerduty", "email"]
    assert [one.secret for ways in escalation.receivers.values() for one in ways] == [
        "/s/key", "", "/s/slack", "/s/token",
    ]  # fmt: skip
    assert dict(escalation.routes[1].match) == {"team": ("data", "dwh")}
    (night,) = escalation.quiet_hours["nights"]
    assert (night.begin, night.end, night.zone) == (1320, 420, "Europe/Berlin")


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "code"),
    [
        ("otherwise: hook", "otherwise: hok", 12, 12, "unknown-name"),
        ("to: data, match", "to: dta, match", 11, 10, "unknown-name"),
        ("quiet: nights", "quiet: night", 11, 51, "unknown-name"),
        ("key: {file: /s/key}", "key: abcdef", 4, 36, "wrong-type"),
        (", key: {file: /s/key}", "", 4, 13, "missing-key"),
        ("url: {file: /s/slack}", 'url: "https://hooks.slack.com/x"', 5, 28, "literal-secret"),
        ("channel", "to: a@b.org, channel", 5, 46, "misplaced-key"),
        ('from: "22:00"', "from: 22", 8, 18, "bad-time"),
        ("Europe/Berlin", "Europe/Atlantis", 8, 46, "bad-zone"),
        ('from: "22:00", to: "07:00", ', "", 8, 11, "empty"),
        ('mail: {server: "smtp:25", from: a@b.org, password: {file: /s/mail}}', "", 4, 3, "missing-key"),
        ("severity: critical", "severity: []", 10, 37, "wrong-count"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, line: int, column: int, code: str) -> None:
    escalation, problems = read(GOOD.replace(old, new))
    assert [(one.line, one.column, one.code) for one in problems] == [(line, column, code)], problems
    assert escalation is None
