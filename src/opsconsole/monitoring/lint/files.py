"""Rule files as rules: what Prometheus takes, and Thanos, Mimir and the operator's PrometheusRule with it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.config.document import Document, Where, load_document
from opsconsole.config.schema import Anything, Either, ListOf, MapOf, Number, Place, Record, Text, check, shown
from opsconsole.core.duration import parse_duration
from opsconsole.core.problem import ContentError, Problem
from opsconsole.monitoring.lint.rule import Rule

_DURATION = re.compile(r"0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")


@dataclass(frozen=True, slots=True)
class _PrometheusDuration:
    """`5m`, `1h30m`, `0`: whole numbers, largest unit first. Read as seconds."""

    expected: str = "a duration such as 5m or 1h30m"

    def read(self, value: Any, place: Place) -> Any:
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not text or not _DURATION.fullmatch(text):
            return place.report("bad-duration", f"{place.name}: {shown(value)}; expected {self.expected}")
        return 0.0 if text == "0" else parse_duration(text)


def _one_kind(_: dict[str, Any], place: Place) -> None:
    rule = place.document.data
    for step in place.path:
        rule = rule[step]
    given = {"record", "alert"} & rule.keys()
    if len(given) != 1:
        what = "both record and alert" if given else "neither record nor alert"
        place.report("rule-kind", f"{place.name}: {what}; expected one of them")
    elif "record" in rule:
        for key in ("for", "keep_firing_for", "annotations"):
            if key in rule:
                message = f"{key} means nothing for a recording rule, and Prometheus refuses the file"
                place.child(key).report("misplaced-key", message, on_key=True)


_LABEL = Text(
    pattern=r"(?!__name__$)[a-zA-Z_][a-zA-Z0-9_]*", expected="a label name (2.42 takes letters, digits and '_')"
)
_TEXTS = MapOf(Text(lenient=True, empty=True), name=_LABEL, what="a mapping of names to texts")
_RULE = Record(
    {
        "record": Text(pattern=r"[a-zA-Z_:][a-zA-Z0-9_:]*", expected="a metric name of letters, digits, '_' and ':'"),
        "alert": Text(lenient=True),
        "expr": Text(lenient=True, expected="PromQL"),
        "for": _PrometheusDuration(),
        "keep_firing_for": _PrometheusDuration(),
        "labels": _TEXTS,
        "annotations": _TEXTS,
    },
    required=("expr",),
    what="a rule with alert or record, and expr",
    verify=_one_kind,
)
_GROUP = Record(
    {
        "name": Text(lenient=True),
        "interval": _PrometheusDuration(),
        "query_offset": _PrometheusDuration(),
        "evaluation_delay": _PrometheusDuration(),
        "limit": Number(minimum=0, whole=True),
        "labels": _TEXTS,
        "rules": ListOf(_RULE, maximum=100_000),
        "partial_response_strategy": Text(),
        "source_tenants": Either(sequence=ListOf(Text())),
        "align_evaluation_time_on_interval": Anything(),
    },
    required=("name",),
    what="a group with name and rules",
)


def _groups_differ(result: dict[str, Any], place: Place) -> None:
    seen: set[str] = set()
    for position, group in enumerate(result.get("groups", ())):
        name = group.get("name", "")
        if name in seen:
            at = place.child("groups").child(position).child("name")
            at.report("duplicate-group", f"group {name!r} a second time, and Prometheus refuses the file")
        seen.add(name)


_FILE = Record(
    {"groups": ListOf(_GROUP, maximum=100_000), "namespace": Text()},
    required=("groups",),
    what="a rule file with groups",
    verify=_groups_differ,
)


def read_rules(path: Path) -> tuple[list[Rule], list[Problem]]:
    """The rules in the file at `path`, and what Prometheus would refuse. A rule without expression is left out."""
    try:
        document = load_document(path)
    except ContentError as error:
        return [], list(error.problems)
    return rules_of(document)


def rules_of(document: Document) -> tuple[list[Rule], list[Problem]]:
    """As `read_rules`, from a parsed document."""
    top: Where = ("spec",) if _is_resource(document.data) else ()
    result, problems = check(document, _FILE, top)
    if not isinstance(result, dict):
        return [], problems
    return list(_rules(document, top)), problems


def _is_resource(data: Any) -> bool:
    return isinstance(data, Mapping) and data.get("kind") == "PrometheusRule" and "spec" in data


def _rules(document: Document, top: Where) -> Iterator[Rule]:
    """From the file as it is: what the schema left out for an error elsewhere in the rule is still a rule."""
    data = document.data[top[0]] if top else document.data
    for at, group in enumerate(_list(data.get("groups"))):
        for number, rule in enumerate(_list(group.get("rules"))):
            where: Where = (*top, "groups", at, "rules", number)
            name = rule.get("alert") or rule.get("record")
            if name is None or rule.get("expr") is None or isinstance(rule["expr"], dict | list):
                continue
            yield Rule(
                document.file, str(name), document.raw((*where, "expr")), "alert" in rule,
                group=str(group.get("name", "")), hold=_seconds(rule.get("for")),
                labels=_texts(document, rule, (*where, "labels")),
                annotations=_texts(document, rule, (*where, "annotations")),
                at=document.where((*where, "alert" if "alert" in rule else "record")),
                expr_at=document.where((*where, "expr")),
                labels_at=_places(document, rule, (*where, "labels")),
                annotations_at=_places(document, rule, (*where, "annotations")),
            )  # fmt: skip


def _list(given: Any) -> list[Mapping[str, Any]]:
    return [one if isinstance(one, Mapping) else {} for one in given] if isinstance(given, list) else []


def _texts(document: Document, rule: Mapping[str, Any], where: Where) -> dict[str, str]:
    given = rule.get(str(where[-1]))
    names = [name for name, one in given.items() if not isinstance(one, dict | list)] if isinstance(given, dict) else []
    return {name: document.raw((*where, name)) for name in names}


def _places(document: Document, rule: Mapping[str, Any], where: Where) -> dict[str, tuple[int, int]]:
    given = rule.get(str(where[-1]))
    return {name: document.where((*where, name)) for name in given} if isinstance(given, dict) else {}


def _seconds(given: Any) -> float:
    text = str(given)
    return parse_duration(text) if text not in ("", "0") and _DURATION.fullmatch(text) else 0.0
