"""One panel as one pane: its kind, queries, legends, unit, thresholds and words."""

import re
from collections.abc import Mapping
from typing import Any

from opsconsole.core.clean import clean
from opsconsole.monitoring.grafana import tables
from opsconsole.monitoring.grafana.fidelity import Losses
from opsconsole.monitoring.grafana.kinds import KINDS, REFUSED
from opsconsole.monitoring.grafana.markup import plain_text
from opsconsole.monitoring.grafana.model import PROMETHEUS, Field, Override, Panel, Target
from opsconsole.monitoring.grafana.promql import Known, UntranslatableError, normal_references, translated
from opsconsole.monitoring.grafana.thresholds import thresholds_of
from opsconsole.monitoring.grafana.units import unit_from_grafana
from opsconsole.screens.definition import Kind

_REDUCES = {
    "": "last", "last": "last", "lastNotNull": "last", "mean": "mean", "max": "max", "min": "min", "sum": "sum",
    "avg": "mean", "total": "sum",
}  # fmt: skip
_DISPLAY_LABEL = re.compile(r"\$\{__field\.labels(?:\.(\w+)|\[[\"'](\w+)[\"']\])\}")
_SLOT = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST_TARGETS = 20
_LONGEST_QUERY = 20_000
_ASKED_FOR_HISTORY = frozenset({Kind.TIMESERIES, Kind.TIMELINE, Kind.HEATMAP})


class NotTakenError(ValueError):
    """A panel that becomes no pane; the message says why."""


def pane_of(panel: Panel, known: Known, window: str, losses: Losses) -> dict[str, Any]:
    """The pane for `panel`, as a screen's file says it, without id and place.

    Args:
        known: the screen's variables.
        window: the screen's range, for a number with its course.
        losses: what is different is added to it.

    Raises:
        NotTakenError: nothing of it can be shown.
    """
    taken = KINDS.get(panel.type)
    if panel.library:
        raise NotTakenError(
            f"the library panel {panel.library!r} is not in this file; import it from its Grafana by URL"
        )
    if taken is None:
        raise NotTakenError(REFUSED.get(panel.type) or f"no kind of pane shows what {panel.type or 'it'} shows")
    pane: dict[str, Any] = {"title": _title(panel)} if panel.title else {}
    pane["kind"] = taken.kind.value
    losses.close += [taken.lost] if taken.lost else []
    losses.close += panel.lost
    if taken.kind is Kind.TEXT:
        return {**pane, **_text(panel, losses)}
    targets = _shown_targets(panel, losses)
    pane |= _queries(panel, taken.kind, targets, known, losses)
    pane |= _values(panel, taken.kind, losses)
    if taken.kind is Kind.TABLE:
        columns, missing = tables.columns_of(panel, targets, pane.get("unit", "short"))
        losses.partial += missing
        pane |= {"columns": columns} if columns else {}
    if panel.over_time or _needs_history(panel, taken.kind, targets, pane):
        pane["range"] = window
    losses.partial += panel.organized.lost
    if panel.window:
        losses.close.append(f"its own time range, {panel.window}; the screen's is shown")
    return pane


def _title(panel: Panel) -> str:
    return normal_references(panel.title)[:200]


def _text(panel: Panel, losses: Losses) -> dict[str, Any]:
    text, changed = plain_text(panel.text)
    if not text.strip():
        raise NotTakenError("it holds no text, only markup or pictures")
    losses.close += ["written without its markup"] if changed else []
    return {"text": text}


def _shown_targets(panel: Panel, losses: Losses) -> tuple[Target, ...]:
    """The targets that a pane can ask.

    Raises:
        NotTakenError: there are none.
    """
    shown = [one for one in panel.targets if one.source == PROMETHEUS and one.query.strip() and not one.hidden]
    if not shown:
        raise NotTakenError(_nothing_to_ask(panel))
    others = sorted({one.source for one in panel.targets if one.source != PROMETHEUS and not one.hidden})
    losses.partial += [f"its queries of {source}" for source in others]
    if len(shown) > _MOST_TARGETS:
        losses.partial.append(f"{len(shown) - _MOST_TARGETS} of {len(shown)} queries, for a pane has {_MOST_TARGETS}")
    return tuple(shown[:_MOST_TARGETS])


def _nothing_to_ask(panel: Panel) -> str:
    sources = sorted({one.source for one in panel.targets if one.source != PROMETHEUS})
    if sources == ["-- Dashboard --"]:
        return "it shows what another panel asked"
    if sources:
        return f"it asks {', '.join(sources)}, and not Prometheus"
    return "all its queries are hidden" if any(one.query for one in panel.targets) else "it has no query"


def _queries(panel: Panel, kind: Kind, targets: tuple[Target, ...], known: Known, losses: Losses) -> dict[str, Any]:
    """`query` and `legend`, or `queries`."""
    asked: list[dict[str, Any]] = []
    columns = tables.named_targets(panel, targets) if kind is Kind.TABLE else {}
    why = ""
    for target in targets:
        try:
            query = _query(target, known)
        except UntranslatableError as error:
            why = f"query {target.ref} {error}"
            losses.partial.append(why)
            continue
        legend = columns.get(target.ref, "") if kind is Kind.TABLE else _legend(panel, target, losses)
        asked.append({"query": query, **({"legend": legend} if legend else {})})
    if not asked:
        raise NotTakenError(why)
    if len(asked) == 1:
        return asked[0]
    return {"queries": asked}


def _query(target: Target, known: Known) -> str:
    query = translated(target.query, known)
    if len(query) > _LONGEST_QUERY:
        raise UntranslatableError(f"is longer than {_LONGEST_QUERY} characters")
    # Trailing blanks mean nothing in PromQL, and forbid YAML's readable form of several lines.
    lines = [line.rstrip() for line in clean(query, limit=_LONGEST_QUERY).split("\n")]
    return "\n".join(line for line in lines if line)


def _legend(panel: Panel, target: Target, losses: Losses) -> str:
    legend = panel.field.display_name or target.legend
    for one in panel.overrides:
        if one.field.display_name and (
            (one.by == "byFrameRefID" and one.match == target.ref)
            or (one.by == "byName" and one.match == target.legend)
        ):
            legend = one.field.display_name
    legend = _DISPLAY_LABEL.sub(lambda match: f"{{{{{match[1] or match[2]}}}}}", legend)
    legend = re.sub(r"\$\{__(?:series\.name|field\.displayName|field\.name)\}", target.legend, legend)
    if legend == "__auto":
        return ""
    if "${__" in legend or "$__" in legend:
        losses.close.append(f"the legend {legend[:60]!r}")
        return target.legend if "$__" not in target.legend and target.legend != "__auto" else ""
    # A label with other characters has no slot in our legends.
    legend = _SLOT.sub(lambda match: f"{{{{{match[1]}}}}}" if _LABEL.fullmatch(match[1]) else "", legend)
    return normal_references(legend).strip()[:200]


def _values(panel: Panel, kind: Kind, losses: Losses) -> dict[str, Any]:
    """Unit, decimals, axis, thresholds, words and reduction."""
    found: dict[str, Any] = {}
    field = _common_field(panel, losses) if kind is not Kind.TABLE else panel.field
    unit, missing = unit_from_grafana(field.unit or "")
    losses.close += [missing] if missing else []
    losses.close += field.lost
    if field.unit is not None and unit != "short":
        found["unit"] = unit
    if field.decimals is not None:
        found["decimals"] = field.decimals
    # An axis from nothing to nothing, or upside down, is a leftover.
    if field.minimum is not None and field.maximum is not None and field.minimum >= field.maximum:
        field = _without_ends(field)
    found |= {"min": field.minimum} if field.minimum is not None else {}
    found |= {"max": field.maximum} if field.maximum is not None else {}
    if field.mappings:
        found["mappings"] = dict(field.mappings)
    if panel.coloured and field.steps:
        steps, missing = thresholds_of(field, unit)
        losses.close += [missing] if missing else []
        if steps:
            # Grafana's thresholds colour; what is worth waking somebody is said by alerts.
            found |= {"thresholds": steps, "check": False}
    return {**found, **_reduce(panel, losses)}


def _without_ends(field: Field) -> Field:
    return Field(field.unit, field.decimals, None, None, field.steps, field.percentage, field.mappings, lost=field.lost)


def _reduce(panel: Panel, losses: Losses) -> dict[str, Any]:
    how = _REDUCES.get(panel.calc)
    if how is None:
        losses.partial.append(f"its last value instead of {panel.calc}")
        return {}
    return {} if how == "last" else {"reduce": how}


def _common_field(panel: Panel, losses: Losses) -> Field:
    """How the values of a pane are shown: what is said of all, and what overrides say of every series of it.

    A pane has one unit. Where overrides give single series another one, that is said.
    """
    whole = [one for one in panel.overrides if _names_all(one, panel)]
    said: dict[str, Any] = {}
    for one in whole:
        for key in ("unit", "decimals", "minimum", "maximum", "steps", "mappings"):
            if (value := getattr(one.field, key)) not in (None, ()):
                said[key] = value
    unit = _ours(said.get("unit", panel.field.unit))
    for one in panel.overrides:
        if one not in whole and one.field.unit is not None and _ours(one.field.unit) != unit:
            losses.partial.append(f"the unit {one.field.unit!r} of {one.match[:60]!r}")
        losses.close += [lost for lost in one.field.lost if one not in whole]
    return _merged(panel.field, said)


def _ours(unit: str | None) -> str:
    return unit_from_grafana(unit or "")[0]


def _names_all(one: Override, panel: Panel) -> bool:
    shown = [target for target in panel.targets if not target.hidden]
    if one.by == "byType":
        return one.match == "number"
    if one.by == "byRegexp":
        return one.match.strip("/") in (".*", ".+", "^.*$")
    if len(shown) != 1:
        return False
    return (one.by == "byFrameRefID" and one.match == shown[0].ref) or (
        one.by == "byName" and one.match in (shown[0].legend, "Value")
    )


def _merged(field: Field, said: Mapping[str, Any]) -> Field:
    given = {key: getattr(field, key) for key in ("unit", "decimals", "minimum", "maximum", "steps", "mappings")}
    return Field(**{**given, **said, "percentage": field.percentage, "lost": field.lost})


def _needs_history(panel: Panel, kind: Kind, targets: tuple[Target, ...], pane: Mapping[str, Any]) -> bool:
    """Whether a kind that shows a number is made of many: a mean, or a maximum."""
    if kind in _ASKED_FOR_HISTORY or all(target.instant for target in targets):
        return False
    return "reduce" in pane
