"""What a screen file may say, key by key. `loading` turns what this lets through into a `Screen`."""

import math
from typing import Any

from opsconsole.config.format import VersionNumber
from opsconsole.config.schema import (
    IDENTIFIER,
    INVALID,
    Anything,
    Choice,
    Duration,
    Either,
    Field,
    Flag,
    ListOf,
    MapOf,
    Number,
    Place,
    Record,
    Text,
    shown,
)
from opsconsole.core.problem import nearest
from opsconsole.core.units import UNITS, is_unit
from opsconsole.screens.definition import Kind, Reduce

MAX_PANES = 200
MAX_COLUMNS = 12

SOURCES = ("prometheus", "redis", "airflow", "alertmanager", "sla", "alerts", "errors")
_NAMED = ("prometheus", "postgres")
"""Kinds of sources of which there can be several, by name."""
LABEL = Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", expected="a name of letters, digits and '_'")
REFRESH = Duration(minimum=1, maximum=86400)


class UnitName:
    """One of Grafana's unit ids that the console knows, or words of one's own."""

    expected = "a unit such as short, s, ms, bytes, percent, percentunit, reqps, suffix:jobs"

    def read(self, value: Any, place: Place) -> Any:
        if isinstance(value, str) and is_unit(value):
            return value
        hint = nearest(value, UNITS) if isinstance(value, str) else ""
        return place.report("bad-unit", f"{place.name}: {shown(value)}; expected {self.expected}{hint}")


class SourceName:
    """`prometheus`, `prometheus/NAME`, `postgres/NAME`, …"""

    expected = "prometheus, prometheus/NAME, postgres/NAME, redis, airflow, sla, alerts or errors"

    def read(self, value: Any, place: Place) -> Any:
        if isinstance(value, str):
            kind, slash, name = value.partition("/")
            if kind in _NAMED and slash and IDENTIFIER.read(name, Place(place.document, place.path, [])) is not INVALID:
                return value
            if value in SOURCES:
                return value
        hint = nearest(value, SOURCES) if isinstance(value, str) and value != "postgres" else ""
        return place.report("bad-source", f"{place.name}: {shown(value)}; expected {self.expected}{hint}")


class Mappings:
    """Numbers and the words to show for them. Read as a tuple of pairs."""

    expected = "a mapping of numbers to words, such as {0: down, 1: up}"

    def read(self, value: Any, place: Place) -> Any:
        if not isinstance(value, dict):
            return place.report("wrong-type", f"{place.name}: {shown(value)}; expected {self.expected}")
        pairs = []
        for key, word in value.items():
            below = place.child(key)
            text = Text(lenient=True, limit=60).read(word, below)
            number = _number(key)
            if number is None:
                below.report("bad-number", f"{shown(key)} as a number; expected {self.expected}", on_key=True)
            elif text is not INVALID:
                pairs.append((number, text))
        return tuple(pairs)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bounded(result: dict[str, Any], place: Place) -> None:
    if not {"above", "at_least", "below", "equals"} & result.keys():
        place.report("no-bound", f"{place.name}: no bound; expected above, at_least, below or equals with a number")


QUERY = Text(limit=20_000, expected="the text of a query")
THRESHOLD = Record(
    {
        "state": Choice(("OK", "WARN", "CRIT")),
        "above": Number(),
        "at_least": Number(),
        "below": Number(),
        "equals": Number(),
    },
    required=("state",),
    what="a mapping with state, and above, at_least, below or equals",
    exclusive=(("above", "at_least"),),
    verify=_bounded,
)
THRESHOLDS = ListOf(THRESHOLD, maximum=20, what="a list such as [{above: 0.9, state: WARN}]")
_COLUMN = Record(
    {
        "name": Text(limit=100),
        "title": Text(limit=100, lenient=True),
        "unit": UnitName(),
        "decimals": Number(minimum=0, maximum=9, whole=True),
        "thresholds": THRESHOLDS,
        "mappings": Mappings(),
        "width": Number(minimum=0, maximum=500, whole=True),
    },
    required=("name",),
    what="a column with name, title, unit, …",
)
_TARGET = Record({"query": QUERY, "legend": Text(limit=200, lenient=True)}, required=("query",))
_LINKS = MapOf(LABEL, name=LABEL, what="a mapping of names to labels")


def _link(key: str, links: str) -> Field:
    """A name alone, or a mapping with it and what is handed over."""
    return Either(
        scalar=IDENTIFIER, mapping=Record({key: IDENTIFIER, links: _LINKS}, required=(key,), what=f"{key} and {links}")
    )


PANE_KEYS: dict[str, Field] = {
    "id": IDENTIFIER,
    "title": Text(lenient=True, limit=200),
    "kind": Choice(tuple(Kind)),
    "source": SourceName(),
    "query": QUERY,
    "queries": ListOf(_TARGET, minimum=1, maximum=20, what="a list of {query, legend}"),
    "legend": Text(lenient=True, limit=200),
    "unit": UnitName(),
    "decimals": Number(minimum=0, maximum=9, whole=True),
    "thresholds": THRESHOLDS,
    "mappings": Mappings(),
    "reduce": Choice(tuple(Reduce)),
    "range": Duration(minimum=60, maximum=366 * 86400, example="1h"),
    "refresh": REFRESH,
    "span": Number(minimum=1, maximum=MAX_COLUMNS, whole=True),
    "rows": Number(minimum=1, maximum=200, whole=True),
    "min": Number(),
    "max": Number(),
    "columns": ListOf(_COLUMN, minimum=1, maximum=50, what="a list of {name, title, unit, …}"),
    "text": Text(limit=50_000),
    "view": Text(pattern=r"[a-z][a-z0-9_.-]{0,99}", expected="the name of a view such as overview.areas"),
    "options": Anything(),
    "folded": Flag(),
    "area": Text(pattern="[a-z][a-z0-9-]{0,39}", expected="a name of small letters, digits and '-'"),
    "no_data": Choice(("OK", "UNKNOWN", "WARN", "CRIT")),
    "check": Flag(),
    "optional": Flag(),
    "drill": _link("screen", "variables"),
    "runbook": _link("id", "params"),
}

PANE = Record(
    PANE_KEYS,
    required=("id", "kind"),
    what="a pane",
    exclusive=(("query", "queries"),),
)

_VARIABLE = Record(
    {
        "query": QUERY,
        "source": SourceName(),
        "values": ListOf(Text(lenient=True, limit=200), minimum=1, maximum=1000, what="a list of values"),
        "multi": Flag(),
        "default": Text(lenient=True, empty=True, limit=200),
        "all": Text(limit=1000),
        "title": Text(lenient=True, limit=100),
    },
    what="a variable with query or values",
    exclusive=(("query", "values"),),
)

SCREEN_KEYS: dict[str, Field] = {
    "screen": VersionNumber(),
    "id": IDENTIFIER,
    "title": Text(lenient=True, limit=100),
    "refresh": REFRESH,
    "range": Duration(minimum=60, maximum=366 * 86400, example="1h"),
    "variables": MapOf(_VARIABLE, name=LABEL, what="a mapping of names to variables"),
    "columns": Number(minimum=1, maximum=MAX_COLUMNS, whole=True),
    "order": Number(whole=True),
    # Each pane is read by itself, so that what is wrong with one stays with it.
    "panes": ListOf(Anything(), minimum=1, maximum=MAX_PANES, what="a list of panes"),
}

SCREEN = Record(SCREEN_KEYS, required=("screen", "id", "panes"), what="a screen")
