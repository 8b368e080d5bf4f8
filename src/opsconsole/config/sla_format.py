"""What `slas.yaml` may say. `slas` turns what this lets through into promises."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsconsole.config.format import VersionNumber
from opsconsole.config.place import wrong
from opsconsole.config.schema import IDENTIFIER, Choice, Duration, ListOf, Number, Place, Record, Text

KINDS = ("availability", "latency", "freshness", "pipeline")
WINDOWS = ("7d", "28d", "30d", "week", "month")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_COUNTS = ("good", "bad", "total")
_RATE = re.compile(r"\bi?rate\s*\(")


@dataclass(frozen=True, slots=True)
class Share:
    """A share written as per cent, between 0 % and 100 %, both excluded. Read as a number between 0 and 1."""

    expected: str = "a share such as 99.5%"

    def read(self, value: Any, place: Place) -> Any:
        found = re.fullmatch(r"(\d{1,2}(?:\.\d{1,6})?|100(?:\.0*)?)\s*%", value) if isinstance(value, str) else None
        if found is None:
            return wrong(value, place, self.expected, "bad-share")
        # Not divided by 100: 99.9 / 100 is not the number nearest to 0.999.
        share = float(f"{found[1]}e-2")
        if not 0.0 < share < 1.0:
            return wrong(value, place, "more than 0% and less than 100%, which would leave no budget", "out-of-range")
        return share


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment with its zone. Read as unix seconds."""

    expected: str = "a moment with its zone, such as 2026-11-20T02:00Z or 2026-11-20T02:00+01:00"

    def read(self, value: Any, place: Place) -> Any:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            return wrong(value, place, self.expected, "bad-time")
        return moment.timestamp()


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """`02:30`. Read as seconds after midnight."""

    expected: str = "a time of day such as 02:30"

    def read(self, value: Any, place: Place) -> Any:
        found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
        return (
            wrong(value, place, self.expected, "bad-time")
            if found is None
            else int(found[1]) * 3600 + int(found[2]) * 60
        )


@dataclass(frozen=True, slots=True)
class Weekday:
    """Read as its number; Monday is 0."""

    expected: str = f"a day: {', '.join(DAYS)}"

    def read(self, value: Any, place: Place) -> Any:
        read = Choice(DAYS).read(value, place)
        return DAYS.index(read) if isinstance(read, str) else read


@dataclass(frozen=True, slots=True)
class Zone:
    """The name of a time zone."""

    expected: str = "a time zone such as UTC or Europe/Amsterdam"

    def read(self, value: Any, place: Place) -> Any:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(value)
        except (ValueError, TypeError, OSError, LookupError):
            return wrong(value, place, self.expected, "bad-zone")
        return value


def _indicator_is_whole(result: dict[str, Any], place: Place) -> None:
    """Exactly one way to count, with all that it needs; what is not is emptied."""
    ways = [key for key in ("histogram", "value", "total") if key in result]
    if len(ways) != 1:
        what = "none of them" if not ways else " and ".join(ways) + " together"
        place.report("bad-indicator", f"{place.name}: {what}; expected total with good or bad, histogram, or value")
        result.clear()
        return
    counts = [key for key in ("good", "bad") if key in result]
    if ways == ["total"] and len(counts) != 1:
        place.report("bad-indicator", f"{place.name}: total with {len(counts)} of good and bad; expected one of them")
        result.clear()
    if ways != ["total"] and counts:
        place.child(counts[0]).report("misplaced-key", f"{counts[0]} means nothing beside {ways[0]}", on_key=True)
    if "match" in result and ways != ["histogram"]:
        place.child("match").report(
            "misplaced-key", "match is for a histogram; elsewhere it stands in the PromQL", on_key=True
        )
    for key in _COUNTS:
        if key in result:
            _counts_over_window(result[key], place.child(key))


def _counts_over_window(text: str, place: Place) -> None:
    if "$window" not in text:
        place.report("no-window", f"{place.name}: counts over no $window; expected such as sum(increase(x[$window]))")
    elif _RATE.search(text):
        place.report(
            "rate-for-count", f"{place.name}: a rate is no count; expected increase(…[$window]), which can be summed"
        )


def _binds_are_there(result: dict[str, Any], place: Place) -> None:
    missing = [slot for slot in ("FROM", "TO") if f":'{slot}'" not in result.get("query", "")]
    if missing and "query" in result:
        slots = " and ".join(f":'{slot}'" for slot in missing)
        place.child("query").report("no-window", f"query: {slots} missing; expected the period that is asked about")
    if not all(key in result for key in _SQL.required):
        result.clear()


def _kind_has_what_it_needs(result: dict[str, Any], place: Place) -> None:
    """Report what a kind lacks, and take the kind away: the entry is then left out."""
    kind = result.get("kind")
    if kind is None:
        return
    given = place.document.data["slas"][place.path[1]]
    usable = True

    def lacks(key: str, message: str, *, on_key: bool = False) -> None:
        nonlocal usable
        usable = False
        (place.child(key) if on_key else place).report(
            "misplaced-key" if on_key else "missing-key", message, on_key=on_key
        )

    ways = [key for key in ("dag", "promql", "sql") if key in given]
    if len(ways) != 1:
        expected = "one of promql, sql and dag" if kind == "pipeline" else "promql or sql"
        lacks("", f"{place.name}: {' and '.join(ways) or 'nothing'} to read it from; expected {expected}")
    if kind != "pipeline":
        for key in ("dag", "grace"):
            if key in given:
                lacks(key, f"{key} means nothing for {kind}; it is for pipeline", on_key=True)
        if "objective" not in given:
            lacks("", f"{place.name}: key 'objective' is missing; expected {Share().expected}")
    if kind == "availability" and "target" in given:
        lacks("target", "target means nothing for availability; the share is the objective", on_key=True)
    if kind != "availability" and "target" not in given:
        lacks("", f"{place.name}: key 'target' is missing; expected {_TARGET.expected}")
    if kind != "latency" and "histogram" in (result.get("promql") or ()):
        lacks("promql", f"a histogram of durations says nothing of {kind}; it is for latency", on_key=True)
    # What is there and could not be read was reported where it stands.
    wanted = [key for key in ("objective", "target", "dag", "promql", "sql") if key in given]
    if not usable or not all(result.get(key) for key in wanted):
        del result["kind"]


def _names_differ(result: dict[str, Any], place: Place) -> None:
    seen: set[str] = set()
    for position, one in enumerate(result.get("slas", ())):
        name = one.get("name", "")
        if name in seen:
            place.child("slas").child(position).child("name").report("duplicate-name", f"name: {name!r} a second time")
        seen.add(name)


def _once_or_weekly(result: dict[str, Any], place: Place) -> None:
    """Report a period that is neither, and take its name away: it is then left out."""
    once, weekly = {"from", "to"} & result.keys(), {"days", "at", "for"} & result.keys()
    if (len(once), len(weekly)) not in ((2, 0), (0, 3)):
        place.report("bad-period", f"{place.name}: expected from and to, or days, at and for")
        result.pop("name", None)
    elif once and result["from"] >= result["to"]:
        place.child("to").report("out-of-range", "to: not after from")
        result.pop("name", None)


_PROMQL_TEXT = Text(expected="PromQL", limit=20_000)
PROMETHEUS = Text(
    pattern="prometheus(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?", expected="prometheus, or a further one as prometheus/NAME"
)
_TARGET = Duration(minimum=0.001, example="500ms, 2h or 1d")
_PROMQL = Record(
    {
        **dict.fromkeys(_COUNTS, _PROMQL_TEXT),
        "histogram": Text(pattern="[a-zA-Z_:][a-zA-Z0-9_:]*", expected="the name of a histogram, without _bucket"),
        "match": Text(pattern="[^{}]*", expected='label matchers without braces, such as job="api"'),
        "value": _PROMQL_TEXT,
        "source": PROMETHEUS,
    },
    what="a mapping with total and good or bad, with histogram, or with value",
    verify=_indicator_is_whole,
)
_SQL = Record(
    {
        "source": Text(pattern="postgres/[A-Za-z0-9_][A-Za-z0-9_.-]*", expected="a database, as postgres/NAME"),
        "query": Text(expected="SQL with :'FROM' and :'TO'", limit=20_000),
    },
    required=("source", "query"),
    what="a mapping with source and query",
    verify=_binds_are_there,
)
SLA = Record(
    {
        "name": IDENTIFIER,
        "kind": Choice(KINDS),
        "objective": Share(),
        "target": _TARGET,
        "window": Choice(WINDOWS),
        "promql": _PROMQL,
        "sql": _SQL,
        "dag": Text(expected="a DAG id, in which * stands for anything"),
        "grace": Duration(minimum=0, example="5m"),
        "min_events": Number(minimum=1),
        "title": Text(limit=200),
        "owner": Text(),
        "runbook": Text(expected="the id of a runbook"),
    },
    required=("name", "kind"),
    what="a mapping with name, kind, objective, target, window, …",
    verify=_kind_has_what_it_needs,
)
_MAINTENANCE = Record(
    {
        "name": IDENTIFIER,
        "why": Text(limit=500),
        "from": Moment(),
        "to": Moment(),
        "days": ListOf(Weekday(), minimum=1, what="a list of days such as [sat, sun]"),
        "at": TimeOfDay(),
        "for": Duration(minimum=60, maximum=86400, example="2h"),
        "timezone": Zone(),
        "slas": ListOf(Text(), minimum=1, what="a list of names of SLAs, in which * stands for anything"),
    },
    required=("name",),
    what="a mapping with name, and from and to, or days, at and for",
    verify=_once_or_weekly,
)
SLAS = Record(
    {
        "version": VersionNumber(),
        "timezone": Zone(),
        "metrics_every": Duration(minimum=30, maximum=3600, example="5m"),
        "maintenance": ListOf(_MAINTENANCE),
        "slas": ListOf(SLA),
    },
    required=("version", "slas"),
    what="a mapping with version, slas, maintenance, timezone and metrics_every",
    verify=_names_differ,
)
