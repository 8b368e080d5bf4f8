"""Alerting rules to replay: of a file, or as Prometheus has them loaded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.alerts.replay import AlertRule
from opsconsole.config.document import Document, load_document
from opsconsole.config.schema import ListOf, MapOf, Place, Record, Text, require
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import parse_duration

USUAL_INTERVAL = 60.0
"""Seconds; Prometheus's own default for `evaluation_interval`."""


@dataclass(frozen=True, slots=True)
class GoDuration:
    """A duration as Prometheus writes it: `5m`, `1h30m`, `0`. Read as seconds."""

    expected: str = "a duration such as 30s, 5m or 1h30m"

    def read(self, value: Any, place: Place) -> Any:
        text = "0s" if value in (0, "0") else value
        try:
            return parse_duration(text) if isinstance(text, str) else self._wrong(value, place)
        except ValueError:
            return self._wrong(value, place)

    def _wrong(self, value: Any, place: Place) -> Any:
        return place.report("bad-duration", f"{place.name}: {value!r}; expected {self.expected}")


_RULE = Record(
    {
        "alert": Text(limit=500),
        "record": Text(limit=500),
        "expr": Text(limit=100_000, lenient=True),
        "for": GoDuration(),
        "keep_firing_for": GoDuration(),
        "labels": MapOf(Text(lenient=True, empty=True), name=Text()),
    },
    required=("expr",),
    what="a rule with alert and expr",
    open=True,
)
_GROUP = Record(
    {"name": Text(limit=500), "interval": GoDuration(), "rules": ListOf(_RULE)},
    what="a group with name and rules",
    open=True,
)
RULES = Record({"groups": ListOf(_GROUP)}, required=("groups",), what="a mapping with groups", open=True)


def rules_of_file(path: Path, interval: float) -> list[AlertRule]:
    """The alerting rules in the file at `path`; `interval` (seconds) is for groups that name none.

    Raises:
        ContentError: it cannot be read, or is no rule file; with file, line and column.
    """
    document = load_document(path)
    read, _ = require(document, RULES)
    return list(_alerting(document, read["groups"], str(path), interval))


def _alerting(document: Document, groups: list[dict[str, Any]], file: str, interval: float) -> Iterator[AlertRule]:
    for place, group in enumerate(groups):
        for position, rule in enumerate(group.get("rules", ())):
            if "alert" not in rule:
                continue
            yield AlertRule(
                name=clean_line(rule["alert"]),
                expr=rule["expr"].strip(),
                interval=group.get("interval") or interval,
                hold=rule.get("for", 0.0),
                keep=rule.get("keep_firing_for", 0.0),
                labels={name: clean(value) for name, value in rule.get("labels", {}).items()},
                group=clean_line(group.get("name", "")),
                file=file,
                line=document.where(("groups", place, "rules", position))[0],
            )


def loaded_rules(payload: Any) -> list[AlertRule]:
    """The alerting rules of `/api/v1/rules`; what is not as it should be is left out."""
    groups = payload.get("groups") if isinstance(payload, Mapping) else None
    return [
        AlertRule(
            name=clean_line(rule.get("name", "")),
            expr=str(rule.get("query", "")),
            interval=_seconds(group.get("interval")) or USUAL_INTERVAL,
            hold=_seconds(rule.get("duration")),
            keep=_seconds(rule.get("keepFiringFor")),
            labels={str(name): clean(value) for name, value in (rule.get("labels") or {}).items()},
            group=clean_line(group.get("name", "")),
            file=clean_line(group.get("file", "")),
        )
        for group in _mappings(groups)
        for rule in _mappings(group.get("rules"))
        if rule.get("type") == "alerting"
    ]


def evaluation_interval(config: Any) -> float:
    """The `evaluation_interval` of `/api/v1/status/config`; Prometheus's default where it is not said."""
    import yaml

    text = config.get("yaml") if isinstance(config, Mapping) else None
    try:
        read: Any = yaml.safe_load(text) if isinstance(text, str) else {}
        return parse_duration(str(read["global"]["evaluation_interval"]))
    except (yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError):
        return USUAL_INTERVAL


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
