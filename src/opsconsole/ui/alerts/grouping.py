"""Alerts by what they have in common: a label, or what Alertmanager sends together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsconsole.alerts.matching import Matcher
from opsconsole.alerts.model import Alert, Survey

ROUTES = "route groups"
"""The form that has a row for each message that Alertmanager sends."""
_BY = "by "


@dataclass(frozen=True, slots=True)
class Group:
    """Some alerts, the worst first."""

    name: str
    """What they have in common, in words."""
    filter: str
    """The filter that keeps just these."""
    matchers: Mapping[str, str]
    """Labels that all of them have, and by which they can be silenced together."""
    alerts: tuple[Alert, ...]


def forms(survey: Survey) -> list[tuple[str, str]]:
    """(form, what it is) of those to offer: route groups, then each label, the one with the fewest values first."""
    values: dict[str, set[str]] = {}
    for one in survey.alerts:
        for name, value in one.labels.items():
            values.setdefault(name, set()).add(value)
    labels = sorted(values, key=lambda name: (len(values[name]), name))
    return [(ROUTES, "as Alertmanager sends them together"), *(_offered(name, len(values[name])) for name in labels)]


def label_of(form: str) -> str:
    """The label that a form groups by; empty for route groups.

    Raises:
        ValueError: it is no form.
    """
    if form == ROUTES:
        return ""
    label = form.removeprefix(_BY).strip()
    if not label.isidentifier():
        raise ValueError(f"{form!r}: expected {ROUTES}, or by LABEL")
    return label


def grouped(alerts: Iterable[Alert], form: str) -> list[Group]:
    """The groups, that with the worst alert first."""
    label = label_of(form)
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[Alert]] = {}
    for one in alerts:
        for key in _route_keys(one) if not label else [("", ((label, one.labels.get(label, "")),))]:
            found.setdefault(key, []).append(one)
    return [_group(receiver, given, tuple(members)) for (receiver, given), members in found.items()]


def _route_keys(alert: Alert) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """(receiver, labels in common) of each message that it is in."""
    found = []
    for one in alert.notifies:
        names = sorted(alert.sent_labels) if one.group_by == ("...",) else one.group_by
        key = (one.receiver, tuple((name, alert.sent_labels.get(name, "")) for name in names))
        found.append(key)
    return list(dict.fromkeys(found)) or [("", ())]


def _group(receiver: str, given: tuple[tuple[str, str], ...], members: tuple[Alert, ...]) -> Group:
    words = " ".join(f"{name}={value}" for name, value in given if value) or "(no label in common)"
    terms = [str(Matcher(name, "=", value)) for name, value in given]
    if receiver:
        words, terms = f"{receiver}: {words}", [*terms, str(Matcher("@receiver", "=", receiver))]
    return Group(words, " ".join(terms), {name: value for name, value in given if value}, members)


def _offered(name: str, count: int) -> tuple[str, str]:
    return f"{_BY}{name}", f"{count:,} value{'' if count == 1 else 's'}"
