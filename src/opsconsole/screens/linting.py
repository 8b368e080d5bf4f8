"""What a screen file says in a form that is right, and still cannot work."""

from collections.abc import Mapping, Sequence

from opsconsole.config.document import Document
from opsconsole.config.schema import Place
from opsconsole.core.problem import Problem, nearest
from opsconsole.screens.airflow_names import AIRFLOW
from opsconsole.screens.definition import Kind, Pane, Screen, Target, Variable
from opsconsole.screens.interpolation import FORMATS, GLOBALS, Selection, references
from opsconsole.screens.queries import pane_queries
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.variables import EVERYTHING, is_promql, is_sql, label_values, used_in
from opsconsole.screens.views import lint_view
from opsconsole.sources.sqltext import SqlTextError, only_statement, slots

_SQL_GLOBALS = frozenset({"__range"})
# A word as a label value could be: what holds for it holds for any.
_SAMPLE = "word"


def lint_variables(document: Document, variables: Sequence[Variable]) -> list[Problem]:
    """Variables that ask nothing, or use others that are not above them."""
    problems: list[Problem] = []
    above: list[str] = []
    for variable in variables:
        place = Place(document, ("variables", variable.name), problems)
        if not variable.query and not variable.values:
            place.report("missing-key", f"{place.name}: expected query or values")
        elif "label_values" in variable.query and label_values(variable.query) is None:
            message = f"{place.name}: {variable.query!r}; expected label_values(METRIC, LABEL) or label_values(LABEL)"
            place.child("query").report("bad-query", message)
        _unknown(place.child("query"), variable.query, variable.source, above)
        above.append(variable.name)
    return problems


def lint_pane(place: Place, pane: Pane, screen: Screen, variables: set[str]) -> None:
    """Report what will not work about a pane whose keys were all right by themselves."""
    said = place.document.data["panes"][place.path[1]]
    given: Mapping[str, object] = said if isinstance(said, dict) else {}
    _needs(place, pane, given)
    if pane.span > screen.columns:
        message = f"span: {pane.span}, but the screen has {screen.columns} columns; expected at most that"
        place.child("span").report("too-wide", message)
    if "columns" in given and pane.kind is not Kind.TABLE:
        message = f"columns: a {pane.kind} pane has none; they are for tables"
        place.child("columns").report("unused-key", message, on_key=True, warning=True)
    if "folded" in given and pane.kind is not Kind.SECTION:
        message = f"folded: a {pane.kind} pane has nothing below it; it is for sections"
        place.child("folded").report("unused-key", message, on_key=True, warning=True)
    if "options" in given and not isinstance(given["options"], dict):
        place.child("options").report("wrong-type", "options: expected a mapping")
    elif pane.kind is Kind.VIEW:
        lint_view(place, pane, given)
    for target, where in zip(pane.targets, _target_places(place, pane, given), strict=False):
        _lint_query(where, pane, target, screen, variables)


def _needs(place: Place, pane: Pane, given: Mapping[str, object]) -> None:
    if "kind" not in given or place.problems:
        return
    needed = {Kind.TEXT: "text", Kind.VIEW: "view", Kind.SECTION: "kind"}.get(pane.kind, "query")
    if needed not in given and not (needed == "query" and "queries" in given):
        place.report("missing-key", f"{place.name}: key {needed!r} is missing; a {pane.kind} pane needs it")


def _target_places(place: Place, pane: Pane, given: Mapping[str, object]) -> list[Place]:
    if "query" in given:
        return [place.child("query")]
    return [place.child("queries").child(index).child("query") for index in range(len(pane.targets))]


def _lint_query(place: Place, pane: Pane, target: Target, screen: Screen, variables: set[str]) -> None:
    if is_sql(pane.source) and not _lint_sql(place, target.query, variables):
        return
    builtin = _SQL_GLOBALS if is_sql(pane.source) else frozenset(GLOBALS)
    if _unknown(place, target.query, pane.source, [*variables, *builtin]):
        return
    if is_promql(pane.source):
        for reference in references(target.query):
            if reference.format and reference.format not in FORMATS:
                known = f"expected {', '.join(FORMATS)}{nearest(reference.format, FORMATS)}"
                place.report("bad-format", f"${{{reference.name}:{reference.format}}}: {known}")
    _try(place, pane, target, screen, variables)


def _lint_sql(place: Place, sql: str, variables: set[str]) -> bool:
    """Whether the text is one statement in which every slot can be filled."""
    try:
        only_statement(sql)
        slots(sql)
    except SqlTextError as error:
        message = f"{place.name}: {error.message} (line {error.line}, column {error.column} of the query)"
        place.report("bad-sql", message)
        return False
    pasted = [reference.name for reference in references(sql) if reference.name in variables]
    for name in pasted:
        place.report("variable-in-sql", f"${name} in SQL; a variable is never part of its text, expected :'{name}'")
    return not pasted


def _unknown(place: Place, query: str, source: str, known: Sequence[str]) -> bool:
    try:
        used = used_in(query, source)
    except ValueError as error:
        place.report("bad-sql", f"{place.name}: {error}")
        return True
    missing = [name for name in used if name not in known]
    for name in missing:
        if name in AIRFLOW:  # it would have been written out
            place.report("bad-format", f"${{{name}:…}}: expected a span such as ${{{name}:15m}}")
            continue
        place.report("unknown-variable", f"unknown variable {name!r}{nearest(name, [*known, *AIRFLOW])}")
    return bool(missing)


def _try(place: Place, pane: Pane, target: Target, screen: Screen, variables: set[str]) -> None:
    """Write the query out for every way in which the variables can be set, to find what would fail later."""
    ways: list[dict[str, Selection]] = [{name: Selection((_SAMPLE,)) for name in variables}]
    for variable in screen.variables:
        if variable.multi:
            ways.append({**ways[0], variable.name: Selection((_SAMPLE, "other"))})
        if variable.multi or variable.default == EVERYTHING:
            ways.append({**ways[0], variable.name: Selection(everything=True, pattern=variable.everything)})
    one = Pane(pane.id, pane.title, pane.kind, pane.source, (target,))
    for way in ways:
        try:
            pane_queries(one, way, TimeRange())
        except ValueError as error:
            place.report("bad-variable-use", f"{place.name}: {error}")
            return
