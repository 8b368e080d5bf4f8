"""What `errors.yaml` may say. `errors` turns what this lets through into settings."""

import re
from dataclasses import dataclass
from typing import Any

from opsconsole.config.format import VersionNumber
from opsconsole.config.schema import IDENTIFIER, Choice, Field, Flag, ListOf, Number, Place, Record, Text
from opsconsole.config.sla_format import PROMETHEUS

FORMATS = ("auto", "json", "logfmt", "regex")
FIELDS = ("time", "level", "message", "service", "type", "trace")
"""What is taken of a line; each is a name in the line, or in the groups of its pattern."""
STEP = "$step"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression with a group `message`. Read as text."""

    expected: str = "a regular expression with named groups, (?P<message>...) at least"

    def read(self, value: Any, place: Place) -> Any:
        read = Text(expected=self.expected, limit=2000).read(value, place)
        if not isinstance(read, str):
            return read
        try:
            groups = re.compile(read).groupindex
        except re.error as error:
            return place.report("bad-pattern", f"{place.name}: {error}; expected {self.expected}")
        if "message" not in groups:
            return place.report("bad-pattern", f"{place.name}: no group 'message'; expected {self.expected}")
        return read


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec that Python has."""

    expected: str = "an encoding such as utf-8, latin-1 or utf-16"

    def read(self, value: Any, place: Place) -> Any:
        import codecs

        read = Text(expected=self.expected, limit=50).read(value, place)
        try:
            return codecs.lookup(read).name if isinstance(read, str) else read
        except LookupError:
            return place.report("bad-encoding", f"{place.name}: {value!r} is none; expected {self.expected}")


@dataclass(frozen=True, slots=True)
class ZoneName:
    """A time zone."""

    expected: str = "a time zone such as UTC or Europe/Berlin"

    def read(self, value: Any, place: Place) -> Any:
        from zoneinfo import ZoneInfo

        read = Text(expected=self.expected, limit=60).read(value, place)
        try:
            return ZoneInfo(read).key if isinstance(read, str) else read
        except (ValueError, OSError, LookupError):
            return place.report("bad-zone", f"{place.name}: {value!r} is none; expected {self.expected}")


_RUNBOOK = Text(expected="the id of a runbook")
_SERVICE = Text(limit=100)
_LABEL = Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", expected="the name of a label")
WRITTEN: dict[str, Field] = {
    "format": Choice(FORMATS),
    "pattern": Pattern(),
    "fields": Record({name: Text(limit=100) for name in FIELDS}, what="a mapping of what is called otherwise"),
    "levels": ListOf(Text(limit=30, lenient=True), minimum=1, what="a list of levels that are errors"),
    "zone": ZoneName(),
    "time_format": Text(limit=100, expected="a format as strptime has it, such as %d.%m.%Y %H:%M:%S"),
}


def _has_step(result: dict[str, Any], place: Place) -> None:
    if "query" in result and STEP not in result["query"]:
        message = f"query: no [{STEP}] in it; expected a number of errors within it: increase(errors_total[{STEP}])"
        place.child("query").report("missing-step", message)


def _pattern_fits(result: dict[str, Any], place: Place) -> None:
    if result.get("format") == "regex" and "pattern" not in result and not place.problems:
        place.report("missing-key", f"{place.name}: format regex without pattern; expected both")
    if "pattern" in result and result.get("format", "regex") != "regex":
        place.child("pattern").report("exclusive-keys", "pattern: only format regex has one", on_key=True)


METRIC = Record(
    {
        "name": IDENTIFIER,
        "query": Text(limit=10_000),
        "source": PROMETHEUS,
        "service": _LABEL,
        "type": Text(limit=200),
        "message": Text(limit=500),
        "runbook": _RUNBOOK,
    },
    required=("name", "query"),
    what="a mapping with name, query, service, …",
    verify=_has_step,
)
FILE = Record(
    {
        "name": IDENTIFIER,
        "paths": ListOf(Text(limit=1000), minimum=1, single=True, what="a path such as /var/log/app/*.log, or a list"),
        "service": _SERVICE,
        **WRITTEN,
        "encoding": Encoding(),
        "most_bytes": Number(minimum=65_536, maximum=2**31, whole=True),
        "runbook": _RUNBOOK,
    },
    required=("name", "paths"),
    what="a mapping with name, paths, format, …",
    verify=_pattern_fits,
)
LOKI = Record(
    {
        "name": IDENTIFIER,
        "query": Text(limit=10_000, expected='LogQL that brings lines, such as {app=~".+"} |~ "(?i)error"'),
        "service": ListOf(_LABEL, minimum=1, single=True, what="a label, or a list of them"),
        **WRITTEN,
        "runbook": _RUNBOOK,
    },
    required=("name", "query"),
    what="a mapping with name, query, …",
    verify=_pattern_fits,
)
_POSTGRES = Record(
    {
        "databases": ListOf(IDENTIFIER, what="a list of names under postgres"),
        "log": Flag(),
        "rollbacks": Flag(),
        "enabled": Flag(),
        "runbook": _RUNBOOK,
    },
    what="a mapping with databases, log, …",
)
_AIRFLOW = Record({"enabled": Flag(), "runbook": _RUNBOOK}, what="a mapping with enabled and runbook")


def _names_differ(result: dict[str, Any], place: Place) -> None:
    for key in ("metrics", "files", "loki"):
        seen: set[str] = set()
        for position, one in enumerate(result.get(key, ())):
            name = one.get("name", "")
            if name in seen:
                where = place.child(key).child(position).child("name")
                where.report("duplicate-name", f"name: {name!r} a second time")
            seen.add(name)


ERRORS = Record(
    {
        "version": VersionNumber(),
        "metrics": ListOf(METRIC, maximum=50),
        "files": ListOf(FILE, maximum=100),
        "loki": ListOf(LOKI, maximum=50),
        "postgres": _POSTGRES,
        "airflow": _AIRFLOW,
    },
    required=("version",),
    what="a mapping with version, metrics, files, loki, postgres and airflow",
    verify=_names_differ,
)
