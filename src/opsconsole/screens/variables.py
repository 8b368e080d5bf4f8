"""The choices at the top of a screen: what can be chosen, and what is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsconsole.core.reading import Query
from opsconsole.core.values import Matrix, Table, Value, Vector
from opsconsole.screens.definition import Screen, Variable
from opsconsole.screens.interpolation import Selection, array_literal, binds, interpolate, references

MAX_OPTIONS = 1000
EVERYTHING = "all"
"""What a default of all is called in a file, and in SQL."""

_LABEL_VALUES = re.compile(r"\s*label_values\(\s*(?:(?P<metric>.+?)\s*,\s*)?(?P<label>[A-Za-z_]\w*)\s*\)\s*", re.DOTALL)

Selections = Mapping[str, Selection]


@dataclass(frozen=True, slots=True)
class LabelValues:
    """`label_values(metric, label)`, taken apart."""

    label: str
    metric: str = ""
    """A metric or selector; empty: any."""


def label_values(query: str) -> LabelValues | None:
    """`query` as a `label_values(…)`, or None where it is something else."""
    match = _LABEL_VALUES.fullmatch(query)
    return LabelValues(match["label"], match["metric"] or "") if match else None


def used_in(query: str, source: str) -> tuple[str, ...]:
    """The variables that a query uses, each once. In SQL these are its `:'name'` slots."""
    if is_sql(source):
        return binds(query)
    return tuple(dict.fromkeys(reference.name for reference in references(query)))


def is_promql(source: str) -> bool:
    """Whether a source takes PromQL."""
    return source.partition("/")[0] == "prometheus"


def is_sql(source: str) -> bool:
    """Whether a source takes SQL."""
    return source.partition("/")[0] == "postgres"


def sql_binds(query: str, selections: Selections, builtin: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The values for the `:'name'` slots of an SQL text. They never become part of the text.

    One value is bound as it is, several as a PostgreSQL array (`= any(:'name'::text[])`), all as the word `all`.

    Raises:
        ValueError: a slot that no variable fills.
    """
    filled = []
    for name in binds(query):
        if name in builtin:
            filled.append((name, builtin[name]))
        elif name in selections:
            filled.append((name, _bound(selections[name])))
        else:
            raise ValueError(f"unknown variable :'{name}'")
    return tuple(filled)


def _bound(selection: Selection) -> str:
    if selection.everything:
        return EVERYTHING
    return selection.values[0] if len(selection.values) == 1 else array_literal(selection.values)


def default_selection(variable: Variable, options: Sequence[str] = ()) -> Selection:
    """What a variable is set to before anybody chooses.

    A variable that has neither its own default nor `all` takes the first option, once there is one.
    """
    known = tuple(options or variable.values)
    if variable.default == EVERYTHING:
        return Selection(known, everything=True, pattern=variable.everything)
    if variable.default:
        return Selection((variable.default,))
    return Selection(known[:1]) if known else Selection()


def default_selections(screen: Screen) -> dict[str, Selection]:
    """`default_selection` for every variable of a screen."""
    return {variable.name: default_selection(variable) for variable in screen.variables}


def options_query(variable: Variable, selections: Selections) -> Query | None:
    """The query whose answer holds the options of a variable; None where they are fixed.

    `label_values(label)` without a metric looks at every series: name a metric where there are many.

    Raises:
        ValueError: it uses an unknown variable.
    """
    if not variable.query:
        return None
    if is_sql(variable.source):
        binds_ = sql_binds(variable.query, selections, {})
        return Query(variable.source, variable.query, binds=binds_, max_rows=MAX_OPTIONS)
    wanted = label_values(variable.query)
    if wanted is None:
        return Query(variable.source, interpolate(variable.query, selections, {}))
    metric = interpolate(wanted.metric, selections, {}) or f'{{{wanted.label}!=""}}'
    return Query(variable.source, f"group by ({wanted.label}) ({metric})")


def options(variable: Variable, answer: Value | None) -> tuple[str, ...]:
    """What can be chosen, in natural order, at most `MAX_OPTIONS`.

    Of a metric answer it is the values of the label, of a table the first column.
    """
    if not variable.query:
        return variable.values
    found: set[str] = set()
    match answer:
        case Vector(samples):
            found = {_option(one.labels, variable) for one in samples}
        case Matrix(series):
            found = {_option(one.labels, variable) for one in series}
        case Table(_, rows):
            found = {str(row[0]) for row in rows if row and row[0] is not None}
        case _:
            pass
    return tuple(sorted(found - {""}, key=natural)[:MAX_OPTIONS])


def _option(labels: Mapping[str, str], variable: Variable) -> str:
    wanted = label_values(variable.query)
    if wanted is not None:
        return labels.get(wanted.label, "")
    # Some other PromQL: the one label that it leaves.
    others = [value for name, value in labels.items() if name != "__name__"]
    return others[0] if len(others) == 1 else ""


def chosen(variable: Variable, values: Sequence[str]) -> Selection:
    """The selection for what a person or a drill-down asks for; `all` and nothing mean everything."""
    wanted = tuple(dict.fromkeys(values))
    if not wanted or wanted == (EVERYTHING,):
        all_ = Selection(everything=True, pattern=variable.everything)
        return all_ if variable.default == EVERYTHING or variable.multi else Selection(wanted)
    return Selection(wanted if variable.multi else wanted[:1])


def natural(text: str) -> tuple[tuple[tuple[int, int | str], ...], str]:
    """A key that sorts `app-2` before `app-10`."""
    parts = (part for part in re.split(r"(\d{1,18})", text) if part)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts), text
