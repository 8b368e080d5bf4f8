"""What Prometheus and Alertmanager answer, as readings. Everything from outside is cleaned here; an entry that is not
what it should be is left out rather than guessed at."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from opsconsole.alerts.matching import Matcher
from opsconsole.alerts.model import Delivered, RuleAlert, RuleSide, RuleState, Silence
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import parse_duration

_DEFAULT_RESEND = 60.0
_STATES = {"pending": RuleState.PENDING, "firing": RuleState.FIRING}


class _Texts(dict[str, str]):
    """Cleaned texts of one answer: the same few hundred repeat in thousands of alerts."""

    def __missing__(self, raw: str) -> str:
        cleaned = self[raw] = clean(raw)
        return cleaned


def rule_side(rules: Any, config: Any, flags: Any) -> RuleSide:
    """The payloads of `/api/v1/rules`, `/status/config` and `/status/flags`, the latter two None where they are not to
    be had: servers that scrape nothing lack them."""
    alerts: list[RuleAlert] = []
    names: set[str] = set()
    broken: list[str] = []
    texts = _Texts()
    for group, rule in _rules(rules):
        name = clean_line(rule.get("name", ""))
        names.add(name)
        if rule.get("health") == "err":
            broken.append(f"{name}: {clean_line(rule.get('lastError') or 'cannot be evaluated')}")
        alerts += [_rule_alert(one, rule, group, texts) for one in _mappings(rule.get("alerts"))]
    external, relabelled = _alerting(config)
    return RuleSide(tuple(alerts), frozenset(names), tuple(broken), external, relabelled, _resend(flags))


def delivered(answer: list[Any]) -> tuple[Delivered, ...]:
    """The answer of `/api/v2/alerts`."""
    texts = _Texts()
    return tuple(_delivered(one, texts) for one in _mappings(answer))


def silences(answer: list[Any]) -> tuple[Silence, ...]:
    """The answer of `/api/v2/silences`."""
    return tuple(_silence(one) for one in _mappings(answer))


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


def _rule_alert(one: Mapping[str, Any], rule: Mapping[str, Any], group: Mapping[str, Any], texts: _Texts) -> RuleAlert:
    return RuleAlert(
        labels=_labels(one.get("labels"), texts),
        annotations=_labels(one.get("annotations"), texts),
        state=_STATES.get(str(one.get("state")), RuleState.UNKNOWN),
        active_at=moment(one.get("activeAt")),
        value=_number(one.get("value")),
        expr=clean(rule.get("query", "")),
        hold=_number(rule.get("duration")) or 0.0,
        interval=_number(group.get("interval")) or 60.0,
        group=clean_line(group.get("name", "")),
        health=clean_line(rule.get("health", "unknown")),
        error=clean_line(rule.get("lastError") or ""),
    )


def _alerting(config: Any) -> tuple[dict[str, str] | None, bool]:
    """(external labels, whether labels of alerts are rewritten before they are sent), of Prometheus's configuration.

    Dropping labels that are external ones anyway, as pairs for high availability do, rewrites nothing that matters.
    """
    text = config.get("yaml") if isinstance(config, Mapping) else None
    if not isinstance(text, str):
        return None, False
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        read = yaml.load(text, Loader=loader)  # noqa: S506 - the base loader makes texts, lists and mappings only
    except (yaml.YAMLError, RecursionError):
        return None, False
    if not isinstance(read, Mapping):
        return None, False
    parts = {key: part if isinstance(part := read.get(key), Mapping) else {} for key in ("global", "alerting")}
    external = _labels(parts["global"].get("external_labels"), _Texts())
    rewriting = [one for one in _mappings(parts["alerting"].get("alert_relabel_configs")) if not _drops(one, external)]
    return external, bool(rewriting)


def _drops(relabel: Mapping[str, Any], external: Mapping[str, str]) -> bool:
    return relabel.get("action") == "labeldrop" and relabel.get("regex") in external


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
        receivers=tuple(clean_line(given.get("name", "")) for given in _mappings(one.get("receivers"))),
        silenced_by=_texts(status.get("silencedBy")),
        inhibited_by=_texts(status.get("inhibitedBy")),
        muted_by=_texts(status.get("mutedBy")),
        generator=clean_line(one.get("generatorURL", ""), limit=2000),
    )


def _silence(one: Mapping[str, Any]) -> Silence:
    status = one.get("status")
    return Silence(
        id=clean_line(one.get("id", "")),
        matchers=tuple(_matcher(given) for given in _mappings(one.get("matchers"))),
        starts_at=moment(one.get("startsAt")),
        ends_at=moment(one.get("endsAt")),
        created_by=clean_line(one.get("createdBy", "")),
        comment=clean(one.get("comment", "")),
        state=clean_line(status.get("state", "unknown") if isinstance(status, Mapping) else "unknown"),
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
