"""The language that lists of alerts are filtered with, as users of Alertmanager's and karma's screens know it:

    alertname=~"Api.*" severity="critical" @state=active @age>1h

Terms stand one after the other, with spaces or commas between; all have to hold. `@` begins what is no label.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opsconsole.alerts.matching import OPERATORS, Matcher, unquoted
from opsconsole.alerts.model import Alert, AlertState, RuleState
from opsconsole.core.duration import parse_duration
from opsconsole.core.problem import nearest

_TERM = re.compile(
    r'[\s,]*(?P<name>@?[a-zA-Z_][a-zA-Z0-9_]*|"(?:[^"\\]|\\.)*")\s*(?P<op>=~|!~|!=|>=|<=|=|>|<)\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s,"]*)'
    r"(?=[\s,]|$)"
)

_FIELDS: dict[str, Callable[[Alert], Iterable[str]]] = {
    "@state": lambda one: (one.state,),
    "@rule": lambda one: (one.rule,),
    "@alertmanager": lambda one: (
        given.alertmanager for given in one.deliveries if given.state not in ("absent", "elsewhere", "unknown")
    ),
    "@prometheus": lambda one: one.fired_by,
    "@quiet_in": lambda one: one.quiet_in,
    "@receiver": lambda one: (given.receiver for given in one.notifies),
    "@silenced_by": lambda one: one.silenced_by,
    "@inhibited_by": lambda one: one.inhibited_by,
    "@missing_in": lambda one: one.missing_in,
    "@fingerprint": lambda one: (one.fingerprint, *one.replicas),
}
_KNOWN = {"@state": [one.value for one in AlertState], "@rule": [one.value for one in RuleState]}
NAMES = (*_FIELDS, "@age")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: a label's, or that of an `@` field. Of fields with several values any may be meant; a negative
    one holds where none is."""

    matcher: Matcher | None = None
    field: str = ""
    op: str = ""
    seconds: float = 0.0

    def holds(self, alert: Alert, now: float) -> bool:
        """Whether `alert` fulfils it at `now`."""
        if self.field == "@age":
            return alert.started_at is not None and _compared(now - alert.started_at, self.op, self.seconds)
        assert self.matcher is not None
        if not self.field:
            # External labels too: Alertmanager groups by them, and shows them.
            own = self.matcher.name in alert.labels
            return self.matcher.holds(alert.labels if own else alert.sent_labels)
        given = tuple(_FIELDS[self.field](alert)) or ("",)
        held = [self.matcher.holds({self.field: value}) for value in given]
        return all(held) if self.op.startswith("!") else any(held)


def parse_filter(text: str) -> tuple[Term, ...]:
    """The terms of a filter; none for an empty one.

    Raises:
        ValueError: what it should be.
    """
    found: list[Term] = []
    at = 0
    while rest := text[at:].strip(" \t\n,"):
        match = _TERM.match(text, at)
        if match is None:
            raise ValueError(
                f"{rest!r}: expected a label or one of {', '.join(NAMES)}, an operator and a value, "
                'such as severity="critical" or @age>1h'
            )
        found.append(_term(unquoted(match["name"]), match["op"], unquoted(match["value"])))
        at = match.end()
    return tuple(found)


def kept(alerts: Iterable[Alert], terms: Iterable[Term], now: float) -> tuple[Alert, ...]:
    """Those that fulfil every term."""
    wanted = tuple(terms)
    return tuple(one for one in alerts if all(term.holds(one, now) for term in wanted))


def _term(name: str, op: str, value: str) -> Term:
    if name == "@age":
        if op not in (">", "<", ">=", "<="):
            raise ValueError(f"@age{op}: expected @age> or @age<")
        return Term(field=name, op=op, seconds=parse_duration(value))
    if name.startswith("@") and name not in _FIELDS:
        raise ValueError(f"{name} is not known{nearest(name, NAMES) or '; known are ' + ', '.join(NAMES)}")
    if op not in OPERATORS:
        raise ValueError(f"{name}{op}: only @age is compared; expected one of {' '.join(OPERATORS)}")
    known = _KNOWN.get(name)
    if known and op in ("=", "!=") and value not in known:
        raise ValueError(f"{name}{op}{value}: {nearest(value, known).lstrip('; ') or 'known are ' + ', '.join(known)}")
    return Term(Matcher.of(name, op, value), name if name.startswith("@") else "", op)


def _compared(age: float, op: str, seconds: float) -> bool:
    return {">": age > seconds, "<": age < seconds, ">=": age >= seconds, "<=": age <= seconds}[op]
