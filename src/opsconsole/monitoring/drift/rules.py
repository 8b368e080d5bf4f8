"""Rules: those of the exported files against those of `/api/v1/rules`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsconsole.core.clean import clean, clean_line
from opsconsole.monitoring.drift.difference import Drift, changes
from opsconsole.monitoring.lint.promql import normalized
from opsconsole.monitoring.lint.rule import Rule
from opsconsole.monitoring.text import prometheus_duration


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as texts that can be compared, wherever it comes from."""

    kind: str
    name: str
    expr: str
    hold: str
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]

    @property
    def parts(self) -> Mapping[str, str]:
        """What can differ."""
        labels = {f"label {name}": value for name, value in self.labels}
        return {"expr": self.expr, "for": self.hold, **labels, **dict(self.annotations)}

    def title(self, *, alone: bool) -> str:
        """The name, and unless it is the only one of that name, its labels."""
        if alone or not self.labels:
            return self.name
        return f"{self.name}{{{', '.join(f'{name}={value}' for name, value in self.labels)}}}"


def text_of(rule: Rule) -> RuleText:
    """A rule of a file."""
    return RuleText(
        "alert" if rule.alerting else "recording", rule.name, normalized(rule.expr), prometheus_duration(rule.hold),
        tuple(sorted(rule.labels.items())), tuple(sorted(rule.annotations.items())),
    )  # fmt: skip


def texts_of(answer: Any) -> list[RuleText]:
    """The rules in the answer of `/api/v1/rules`; what is no rule is left out."""
    return [
        RuleText(
            "alert" if rule.get("type") == "alerting" else "recording",
            clean_line(rule.get("name", "")),
            normalized(clean(rule.get("query", ""))),
            prometheus_duration(float(rule.get("duration") or 0)),
            _pairs(rule.get("labels")),
            _pairs(rule.get("annotations")),
        )
        for group in _mappings(answer.get("groups") if isinstance(answer, Mapping) else None)
        for rule in _mappings(group.get("rules"))
    ]


def unhealthy(answer: Any) -> Iterator[str]:
    """Rules that are loaded and cannot be evaluated."""
    for group in _mappings(answer.get("groups") if isinstance(answer, Mapping) else None):
        for rule in _mappings(group.get("rules")):
            if rule.get("health") == "err":
                yield f"{clean_line(rule.get('name', ''))} cannot be evaluated: {clean_line(rule.get('lastError', ''))}"


def rule_drift(source: str, here: Iterable[RuleText], loaded: Iterable[RuleText]) -> Iterator[Drift]:
    """What is missing, extra and changed. Rules of one name belong together by their labels, else in their order."""
    by_name: dict[tuple[str, str], tuple[list[RuleText], list[RuleText]]] = {}
    for side, rules in enumerate((here, loaded)):
        for one in rules:
            by_name.setdefault((one.kind, one.name), ([], []))[side].append(one)
    for left, right in by_name.values():
        alone = max(len(left), len(right)) == 1
        both = Counter(left) & Counter(right)
        for rest in (left, right):
            for one in both.elements():
                rest.remove(one)
        for one in list(left):
            other = right[0] if alone and right else _same_labels(one, right)
            if other is not None:
                left.remove(one)
                right.remove(other)
                found = changes(one.parts, other.parts)
                yield Drift(source, one.kind, one.title(alone=alone), "changed", found)
        yield from (Drift(source, one.kind, one.title(alone=alone), "missing") for one in left)
        yield from (Drift(source, one.kind, one.title(alone=alone), "extra") for one in right)


def _same_labels(rule: RuleText, others: Iterable[RuleText]) -> RuleText | None:
    return next((one for one in others if one.labels == rule.labels), None)


def _pairs(given: Any) -> tuple[tuple[str, str], ...]:
    return (
        tuple(sorted((clean(name), clean(value)) for name, value in given.items())) if isinstance(given, dict) else ()
    )


def _mappings(given: Any) -> list[Mapping[str, Any]]:
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
