"""Whether Alertmanager reaches its receivers: what its own counters say before and after, and labels that lead to each.

Counters, of `/metrics`: a notification that an integration began (`alertmanager_notifications_total`) or gave up
(`…_failed_total`), and each attempt at it (`alertmanager_notification_requests_total`, `…_failed_total`). Where they
fail, attempts go on for minutes; so an attempt that went well is what says that somebody was told.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsconsole.alerts.matching import Matcher
from opsconsole.alerts.routing import Notification, Route, Routing

MARK = "opsconsole_test"
"""The label that every test carries."""
_LINE = re.compile(
    r"^alertmanager_(?P<name>notification_requests\w*_total)\{(?P<labels>[^}]*)\}\s+(?P<value>[0-9.eE+]+)\s*$", re.M
)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_LITERAL = re.compile(r"[\w ./:@-]+")


@dataclass(frozen=True, slots=True)
class Counted:
    """Attempts of one kind of integration, as one Alertmanager counts them."""

    attempts: float = 0.0
    failed: float = 0.0

    def since(self, before: "Counted") -> "Counted":
        """What came on top; all of it where the counters began anew."""
        if self.attempts < before.attempts:
            return self
        return Counted(self.attempts - before.attempts, max(0.0, self.failed - before.failed))

    @property
    def went_well(self) -> int:
        """Attempts that did not fail."""
        return round(self.attempts - self.failed)


Counters = Mapping[str, Counted]
"""By integration."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one test at one kind of integration."""

    integration: str
    receivers: tuple[str, ...]
    """Those that should have been told by it; where several are, they cannot be told apart."""
    expected: int
    counted: Counted

    @property
    def reached(self) -> bool:
        """As many attempts went well as there should have been."""
        return self.counted.went_well >= self.expected

    @property
    def words(self) -> str:
        """`pager, audit by webhook: 2 of 2 sent`."""
        failed = f", {self.counted.failed:.0f} attempts failed" if self.counted.failed else ""
        sent = min(self.counted.went_well, self.expected)
        return f"{', '.join(self.receivers)} by {self.integration}: {sent} of {self.expected} sent{failed}"


def counters(metrics: str) -> dict[str, Counted]:
    """The counters in the text of `/metrics`."""
    attempts: dict[str, float] = {}
    failed: dict[str, float] = {}
    for found in _LINE.finditer(metrics):
        into = failed if found["name"] == "notification_requests_failed_total" else attempts
        integration = dict(_LABEL.findall(found["labels"])).get("integration", "")
        if integration:
            into[integration] = into.get(integration, 0.0) + float(found["value"])
    return {name: Counted(value, failed.get(name, 0.0)) for name, value in attempts.items()}


def told(notifies: Iterable[Notification], before: Counters, after: Counters) -> tuple[Told, ...]:
    """What came of those that should have been told."""
    expected: dict[str, list[str]] = {}
    for one in notifies:
        if one.reaches:
            for integration in one.integrations:
                expected.setdefault(integration, []).append(one.receiver)
    nothing = Counted()
    return tuple(
        Told(
            name,
            tuple(dict.fromkeys(receivers)),
            len(receivers),
            after.get(name, nothing).since(before.get(name, nothing)),
        )
        for name, receivers in expected.items()
    )


def labels_to(routing: Routing, receiver: str) -> dict[str, str] | None:
    """Labels that lead to `receiver` by some route; None where none could be made up, or nobody is told there."""
    if not routing.receivers.get(receiver):
        return None
    for route in routing.every():
        if route.receiver != receiver:
            continue
        labels = _made_up(_on_the_way(routing.root, route) or ())
        if labels is not None and any(one is route for one in routing.routes(labels)):
            return labels
    return None


def _on_the_way(at: Route, to: Route) -> tuple[Matcher, ...] | None:
    """The matchers of all routes from `at` to `to`; None where it is not below."""
    if at is to:
        return at.matchers
    for child in at.children:
        below = _on_the_way(child, to)
        if below is not None:
            return (*at.matchers, *below)
    return None


def _made_up(matchers: Iterable[Matcher]) -> dict[str, str] | None:
    labels = {"alertname": "OpsconsoleTest"}
    for one in matchers:
        if one.op == "=" and one.value:
            labels[one.name] = one.value
        elif one.op == "=~" and not one.holds(labels):
            given = re.split(r"\|", one.value.strip("^$()"))
            fitting = next((text for raw in given for text in _texts(raw) if one.holds({one.name: text})), None)
            if fitting is None:
                return None
            labels[one.name] = fitting
    return labels


def _texts(raw: str) -> tuple[str, ...]:
    """Texts that an alternative of an expression may fit."""
    plain = raw.replace(".*", "").replace(".+", "x").replace("\\.", ".")
    return (plain,) if _LITERAL.fullmatch(plain) else ()
