"""Variables of a dashboard as variables of a screen."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from opsconsole.monitoring.grafana.model import PROMETHEUS, DashboardVariable
from opsconsole.monitoring.grafana.promql import Known, UntranslatableError, normal_references, translated, used_bare
from opsconsole.screens.interpolation import references
from opsconsole.screens.variables import EVERYTHING, label_values

ALL = "$__all"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z0-9_:.]+")
_CALL = re.compile(r"\s*(\w+)\(\s*(.*?)\s*\)\s*", re.DOTALL)
_MOST_VALUES = 1000
_LONGEST_QUERY = 4000
# What RE2, which Prometheus matches with, does not know.
_NOT_RE2 = re.compile(r"\(\?[=!<]|\\[1-9]")


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a screen, and what of the dashboard's is lost."""

    said: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """name -> what the screen's file says of it."""
    known: Known = field(default_factory=Known)
    lost: tuple[tuple[str, str], ...] = ()
    """(name, what is lost)."""
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """name -> what is different, for a comment beside it."""


def converted(variables: Sequence[DashboardVariable], queries: Iterable[str]) -> Variables:
    """The variables for a screen whose panels ask `queries` (as the dashboard writes them)."""
    queries = tuple(queries)
    bare = used_bare(queries)
    needed = _named_in((*queries, *(one.query for one in variables if one.source == PROMETHEUS)))
    said: dict[str, Mapping[str, Any]] = {}
    fixed: dict[str, str] = {}
    lost: list[tuple[str, str]] = []
    notes: dict[str, str] = {}
    several: set[str] = set()
    for one in variables:
        if not _NAME.fullmatch(one.name) or one.name in said or one.name in fixed:
            continue
        if one.type == "datasource":
            continue  # a screen names its source; the environment says where that is
        if one.type in ("adhoc", "groupby"):
            lost.append((one.name, "filters that are put together while looking; use / to filter what is shown"))
            continue
        constant = _constant(one, one.name in bare)
        if constant is not None:
            fixed[one.name] = constant
            if one.type != "constant":
                lost.append((one.name, f"always {constant!r}: a screen has no field to type into"))
            continue
        known = Known(frozenset(said), frozenset(several), fixed)
        found, note = _choice(one, known, single=one.name in bare)
        if not found:
            fixed[one.name] = (one.current or (".*",))[0].replace(ALL, one.all_value or ".*")
            lost.append((one.name, f"{note}; it is always {fixed[one.name]!r}"))
            continue
        if note:
            notes[one.name] = note
        said[one.name] = found
        if found.get("multi") or found.get("default") == EVERYTHING:
            several.add(one.name)
    # Of what no query here uses, nothing is missed.
    missed = tuple((name, why) for name, why in lost if name in needed or name not in fixed)
    return Variables(said, Known(frozenset(said), frozenset(several), fixed), missed, notes)


def _named_in(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(one.name for text in texts for one in references(normal_references(text)))


def _constant(one: DashboardVariable, bare: bool) -> str | None:
    """The text of a variable that cannot be chosen here; None for one that can."""
    current = next((value for value in one.current if value != ALL), "")
    if one.type == "constant":
        return current or one.query
    if one.type == "textbox":
        return current or one.query
    if one.type == "custom" and bare and not all(_PLAIN.fullmatch(value) for value in one.values):
        return current or (one.values[0] if one.values else "")
    return None


def _choice(one: DashboardVariable, known: Known, *, single: bool) -> tuple[dict[str, Any], str]:
    """(what the file says, what is different); nothing where there is nothing to choose from."""
    found: dict[str, Any] = {"title": one.label} if one.label and one.label != one.name else {}
    note = ""
    if one.type == "query":
        query, note = _query(one, known)
        if query:
            found["query"] = query
        elif values := tuple(value for value in (*one.values, *one.current) if value != ALL):
            found["values"] = list(dict.fromkeys(values))[:_MOST_VALUES]
            note += "; the values are those it was saved with"
        else:
            return {}, note
    else:
        values = tuple(value for value in one.values if value and not value.startswith("$__"))
        if not values:
            return {}, "no values to choose from"
        found["values"] = list(values[:_MOST_VALUES])
    several = (one.multi or one.everything) and not single
    if several:
        if one.multi:
            found["multi"] = True
        found["default"] = _default(one, found) if not one.everything else EVERYTHING
        if one.everything and one.all_value and one.all_value != ".*":
            found["all"] = one.all_value
    else:
        found["default"] = _default(one, found)
        if one.multi or one.everything:
            note = "; ".join(filter(None, (note, "one value at a time, for queries use it outside of quotes")))
    return found, note


def _default(one: DashboardVariable, found: Mapping[str, Any]) -> str:
    """What is chosen at first: what was, where that is still there; nothing means the first choice.

    What somebody had chosen of a query's answers is of their platform, not of this one.
    """
    current = next(iter(one.current), "")
    return current if current in found.get("values", ()) else ""


def _query(one: DashboardVariable, known: Known) -> tuple[str, str]:
    """(the query of our variable, what is different)."""
    if one.source != PROMETHEUS:
        return "", f"its values come from {one.source}"
    if len(one.query) > _LONGEST_QUERY:
        return "", f"its query is longer than {_LONGEST_QUERY} characters"
    text = one.query.strip().replace(",)", ")")
    try:
        text = translated(text, known)
    except UntranslatableError as error:
        return "", f"its query {error}"
    if wanted := label_values(text):
        return _filtered(text, wanted.metric, wanted.label, one.regex)
    call = _CALL.fullmatch(text)
    name = call[1] if call else ""
    if name in ("label_values", "label_names", "metrics") or not text:
        return "", f"its query {one.query[:80]!r} cannot be asked here"
    inner = call[2] if call and name == "query_result" else text
    return _of_result(inner, one.regex)


def _filtered(text: str, metric: str, label: str, regex: str) -> tuple[str, str]:
    """`label_values(…)`, with the dashboard's expression for it worked out by Prometheus."""
    expression, groups = _expression(regex)
    if not expression or expression in (".*", "(.*)", ".*?.*.*"):
        return text, ""
    if _NOT_RE2.search(expression):
        return text, f"not filtered by the expression {regex!r}, which Prometheus does not know"
    selector = metric or f'{{{label}!=""}}'
    written = '"' + expression.replace("\\", "\\\\").replace('"', '\\"') + '"'
    matched = _with_matcher(selector, f"{label}=~{written}")
    if matched is None:
        return text, f"not filtered by the expression {regex!r}"
    if not groups:
        return f"label_values({matched}, {label})", ""
    replaced = f'label_replace({matched}, "{label}", "$1", "{label}", {written})'
    return f"group by ({label}) ({replaced})", ""


def _expression(regex: str) -> tuple[str, int]:
    """(a filter of Grafana as an expression for a whole value, how many groups it has)."""
    text = regex.strip()
    match = re.fullmatch(r"/(.*)/[a-z]*", text, re.DOTALL)
    if match:
        text = match[1]
        # Not greedy, so that what is found is the first there is, as Grafana finds it.
        text = text[1:] if text.startswith("^") else f".*?{text}"
        text = text[:-1] if text.endswith("$") and not text.endswith("\\$") else f"{text}.*"
    text = text.replace("(?<value>", "(").replace("(?<text>", "(?:")
    try:
        return text, re.compile(text).groups
    except (re.error, RecursionError, OverflowError):
        return "", 0


def _with_matcher(selector: str, matcher: str) -> str | None:
    """A selector with one matcher more; None for what is no simple selector."""
    text = selector.strip()
    if re.fullmatch(r"[A-Za-z_:][\w:]*", text):
        return f"{text}{{{matcher}}}"
    if text.endswith("}") and text.count("{") - text.count("${") == 1:
        inner = text[:-1].rstrip().rstrip(",")
        return f"{inner}{'' if inner.endswith('{') else ', '}{matcher}}}"
    return None


def _of_result(query: str, regex: str) -> tuple[str, str]:
    """A query whose answer's label is taken out of Grafana's text of it by an expression: `/job="([^"]+)"/`."""
    match = re.search(r'(\w+)="\(', regex.replace('\\"', '"'))
    if match and re.fullmatch(r"[A-Za-z_]\w*", match[1]):
        return f"group by ({match[1]}) ({query})", ""
    return "", f"its values are taken from {query[:60]!r} by {regex[:60]!r}"
