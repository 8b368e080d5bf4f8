"""A lint of rules: each by itself, and all of them beside each other."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from opsconsole.core.clean import clean_line
from opsconsole.core.problem import Problem
from opsconsole.monitoring.lint.files import read_rules
from opsconsole.monitoring.lint.labels import Kept, kept_labels
from opsconsole.monitoring.lint.rule import Rule
from opsconsole.monitoring.lint.templates import labels_in, uses_value, wrong_in
from opsconsole.monitoring.lint.traps import traps
from opsconsole.sources.promqltree import MissingParserError, TooDeepError, parse

SCRAPE_INTERVAL = 15.0
"""Seconds; what most say, and what is taken where nobody says."""
_TARGET_LABELS = frozenset({"job", "instance"})
"""Labels that every scraped series has."""
_RECORDED = re.compile(r":\w*[a-z_]\d+(ms|[smhdwy])\b")
_RUNBOOK = frozenset({"runbook", "runbook_url"})
_SUMMARY = frozenset({"summary", "description", "message", "title"})


def lint_files(paths: Iterable[Path], *, scrape: float = SCRAPE_INTERVAL) -> tuple[list[Problem], bool]:
    """(all problems of rule files, in the order of file and line; whether PromQL could be looked at)."""
    problems: list[Problem] = []
    rules: list[Rule] = []
    for path in paths:
        found, wrong = read_rules(path)
        rules += found
        problems += wrong
    found_in, parsed = lint_rules(rules, scrape=scrape)
    return sorted({*problems, *found_in}), parsed


def lint_rules(rules: Iterable[Rule], *, scrape: float = SCRAPE_INTERVAL) -> tuple[list[Problem], bool]:
    """As `lint_files`, of rules that were read."""
    listed = list(rules)
    problems = list(_twice(listed))
    parsed = True
    for rule in listed:
        kept: Kept | None = None
        try:
            problems += _expression(rule, scrape)
            kept = kept_labels(parse(rule.expr))
        except MissingParserError:
            parsed = False
        except TooDeepError as error:
            problems.append(rule.problem("too-deep", str(error)))
        except ValueError as error:
            said = clean_line(error, limit=200) or "it cannot be read"
            problems.append(rule.problem("bad-promql", f"no PromQL: {said}", error=True))
        problems += _texts(rule, kept)
        if rule.alerting:
            problems += _alert(rule, kept)
    return sorted(set(problems)), parsed


def _expression(rule: Rule, scrape: float) -> Iterator[Problem]:
    found = list(traps(parse(rule.expr), alerting=rule.alerting, scrape=scrape))
    yield from (rule.problem(trap.code, trap.message) for trap in found)
    always = any(trap.code == "always-fires" for trap in found)
    if rule.alerting and not rule.hold and not always and not _looks_back(rule.expr):
        message = "it fires at the first sample that is out of line; expected for: 2m or so"
        yield rule.problem("no-for", message, at=rule.at)


def _looks_back(expr: str) -> bool:
    """Whether it sees more than one moment, itself or by a recorded metric such as `job:errors:ratio5m`; or is there to
    fire always."""
    return "[" in expr or bool(_RECORDED.search(expr)) or "absent" in expr or _is_watchdog(expr)


def _is_watchdog(expr: str) -> bool:
    return expr.replace(" ", "") == "vector(1)"


def _texts(rule: Rule, kept: Kept | None) -> Iterator[Problem]:
    """Templates: such as cannot be, and such as ask for what the expression has dropped."""
    for texts, places in ((rule.labels, rule.labels_at), (rule.annotations, rule.annotations_at)):
        for name, text in texts.items():
            at = places.get(name, rule.at)
            if wrong := wrong_in(text):
                yield rule.problem("bad-template", f"{name}: {wrong}", at=at, error=True)
            if kept is None:
                continue
            for label in labels_in(text):
                if not kept.may_have(label) and label not in rule.labels and label != "alertname":
                    message = f"{name}: the expression leaves no label {label}, so this is empty"
                    yield rule.problem("lost-label", message, at=at)


def _alert(rule: Rule, kept: Kept | None) -> Iterator[Problem]:
    if "severity" not in rule.labels and (kept is None or not kept.may_have("severity") or kept.only is None):
        yield rule.problem("no-severity", "no label severity: no route can tell how urgent it is", at=rule.at)
    if not (_RUNBOOK & rule.annotations.keys() or _RUNBOOK & rule.labels.keys() or _is_watchdog(rule.expr)):
        yield rule.problem(
            "no-runbook", "no annotation runbook or runbook_url: whoever is woken starts to search", at=rule.at
        )
    if not _SUMMARY & rule.annotations.keys():
        yield rule.problem(
            "no-summary", "no annotation summary or description: a name is all that people read", at=rule.at
        )
    for name, text in rule.labels.items():
        at = rule.labels_at.get(name, rule.at)
        if uses_value(text):
            message = (
                f"label {name} holds the value: with each new value it is another alert, which starts to wait anew"
            )
            yield rule.problem("value-in-label", message, at=at)
        elif name in _TARGET_LABELS and "{{" not in text and (kept is None or kept.may_have(name)):
            message = f"label {name} hides that of the series: two of them become one alert, which is an error then"
            yield rule.problem("label-collision", message, at=at)


def _twice(rules: Iterable[Rule]) -> Iterator[Problem]:
    """Rules of one name and one set of labels: two alerts that cannot be told apart, two values for one series."""
    seen: dict[tuple[object, ...], Rule] = {}
    for rule in rules:
        key = (rule.alerting, rule.name, tuple(sorted(rule.labels.items())))
        first = seen.setdefault(key, rule)
        if first is not rule and (not rule.alerting or first.expr == rule.expr):
            where = f"{first.file}:{first.at[0]}" if first.file != rule.file else f"line {first.at[0]}"
            same = "the same alert" if rule.alerting else "a value for the same series"
            yield rule.problem("duplicate-rule", f"{same} as in {where}", at=rule.at)
