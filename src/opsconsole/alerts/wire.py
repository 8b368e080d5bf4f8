"""What Prometheus and Alertmanager answer, as readings. Everything from outside is cleaned here; an entry that is not
what it should be is left out rather than guessed at."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsconsole.alerts.joining import REPLICAS
from opsconsole.alerts.matching import Matcher
from opsconsole.alerts.model import Cluster, Delivered, RuleAlert, RuleSide, RuleState, Silence
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import parse_duration

_DEFAULT_RESEND = 60.0
_DEFAULT_INTERVAL = 60.0
_MOST_TEXTS = 50_000
"""Annotations with values in them are new each time: what is remembered has an end."""
_STATES = {"pending": RuleState.PENDING, "firing": RuleState.FIRING}


class _Texts(dict[str, str]):
    """Cleaned texts: the same few hundred repeat in thousands of alerts, and from answer to answer."""

    def __missing__(self, raw: str) -> str:
        if len(self) >= _MOST_TEXTS:
            self.clear()
        cleaned = self[raw] = clean(raw)
        return cleaned


_Raw = tuple[str, ...]
_OF_RULE = ("name", "query", "duration", "health", "lastError")
_OF_GROUP = ("name", "interval")


_Read = tuple[Mapping[str, Any], "_Rule", RuleAlert]
"""(an alert as it came, its rule, what it is)."""


class RuleReader:
    """Reads what Prometheus says of its rules, again and again: what did not change since the last time is not made
    anew, which is nearly everything of thousands."""

    def __init__(self, name: str = "prometheus") -> None:
        """A reader of the Prometheus whose source is called `name`."""
        self._name = name
        self._alerts: dict[_Raw, _Read] = {}
        self._rules: dict[_Raw, _Rule] = {}
        self._config: tuple[str, _Alerting] = ("", _Alerting())
        self._texts = _Texts()

    def read(self, rules: Any, config: Any, flags: Any, targets: Any = None) -> RuleSide:
        """The payloads of `/api/v1/rules`, `/status/config`, `/status/flags` and `/alertmanagers`, all but the first
        None where they are not to be had: servers that scrape nothing lack them."""
        known, self._alerts = self._alerts, {}
        written, self._rules = self._rules, {}
        alerts: list[RuleAlert] = []
        ruled: dict[str, float] = {}
        broken: list[str] = []
        labels: list[dict[str, str]] = []
        for group, rule in _rules(rules):
            about = self._about(rule, group, written)
            ruled[about.name] = max(about.interval, ruled.get(about.name, 0.0))
            labels.append({**_labels(rule.get("labels"), self._texts), "alertname": about.name})
            if about.health == "err":
                broken.append(f"{about.name}: {about.error or 'cannot be evaluated'}")
            alerts += [self._alert(one, about, known) for one in _mappings(rule.get("alerts"))]
        alerting = self._alerting(config)
        return RuleSide(
            tuple(alerts), frozenset(ruled), tuple(broken), alerting.external, alerting.rewrites, _resend(flags),
            _targets(targets), tuple(labels), max(ruled.values(), default=_DEFAULT_INTERVAL), alerting.dropped,
            self._name,
        )  # fmt: skip

    def _about(self, rule: Mapping[str, Any], group: Mapping[str, Any], written: "Mapping[_Raw, _Rule]") -> "_Rule":
        raw = tuple([str(rule.get(name)) for name in _OF_RULE] + [str(group.get(name)) for name in _OF_GROUP])
        found = self._rules[raw] = written.get(raw) or _rule(rule, group, self._texts)
        return found

    def _alert(
        self,
        one: Mapping[str, Any],
        rule: "_Rule",
        known: Mapping["_Raw", "_Read"],
    ) -> RuleAlert:
        labels = one.get("labels")
        # Which labels these are the values of is compared below. Servers list labels by name, and alerts in any order.
        key = (rule.name, *map(str, labels.values() if isinstance(labels, Mapping) else ()))
        before = known.get(key)
        if before is not None and before[1] is rule and before[0] == one:
            self._alerts[key] = before
            return before[2]
        made = _rule_alert(one, rule, self._texts)
        self._alerts[key] = (one, rule, made)
        return made

    def _alerting(self, config: Any) -> "_Alerting":
        """As `_alerting_of`; a configuration can have thousands of lines, and is parsed when it changes."""
        text = config.get("yaml") if isinstance(config, Mapping) else None
        if not isinstance(text, str):
            return _Alerting()
        if self._config[0] != text:
            self._config = (text, _alerting_of(text))
        return self._config[1]


class DeliveryReader:
    """Reads the alerts of one Alertmanager, again and again; what did not change is not made anew."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Mapping[str, Any], Delivered]] = {}
        self._texts = _Texts()

    def read(self, answer: list[Any]) -> tuple[Delivered, ...]:
        """The answer of `/api/v2/alerts`."""
        known, self._known = self._known, {}
        found: list[Delivered] = []
        for one in _mappings(answer):
            identity = str(one.get("fingerprint", ""))
            before = known.get(identity)
            made = before[1] if before is not None and before[0] == one else _delivered(one, self._texts)
            self._known[identity] = (one, made)
            found.append(made)
        return tuple(found)


def rule_side(rules: Any, config: Any, flags: Any) -> RuleSide:
    """As `RuleReader.read`, once."""
    return RuleReader().read(rules, config, flags)


def delivered(answer: list[Any]) -> tuple[Delivered, ...]:
    """As `DeliveryReader.read`, once."""
    return DeliveryReader().read(answer)


def cluster(status: Mapping[str, Any]) -> Cluster:
    """What `/api/v2/status` says of an Alertmanager's peers."""
    given = status.get("cluster")
    if not isinstance(given, Mapping):
        return Cluster()
    peers = tuple(clean_line(one.get("address", ""), limit=200) for one in _mappings(given.get("peers")))
    return Cluster(clean_line(given.get("status", ""), limit=40), peers)


def silences(answer: list[Any]) -> tuple[Silence, ...]:
    """The answer of `/api/v2/silences`."""
    return tuple(silence(one) for one in _mappings(answer))


def silence(one: Mapping[str, Any]) -> Silence:
    """One of them, or the answer of `/api/v2/silence/ID`."""
    status = one.get("status")
    return Silence(
        id=clean_line(one.get("id", "")),
        matchers=tuple(_matcher(given) for given in _mappings(one.get("matchers"))),
        starts_at=moment(one.get("startsAt")),
        ends_at=moment(one.get("endsAt")),
        created_by=clean_line(one.get("createdBy", "")),
        comment=clean(one.get("comment", "")),
        state=clean_line(status.get("state", "unknown") if isinstance(status, Mapping) else "unknown"),
        updated_at=moment(one.get("updatedAt")),
    )


def moment(text: Any) -> float | None:
    """RFC 3339, nanoseconds included, as unix seconds; None for what is no time, and for Go's zero."""
    try:
        found = datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return None
    return found if found > 0 else None


def _rules(answer: Any) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """(group, rule) of each alerting rule."""
    for group in _mappings(answer.get("groups") if isinstance(answer, Mapping) else None):
        for rule in _mappings(group.get("rules")):
            if rule.get("type") == "alerting":
                yield group, rule


@dataclass(frozen=True, slots=True)
class _Rule:
    """What an alert has from its rule."""

    name: str
    expr: str
    hold: float
    interval: float
    group: str
    health: str
    error: str


def _rule(rule: Mapping[str, Any], group: Mapping[str, Any], texts: _Texts) -> _Rule:
    return _Rule(
        name=clean_line(rule.get("name", "")),
        expr=texts[str(rule.get("query", ""))],
        hold=_number(rule.get("duration")) or 0.0,
        interval=_number(group.get("interval")) or _DEFAULT_INTERVAL,
        group=clean_line(group.get("name", "")),
        health=clean_line(rule.get("health", "unknown")),
        error=clean_line(rule.get("lastError") or ""),
    )


def _rule_alert(one: Mapping[str, Any], rule: _Rule, texts: _Texts) -> RuleAlert:
    return RuleAlert(
        labels=_labels(one.get("labels"), texts),
        annotations=_labels(one.get("annotations"), texts),
        state=_STATES.get(str(one.get("state")), RuleState.UNKNOWN),
        active_at=moment(one.get("activeAt")),
        value=_number(one.get("value")),
        expr=rule.expr,
        hold=rule.hold,
        interval=rule.interval,
        group=rule.group,
        health=rule.health,
        error=rule.error,
    )


def _targets(answer: Any) -> tuple[str, ...] | None:
    if not isinstance(answer, Mapping):
        return None
    return tuple(clean_line(one.get("url", ""), limit=500) for one in _mappings(answer.get("activeAlertmanagers")))


@dataclass(frozen=True, slots=True)
class _Alerting:
    """What Prometheus does with alerts when it sends them."""

    external: dict[str, str] | None = None
    """None: not known."""
    dropped: frozenset[str] = frozenset()
    """Names of external labels that it drops again, as pairs for high availability do."""
    rewrites: bool = False
    """It does something else to labels, too."""


def _alerting_of(text: str) -> _Alerting:
    """What Prometheus's configuration says."""
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        read = yaml.load(text, Loader=loader)  # noqa: S506 - the base loader makes texts, lists and mappings only
    except (yaml.YAMLError, RecursionError):
        return _Alerting()
    if not isinstance(read, Mapping):
        return _Alerting()
    parts = {key: part if isinstance(part := read.get(key), Mapping) else {} for key in ("global", "alerting")}
    external = _labels(parts["global"].get("external_labels"), _Texts())
    drops = [_dropped(one, external) for one in _mappings(parts["alerting"].get("alert_relabel_configs"))]
    return _Alerting(external, frozenset(name for names in drops for name in names), not all(drops))


def _dropped(relabel: Mapping[str, Any], external: Mapping[str, str]) -> frozenset[str]:
    """The external labels that it drops; none where it may do something to others."""
    if relabel.get("action") != "labeldrop":
        return frozenset()
    # Written out, with | between them; what else an expression may match is not guessed.
    names = frozenset(str(relabel.get("regex", "")).strip("()").split("|"))
    return names & external.keys() if names <= external.keys() | REPLICAS else frozenset()


def _resend(flags: Any) -> float:
    try:
        return parse_duration(str(flags["rules.alert.resend-delay"]))
    except (LookupError, TypeError, ValueError):
        return _DEFAULT_RESEND


def _delivered(one: Mapping[str, Any], texts: _Texts) -> Delivered:
    status = one.get("status") if isinstance(one.get("status"), Mapping) else {}
    assert isinstance(status, Mapping)
    return Delivered(
        labels=_labels(one.get("labels"), texts),
        annotations=_labels(one.get("annotations"), texts),
        fingerprint=clean_line(one.get("fingerprint", "")),
        state=clean_line(status.get("state", "unprocessed")),
        started_at=moment(one.get("startsAt")),
        updated_at=moment(one.get("updatedAt")),
        receivers=tuple(texts[str(given.get("name", ""))] for given in _mappings(one.get("receivers"))),
        silenced_by=_texts(status.get("silencedBy")),
        inhibited_by=_texts(status.get("inhibitedBy")),
        muted_by=_texts(status.get("mutedBy")),
        generator=clean_line(one.get("generatorURL", ""), limit=2000),
    )


def _matcher(one: Mapping[str, Any]) -> Matcher:
    op = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}[
        bool(one.get("isEqual", True)), bool(one.get("isRegex", False))
    ]
    name, value = clean_line(one.get("name", "")), clean(one.get("value", ""))
    try:
        return Matcher.of(name, op, value)
    except ValueError:
        return Matcher(name, op, value)  # shown only: which alerts it holds back is Alertmanager's word


def _labels(given: Any, texts: _Texts) -> dict[str, str]:
    return {texts[str(name)]: texts[str(value)] for name, value in given.items()} if isinstance(given, Mapping) else {}


def _texts(given: Any) -> tuple[str, ...]:
    return tuple(clean_line(one) for one in given) if isinstance(given, list) else ()


def _mappings(given: Any) -> list[Mapping[str, Any]]:
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []


def _number(given: Any) -> float | None:
    try:
        found = float(given)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None
