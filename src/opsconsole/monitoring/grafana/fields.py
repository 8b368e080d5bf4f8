"""How a panel's values are shown: Grafana's field configuration and its transformations, in the model's words."""

from typing import Any

from opsconsole.monitoring.grafana.model import Field, Organized, Override, Step
from opsconsole.monitoring.grafana.untrusted import Json, at, items, mapping, mappings, number, word

_WORD_LENGTH = 60
"""Of a word that stands for a number, in our format."""

# fmt: off
_COSMETIC = frozenset((
    "organize", "merge", "joinByField", "joinByLabels", "seriesToColumns", "seriesToRows", "sortBy", "labelsToFields",
    "reduce", "filterFieldsByName", "prepareTimeSeries", "timeSeriesTable", "convertFieldType",
))
# fmt: on
"""Transformations whose effect our tables have anyway, or that change only the order."""

_SAID: dict[str, str] = {
    "renameByRegex": "series keep their own names (renameByRegex)",
    "groupBy": "rows are not grouped (groupBy)",
    "calculateField": "no field is calculated from others (calculateField)",
    "filterByValue": "no row is left out by its value (filterByValue)",
    "limit": "all rows are shown (limit)",
}


def read_field(said: Json) -> Field:
    """What `fieldConfig.defaults` says."""
    return _field({**said, "custom.hidden": at(said, "custom", "hidden")})


def read_overrides(said: object) -> tuple[Override, ...]:
    """What `fieldConfig.overrides` says of units, names, thresholds and the like; colours and lines are no matter."""
    found = []
    for one in mappings(said):
        properties = {str(given.get("id")): given.get("value") for given in mappings(one.get("properties"))}
        matcher = mapping(one.get("matcher"))
        options = matcher.get("options")
        match = word(at(options, "names") and items(at(options, "names"))[0] if isinstance(options, dict) else options)
        override = Override(word(matcher.get("id"), limit=40), match, _field(properties))
        if override.match and override.field != Field():
            found.append(override)
    return tuple(found)


def _field(said: Json) -> Field:
    thresholds = mapping(said.get("thresholds"))
    words, lost = _mappings(said.get("mappings"))
    decimals = number(said.get("decimals"))
    negative = word(said.get("custom.transform")) == "negative-Y"
    return Field(
        unit=word(said.get("unit"), limit=100) if isinstance(said.get("unit"), str) else None,
        decimals=None if decimals is None else int(max(0, min(9, decimals))),
        minimum=number(said.get("min")),
        maximum=number(said.get("max")),
        steps=_steps(mappings(thresholds.get("steps"))),
        percentage=thresholds.get("mode") == "percentage",
        mappings=words,
        display_name=word(said.get("displayName")),
        hidden=said.get("custom.hidden") is True,
        lost=(*lost, *(("below the axis in Grafana, above it here",) if negative else ())),
    )


def _steps(said: list[Json]) -> tuple[Step, ...]:
    """Steps in ascending order, whatever order they were saved in."""
    steps = [Step(number(one.get("value")), word(one.get("color"), limit=60)) for one in said[:20]]
    return tuple(sorted(steps, key=lambda step: (step.value is not None, step.value or 0.0)))


def _mappings(said: object) -> tuple[tuple[tuple[float, str], ...], tuple[str, ...]]:
    """(number and its word, what is lost). A word for "no value" is not lost: here that is always said."""
    found: dict[float, str] = {}
    lost: list[str] = []
    for one in mappings(said):
        match one.get("type"):
            case "value":
                for key, result in mapping(one.get("options")).items():
                    _add(found, lost, key, at(result, "text"))
            case 1:
                _add(found, lost, one.get("value"), one.get("text"))
            case "range" | 2:
                _range(found, lost, one)
            case "regex":
                lost.append("words for texts that match an expression")
            case "special" if at(one, "options", "match") in ("true", "false"):
                _add(
                    found, lost, 1 if at(one, "options", "match") == "true" else 0, at(one, "options", "result", "text")
                )
    return tuple(found.items()), tuple(dict.fromkeys(lost))


def _add(found: dict[float, str], lost: list[str], key: object, text: object) -> None:
    value, shown = number(key), word(text, limit=_WORD_LENGTH)[:_WORD_LENGTH]
    if value is not None and shown:
        found[value] = shown
    elif shown and key not in (None, "", "null", "NaN"):
        lost.append(f"the word {shown!r} for {word(key, limit=40)!r}")


def _range(found: dict[float, str], lost: list[str], one: Json) -> None:
    options = mapping(one.get("options")) or one
    low, high = number(options.get("from")), number(options.get("to"))
    text = word(at(options, "result", "text") or options.get("text"), limit=_WORD_LENGTH)[:_WORD_LENGTH]
    if low is None and high is None:
        return
    if low == high and low is not None and text:
        found[low] = text
    elif text:
        ends = f"{'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}".strip()
        lost.append(f"the word {text!r} for numbers {ends}")


def read_organized(transformations: list[Json]) -> Organized:
    """What a panel's transformations say of columns, and what they do that is lost."""
    order: dict[str, int] = {}
    hidden: set[str] = set()
    names: dict[str, str] = {}
    lost: list[str] = []
    for one in transformations:
        kind, options = word(one.get("id"), limit=40), mapping(one.get("options"))
        if one.get("disabled") is True:
            continue
        if kind == "organize":
            _organize(options, order, hidden, names)
        elif kind == "filterFieldsByName":
            shown = [word(name) for name in items(at(options, "include", "names"))]
            order |= {name: len(order) + place for place, name in enumerate(shown) if name not in order}
        elif kind not in _COSMETIC:
            lost.append(_SAID.get(kind, f"the transformation {kind!r}"))
    ordered = tuple(sorted(order, key=lambda name: order[name]))
    return Organized(ordered, frozenset(hidden), tuple(names.items()), tuple(dict.fromkeys(lost)))


def _organize(options: Json, order: dict[str, int], hidden: set[str], names: dict[str, str]) -> None:
    for name, place in mapping(options.get("indexByName")).items():
        order[word(name)] = int(number(place) or 0)
    hidden |= {word(name) for name, excluded in mapping(options.get("excludeByName")).items() if excluded is True}
    named: dict[str, Any] = dict(mapping(options.get("renameByName")))
    for name, title in named.items():
        if word(title):
            names[word(name)] = word(title, limit=100)
            order.setdefault(word(name), len(order))
