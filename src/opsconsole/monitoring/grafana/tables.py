"""Columns of a Grafana table as columns of a table pane, which joins its queries by their labels."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from opsconsole.monitoring.grafana.model import Field, Override, Panel, Target
from opsconsole.monitoring.grafana.thresholds import thresholds_of
from opsconsole.monitoring.grafana.units import unit_from_grafana

_NEVER = frozenset({"Time", "__name__", "Value", "Metric"})
_GROUPED = re.compile(r"\bby\s*\(([^)]*)\)")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SLOTS = re.compile(r"\{\{[^}]*\}\}")
_MOST = 50


def named_targets(panel: Panel, targets: tuple[Target, ...]) -> dict[str, str]:
    """ref -> the name of its column: what the table calls it, else its legend, else its letter."""
    titles = dict(panel.organized.names)
    found: dict[str, str] = {}
    for target in targets:
        own = f"Value #{target.ref}"
        name = titles.get(own) or (titles.get("Value", "") if len(targets) == 1 else "")
        name = name or next((one.field.display_name for one in _of_target(panel, target.ref)), "")
        name = name or " ".join(_SLOTS.sub("", target.legend).split()).strip(" -:/,")
        name = name.replace("$", "") if name and name != "__auto" else ("value" if len(targets) == 1 else target.ref)
        while name in found.values():
            name = f"{name} {target.ref}"
        found[target.ref] = name[:100]
    return found


def _of_target(panel: Panel, ref: str) -> Iterator[Override]:
    for one in panel.overrides:
        if one.field.display_name and _names_value(one, ref, alone=False):
            yield one


def columns_of(panel: Panel, targets: tuple[Target, ...], unit: str) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """(columns as a screen's file says them, what is lost). Empty where the pane's own columns say as much."""
    if not (panel.overrides or panel.organized.order or panel.organized.hidden or panel.organized.names):
        return [], ()
    names = named_targets(panel, targets)
    labels = _labels(panel, targets)
    if not labels and any(one.field.unit or one.field.steps for one in panel.overrides):
        return [], ("units and thresholds of single columns, for it cannot be told which labels there are",)
    if not labels:
        return [], ()
    lost: list[str] = []
    columns = [_label_column(panel, label) for label in labels]
    for ref, name in names.items():
        if f"Value #{ref}" in panel.organized.hidden or _value_field(panel, ref, name, hidden=True):
            continue
        column, missing = _value_column(panel, ref, name, unit)
        columns.append(column)
        lost += missing
    ordered = sorted(columns, key=lambda column: _position(panel, column, names))
    return ordered[:_MOST], tuple(dict.fromkeys(lost))


def _labels(panel: Panel, targets: tuple[Target, ...]) -> list[str]:
    """The labels that the table shows, as far as its JSON says: those it names, and those its queries group by."""
    organized = panel.organized
    named = [*organized.order, *(name for name, _ in organized.names)]
    hidden = organized.hidden | {one.match for one in panel.overrides if one.field.hidden and one.by == "byName"}
    grouped = [
        label.strip()
        for target in targets
        for group in _GROUPED.findall(target.query)[:1]
        for label in group.split(",")
    ]
    found = dict.fromkeys(
        name
        for name in [*named, *grouped]
        if _LABEL.fullmatch(name) and name not in _NEVER and name not in hidden and not name.startswith("Value")
    )
    titles = {title for _, title in organized.names}
    return [name for name in found if name not in titles or name in grouped]


def _label_column(panel: Panel, label: str) -> dict[str, Any]:
    title = dict(panel.organized.names).get(label, "")
    for one in panel.overrides:
        if one.by == "byName" and one.match in (label, title) and one.field.display_name:
            title = one.field.display_name
    return {"name": label, **({"title": title} if title and title != label else {})}


def _value_column(panel: Panel, ref: str, name: str, unit: str) -> tuple[dict[str, Any], list[str]]:
    column: dict[str, Any] = {"name": name}
    lost: list[str] = []
    field = _value_field(panel, ref, name)
    found, missing = unit_from_grafana(field.unit) if field and field.unit is not None else (unit, "")
    lost += [missing] if missing else []
    if found not in ("none", ""):
        column["unit"] = found
    decimals = field.decimals if field and field.decimals is not None else panel.field.decimals
    if decimals is not None:
        column["decimals"] = decimals
    steps, missing = thresholds_of(field, found) if field and field.steps else ([], "")
    if steps:
        column["thresholds"] = steps
    lost += [missing] if missing else []
    words = (field.mappings if field else ()) or panel.field.mappings
    if words:
        column["mappings"] = dict(words)
    return column, lost


def _value_field(panel: Panel, ref: str, name: str, *, hidden: bool = False) -> Field | None:
    """What the overrides say of the values of a query, all of them together; with `hidden`, one that hides it."""
    matching = [
        one.field for one in panel.overrides if _names_value(one, ref, name=name, alone=len(panel.targets) == 1)
    ]
    if hidden:
        return next((field for field in matching if field.hidden), None)
    said: dict[str, Any] = {}
    for field in matching:
        given = {key: getattr(field, key) for key in ("unit", "decimals", "steps", "percentage", "mappings", "maximum")}
        said |= {key: value for key, value in given.items() if value not in (None, (), False)}
    return Field(**said) if said else None


def _names_value(one: Override, ref: str, *, name: str = "", alone: bool) -> bool:
    candidates = [f"Value #{ref}", *([name] if name else []), *(["Value"] if alone else [])]
    match one.by:
        case "byName":
            return one.match in candidates
        case "byFrameRefID":
            return one.match == ref
        case "byRegexp":
            return one.match.strip("/") in candidates
        case "byType":
            return one.match == "number"
        case _:
            return False


def _position(panel: Panel, column: Mapping[str, Any], names: Mapping[str, str]) -> int:
    """Where the table has a column; those it does not place come last, in the order they have."""
    order = panel.organized.order
    ref = next((ref for ref, name in names.items() if name == column["name"]), "")
    for name in (column["name"], f"Value #{ref}", *(["Value"] if len(names) == 1 and ref else [])):
        if name in order:
            return order.index(name)
    return len(order)
