"""A dashboard that was exported from a screen, as that screen: nothing is guessed, for the file says what Grafana does
not (`monitoring.keeping`). What Grafana has a place for is read from there, so changes made in it arrive."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opsconsole.core.clean import clean
from opsconsole.monitoring.grafana.fidelity import Fate, Fidelity
from opsconsole.monitoring.grafana.units import unit_from_grafana
from opsconsole.monitoring.grafana.untrusted import Json, at, mapping, mappings, number, passage, whole, word
from opsconsole.monitoring.grafana.variables import Variables
from opsconsole.monitoring.grafana.writing import Entry, Written, written
from opsconsole.monitoring.keeping import KEY

_NOT_ASKING = frozenset({"text", "view", "section"})
_DEEPEST = 12
"""Levels of a value that is kept."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The file of a screen, and what became of each panel."""

    text: str
    fates: tuple[Fate, ...]


def is_exported(spec: Json) -> bool:
    """Whether it is a screen's dashboard, and every panel in it one of its panes: none was added in Grafana."""
    panels = list(_panels(spec))
    return at(spec, KEY, "screen") == 1 and bool(panels) and all(at(one, KEY, "id") for one in panels)


def restored(spec: Json, name: str) -> Restored:
    """The screen, with `name` as its id. What is kept is as untrusted as the rest: reading the file checks it."""
    kept = mapping(_cleaned(spec.get(KEY)))
    head = {"screen": 1, "id": name, "title": word(spec.get("title"), limit=100)}
    head |= {key: kept[key] for key in ("order", "refresh", "range", "columns") if key in kept}
    variables = Variables(dict(mapping(kept.get("variables"))))
    entries = [_entry(panel) for panel in _panels(spec)]
    text = written(Written(head, variables, entries, "", ()))
    return Restored(text, tuple(entry.fate for entry in entries if entry.fate is not None))


def _panels(spec: Json) -> Iterator[Json]:
    """In the order of the panes; those of a folded row after it."""
    for panel in mappings(spec.get("panels")):
        yield panel
        yield from mappings(panel.get("panels"))


def _entry(panel: Json) -> Entry:
    kept = dict(mapping(_cleaned(panel.get(KEY))))
    kind = word(kept.get("kind"))
    pane: dict[str, Any] = {"id": kept.pop("id"), "title": word(panel.get("title")), "kind": kind}
    if kind not in _NOT_ASKING:
        pane |= _queries(panel, kept) | _field(panel)
    fate = Fate(
        whole(panel.get("id")), pane["title"], word(panel.get("type"), limit=60), "", Fidelity.FULL, pane["id"], kind,
        asks="query" in pane or "queries" in pane,
    )  # fmt: skip
    return Entry({**pane, **{key: value for key, value in kept.items() if key != "kind"}}, fate=fate)


def _queries(panel: Json, kept: Json) -> dict[str, Any]:
    """From the panel; SQL, which Grafana writes with its own variables, from what is kept."""
    if "query" in kept or "queries" in kept:
        return {}
    asked = []
    for target in mappings(panel.get("targets")):
        legend = word(target.get("legendFormat"))
        query = {"query": passage(target.get("expr")).strip()}
        asked.append({**query, **({"legend": legend} if legend not in ("", "__auto") else {})})
    return dict(asked[0]) if len(asked) == 1 else {"queries": asked}


def _field(panel: Json) -> dict[str, Any]:
    said = mapping(at(panel, "fieldConfig", "defaults"))
    unit = unit_from_grafana(word(said.get("unit"), limit=100))[0]
    found: dict[str, Any] = {} if unit == "short" else {"unit": unit}
    decimals = number(said.get("decimals"))
    found |= {} if decimals is None else {"decimals": int(decimals)}
    return found | {key: value for key in ("min", "max") if (value := number(said.get(key))) is not None}


def _cleaned(value: object, depth: int = 0) -> Any:
    """Every text of a value cleaned; what is nested too deeply is left out."""
    if isinstance(value, str):
        return clean(value)
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {clean(key): _cleaned(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, depth + 1) for item in value]
    return value
