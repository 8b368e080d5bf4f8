"""Screen files as `Screen`s. A pane with an error becomes an ERROR pane that says why; the rest of its screen works."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.config.document import Document, load_document
from opsconsole.config.schema import INVALID, Place, check
from opsconsole.core.problem import ContentError, Problem
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.screens.airflow_names import named
from opsconsole.screens.definition import (
    Column,
    Drill,
    Kind,
    Pane,
    Reduce,
    RunbookLink,
    Screen,
    Target,
    Variable,
)
from opsconsole.screens.format import PANE, SCREEN
from opsconsole.screens.linting import lint_pane, lint_variables

PATTERNS = ("*.yaml", "*.yml")


def load_screen(path: str | Path, metrics: AirflowMetrics | None = None) -> tuple[Screen | None, list[Problem]]:
    """The screen in a file, and everything that is wrong with it.

    None only where nothing of it can be shown: no YAML, no panes, or a version newer than this console. `metrics` is
    what an Airflow's metrics are called, for `$__airflow_…`; None: found out.
    """
    try:
        document = load_document(path)
    except ContentError as error:
        return None, list(error.problems)
    return read_screen(document, metrics)


def read_screen(document: Document, metrics: AirflowMetrics | None = None) -> tuple[Screen | None, list[Problem]]:
    """As `load_screen`, for a document that is already read."""
    document = named(document, metrics)
    found, problems = check(document, SCREEN)
    if found is INVALID or "screen" not in found or "panes" not in found:
        return None, problems
    variables = tuple(_variable(name, said) for name, said in found.get("variables", {}).items())
    problems += lint_variables(document, variables)
    screen = Screen(
        id=found.get("id") or Path(document.file).stem,
        title=found.get("title") or found.get("id") or Path(document.file).stem,
        panes=(),
        columns=found.get("columns", 4),
        refresh=found.get("refresh", 5.0),
        window=found.get("range", 3600.0),
        variables=variables,
        order=found.get("order", 100),
        file=document.file,
    )
    names = set(_mapping(document.data.get("variables")))
    panes: list[Pane] = []
    for index, said in enumerate(document.data["panes"]):
        pane, wrong = _pane(document, index, said, screen, names, {pane.id for pane in panes})
        panes.append(pane)
        problems += wrong
    return replace(screen, panes=tuple(panes)), sorted(set(problems))


def load_screens(folder: str | Path, metrics: AirflowMetrics | None = None) -> tuple[list[Screen], list[Problem]]:
    """All screens of a folder, in the order of their tabs, and all problems. `metrics` as for `load_screen`."""
    folder = Path(folder)
    if not folder.is_dir():
        message = "no such folder; expected one with screens (*.yaml)"
        return [], [Problem(str(folder), 0, 0, "error", "unreadable", message)]
    screens: dict[str, Screen] = {}
    problems: list[Problem] = []
    for path in sorted(path for pattern in PATTERNS for path in folder.glob(pattern)):
        screen, found = load_screen(path, metrics)
        problems += found
        if screen is None:
            continue
        if screen.id in screens:
            message = f"screen {screen.id!r} is already in {Path(screens[screen.id].file).name}; expected another id"
            problems.append(Problem(str(path), 1, 1, "error", "duplicate-id", message))
            continue
        screens[screen.id] = screen
    return sorted(screens.values(), key=lambda screen: (screen.order, screen.title)), sorted(set(problems))


def _pane(
    document: Document, index: int, said: Any, screen: Screen, variables: set[str], taken: set[str]
) -> tuple[Pane, list[Problem]]:
    """One pane, broken where it has an error."""
    problems: list[Problem] = []
    place = Place(document, ("panes", index), problems)
    found = PANE.read(said, place)
    line = document.where(("panes", index))[0]
    if found is INVALID:
        found = {}
    pane = replace(pane_from(found), line=line)
    if not pane.id or pane.id in taken:
        if pane.id:
            place.child("id").report("duplicate-id", f"pane {pane.id!r} is already there; expected another id")
        pane = replace(pane, id=_free_id(pane.id or f"pane-{index + 1}", taken))
    lint_pane(place, pane, screen, variables)
    pane = replace(pane, title=pane.title or pane.id)
    errors = sorted(problem for problem in problems if problem.severity == "error")
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        first = errors[0]
        where = f"{Path(first.file).name}:{first.line}:{first.column}"
        pane = replace(pane, broken=f"{where}: {first.message}{more}")
    return pane, problems


def _free_id(wanted: str, taken: set[str]) -> str:
    number = 2
    name = wanted
    while name in taken:
        name = f"{wanted}-{number}"
        number += 1
    return name


def pane_from(found: Mapping[str, Any]) -> Pane:
    """A pane of what `format.PANE` let through; what is missing takes its default."""
    return Pane(
        id=found.get("id", ""),
        title=found.get("title", ""),
        kind=Kind(found.get("kind", Kind.TEXT)),
        source=found.get("source", "prometheus"),
        targets=_targets(found),
        unit=found.get("unit", "short"),
        decimals=found.get("decimals"),
        thresholds=_thresholds(found.get("thresholds", ())),
        mappings=found.get("mappings", ()),
        reduce=Reduce(found.get("reduce", Reduce.LAST)),
        window=found.get("range"),
        refresh=found.get("refresh"),
        span=found.get("span", 1),
        rows=found.get("rows", 0),
        minimum=found.get("min"),
        maximum=found.get("max"),
        columns=tuple(_column(said) for said in found.get("columns", ())),
        text=found.get("text", ""),
        view=found.get("view", ""),
        options=MappingProxyType(dict(_mapping(found.get("options")))),
        folded=found.get("folded", False),
        area=found.get("area", ""),
        no_data=State(found.get("no_data", State.UNKNOWN)),
        check=found.get("check", True),
        optional=found.get("optional", False),
        drill=_drill(found.get("drill")),
        runbook=_runbook(found.get("runbook")),
    )


def _mapping(said: Any) -> Mapping[str, Any]:
    return said if isinstance(said, dict) else {}


def _targets(found: Mapping[str, Any]) -> tuple[Target, ...]:
    legend = found.get("legend", "")
    if "query" in found:
        return (Target(found["query"].strip(), legend),)
    return tuple(
        Target(said["query"].strip(), said.get("legend", legend))
        for said in found.get("queries", ())
        if "query" in said
    )


def _thresholds(said: Sequence[Mapping[str, Any]]) -> tuple[Threshold, ...]:
    return tuple(
        Threshold(State(one["state"]), one.get("above"), one.get("below"), one.get("equals"), one.get("at_least"))
        for one in said
        if "state" in one
    )


def _column(said: Mapping[str, Any]) -> Column:
    return Column(
        name=said.get("name", ""),
        title=said.get("title", ""),
        unit=said.get("unit", "none"),
        thresholds=_thresholds(said.get("thresholds", ())),
        decimals=said.get("decimals"),
        mappings=said.get("mappings", ()),
        width=said.get("width", 0),
    )


def _drill(said: Any) -> Drill | None:
    match said:
        case str():
            return Drill(said)
        case {"screen": str(screen)}:
            return Drill(screen, MappingProxyType(dict(said.get("variables", {}))))
        case _:
            return None


def _runbook(said: Any) -> RunbookLink | None:
    match said:
        case str():
            return RunbookLink(said)
        case {"id": str(name)}:
            return RunbookLink(name, MappingProxyType(dict(said.get("params", {}))))
        case _:
            return None


def _variable(name: str, said: Mapping[str, Any]) -> Variable:
    values = tuple(said.get("values", ()))
    return Variable(
        name=name,
        query=said.get("query", ""),
        source=said.get("source", "prometheus"),
        values=values,
        multi=said.get("multi", False),
        everything=said.get("all", ".*"),
        default=said.get("default", "all" if said.get("multi") or not values else values[0]),
        title=said.get("title", ""),
    )
