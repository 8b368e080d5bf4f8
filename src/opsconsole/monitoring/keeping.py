"""What a screen says that Grafana has no place for, under the key `opsconsole` of a dashboard and of its panels.

Grafana passes over keys that it does not know; a dashboard that it saves itself may lack them, and is then imported
like any. The import takes them back, so that a screen that was exported and imported is the same. Keys and values are
those of `screens/*.yaml`; what has its default is left out. Title, PromQL with its legends, unit, decimals, minimum and
maximum are not here: they are read from where Grafana has them, so that what somebody changes there arrives.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.monitoring.text import prometheus_duration
from opsconsole.screens.definition import Column, Pane, Reduce, Screen, Variable
from opsconsole.screens.variables import is_promql, is_sql

KEY = "opsconsole"


def kept_of_screen(screen: Screen) -> dict[str, Any]:
    """For the dashboard."""
    return _given(
        screen=1,
        id=screen.id,
        order=screen.order if screen.order != 100 else None,
        columns=screen.columns,
        refresh=prometheus_duration(screen.refresh),
        range=prometheus_duration(screen.window),
        variables={one.name: kept_of_variable(one) for one in screen.variables},
    )


def kept_of_variable(variable: Variable) -> dict[str, Any]:
    """The variable as its screen has it."""
    found = _given(
        query=variable.query,
        source=_unless(variable.source, "prometheus"),
        values=list(variable.values),
        multi=variable.multi or None,
        all=_unless(variable.everything, ".*"),
        title=variable.title,
    )
    # An empty default says something: the first there is.
    return found if variable.default == "all" else {**found, "default": variable.default}


def kept_of_pane(pane: Pane) -> dict[str, Any]:
    """For its panel."""
    return _given(
        id=pane.id,
        kind=str(pane.kind),
        source=_unless(pane.source, "prometheus"),
        thresholds=_thresholds(pane.thresholds),
        mappings=_mappings(pane.mappings),
        reduce=_unless(str(pane.reduce), str(Reduce.LAST)),
        range=None if pane.window is None else prometheus_duration(pane.window),
        refresh=None if pane.refresh is None else prometheus_duration(pane.refresh),
        span=_unless(pane.span, 1),
        rows=pane.rows or None,
        columns=[_column(one) for one in pane.columns],
        text=pane.text,
        view=pane.view,
        options=dict(pane.options),
        folded=pane.folded or None,
        **_not_asked_there(pane),
        area=pane.area,
        no_data=_unless(pane.no_data.name, State.UNKNOWN.name),
        check=False if not pane.check else None,
        optional=pane.optional or None,
        drill=_link("screen", pane.drill.screen, "variables", pane.drill.variables) if pane.drill else None,
        runbook=_link("id", pane.runbook.id, "params", pane.runbook.params) if pane.runbook else None,
    )


def grafana_asks(source: str) -> bool:
    """Whether Grafana has a way to ask it: `sla`, for one, is worked out by the console."""
    return is_promql(source) or is_sql(source)


def _not_asked_there(pane: Pane) -> dict[str, Any]:
    """Queries of a database, for their binds are not Grafana's variables; and all of what Grafana does not ask."""
    if not pane.targets or is_promql(pane.source):
        return {}
    asked = [_given(query=one.query, legend=one.legend) for one in pane.targets]
    queries = asked[0] if len(asked) == 1 else {"queries": asked}
    if grafana_asks(pane.source):
        return queries
    shown = {"unit": _unless(pane.unit, "short"), "decimals": pane.decimals, "min": pane.minimum, "max": pane.maximum}
    return {**queries, **{key: value for key, value in shown.items() if value is not None}}


def _column(column: Column) -> dict[str, Any]:
    return _given(
        name=column.name,
        title=column.title,
        unit=_unless(column.unit, "none"),
        decimals=column.decimals,
        thresholds=_thresholds(column.thresholds),
        mappings=_mappings(column.mappings),
        width=column.width or None,
    )


def _thresholds(thresholds: Iterable[Threshold]) -> list[dict[str, Any]]:
    bounds = [name for name in Threshold.__slots__ if name != "state"]
    return [
        {**{name: value for name in bounds if (value := getattr(one, name)) is not None}, "state": one.state.name}
        for one in thresholds
    ]


def _mappings(mappings: Iterable[tuple[float, str]]) -> dict[str, str]:
    return {f"{number:g}": word for number, word in mappings}


def _link(key: str, to: str, more: str, given: Mapping[str, str]) -> Any:
    return {key: to, more: dict(given)} if given else to


def _unless(value: Any, default: Any) -> Any:
    return None if value == default else value


def _given(**fields: Any) -> dict[str, Any]:
    """Those that say something; None and nothing do not, a number and False do."""
    return {key: value for key, value in fields.items() if value not in (None, "", [], {})}
