"""Lines of PostgreSQL's server log to its errors, in each of its three formats."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from opsconsole.errors.model import Occurrence
from opsconsole.errors.moments import parse_moment
from opsconsole.errors.occurring import occurrence

SEVERITIES = ("ERROR", "FATAL", "PANIC")
FORMATS = {".json": "jsonlog", ".csv": "csvlog"}
"""By the end of a file's name; others are of format stderr."""
MOST_LINES = 200
"""Of one record."""
_NO_DATABASE = ("", "[unknown]")
_SERVER = "server"
"""The service of what no database is to blame for."""

# The columns of csvlog that are needed, from 0: they are the same since version 9.0; later ones were added behind.
_CSV = {"timestamp": 0, "user": 1, "dbname": 2, "error_severity": 11, "state_code": 12, "message": 13, "detail": 14,
        "hint": 15, "context": 18, "statement": 19, "application_name": 22}  # fmt: skip
_CSV_BEGINS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \S+,")
_MORE = ("detail", "hint", "context", "statement")

_ESCAPES: dict[str, str] = {
    "t": r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [\w+-]+)?)",
    "m": r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+(?: [\w+-]+)?)",
    "n": r"(?P<at>\d+\.\d+)",
    "d": r"(?P<dbname>\S*?)",
    "u": r"(?P<user>\S*?)",
    "a": r"(?P<application_name>.*?)",
    "e": r"(?P<state_code>[0-9A-Z]{5})",
    "q": "",
    "%": "%",
}
_ANYTHING = r"[^\n]*?"
_ESCAPE = re.compile(r"%(-?\d*)(.)")
_SEVERITY = (
    r"(?P<severity>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|STATEMENT|LOCATION)"
)


@dataclass(slots=True)
class _Record:
    said: dict[str, str]
    lines: list[str]


class PostgresLines:
    """Takes the lines of one log file one after the other."""

    def __init__(self, file_format: str, prefix: str, local: tzinfo, where: str) -> None:
        """`prefix` is `log_line_prefix`, `local` is `log_timezone`, `where` names the file."""
        self._see = {"jsonlog": self._json, "csvlog": self._csv}.get(file_format, self._plain)
        self._begins = line_pattern(prefix)
        self._local = local
        self._where = where
        self._record: _Record | None = None
        self.last_at: float | None = None
        """Of the latest line that has a time."""

    def see(self, line: str) -> Iterator[Occurrence]:
        """Take the next line; the error that ended with the line before it, if it was one."""
        yield from self._see(line)

    def end(self) -> Iterator[Occurrence]:
        """Nothing more belongs to the record that is held."""
        record, self._record = self._record, None
        if record is None:
            return
        said = record.said
        if record.lines and self._see == self._csv:
            said = _csv_fields("\n".join(record.lines))
        if said.get("error_severity") in SEVERITIES:
            yield self._occurrence(said)

    def _json(self, line: str) -> Iterator[Occurrence]:
        yield from self.end()
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict):
            self._begin({str(name): str(value) for name, value in said.items()})

    def _csv(self, line: str) -> Iterator[Occurrence]:
        if _CSV_BEGINS.match(line):
            yield from self.end()
            self._begin({"timestamp": line.partition(",")[0]}, [line])
        elif self._record is not None and len(self._record.lines) < MOST_LINES:
            self._record.lines.append(line)

    def _plain(self, line: str) -> Iterator[Occurrence]:
        match = self._begins.match(line)
        if match is None:
            self._continue(line)
            return
        severity, message = match["severity"], match["message"]
        if severity.lower() in (*_MORE, "query", "location"):
            if self._record is not None:
                self._record.said[severity.lower()] = message
                self._record.lines = [severity.lower()]
            return
        yield from self.end()
        groups = {name: value or "" for name, value in match.groupdict().items() if name not in ("severity", "message")}
        self._begin({**groups, "timestamp": groups.get("at", ""), "error_severity": severity, "message": message})

    def _continue(self, line: str) -> None:
        """A line after the first one, of the message or of what was said below it."""
        record = self._record
        if record is not None and len(record.said.get("message", "")) < 8000:
            name = record.lines[0] if record.lines else "message"
            record.said[name] = f"{record.said.get(name, '')}\n{line.strip()}"

    def _begin(self, said: dict[str, str], lines: list[str] | None = None) -> None:
        self._record = _Record(said, lines or [])
        moment = parse_moment(without_zone(said.get("timestamp", "")), self._local)
        self.last_at = moment if moment is not None else self.last_at

    def _occurrence(self, said: dict[str, str]) -> Occurrence:
        state, severity = said.get("state_code", ""), said["error_severity"]
        if said.get("dbname", "") in _NO_DATABASE:
            said.pop("dbname", None)
        below = [f"{name.upper()}:  {said[name]}" for name in _MORE if said.get(name)]
        return occurrence(
            self.last_at or 0.0,
            said.get("dbname") or _SERVER,
            said.get("message", ""),
            trace="\n".join(below),
            error_type=f"{severity} {state}".strip(),
            where=self._where,
            labels={
                "sqlstate": state,
                **{name: said[name] for name in ("user", "dbname", "application_name") if said.get(name)},
            },
        )


def line_pattern(prefix: str) -> re.Pattern[str]:
    """What a line of format stderr begins with, for this `log_line_prefix`."""
    parts: list[str] = []
    seen: set[str] = set()
    at = 0
    for match in _ESCAPE.finditer(prefix):
        parts.append(re.escape(prefix[at : match.start()]))
        at = match.end()
        padding, escape = match.groups()
        found = _ESCAPES.get(escape, _ANYTHING)
        name = found[4 : found.find(">")] if found.startswith("(?P<") else ""
        if name in seen:  # `%m %n`: the first one counts
            found = _ANYTHING
        seen.add(name)
        if escape == "q":  # what follows is left out by processes without a session
            parts.append("(?:")
            seen.add("optional")
        else:
            parts.append(rf" *{found} *" if padding else found)
    parts.append(re.escape(prefix[at:]))
    if "optional" in seen:
        parts.append(")?")
    return re.compile(rf"{''.join(parts)}{_SEVERITY}:  (?P<message>.*)$", re.DOTALL)


def without_zone(text: str) -> str:
    """`2026-11-29 14:09:27.123 CET` without the zone's short name: that it is `log_timezone` is known, what it means
    is not."""
    return re.sub(r" (?!UTC|GMT)[A-Z]{1,5}$", "", text.strip())


def _csv_fields(record: str) -> dict[str, str]:
    try:
        rows: Sequence[list[str]] = list(csv.reader([f"{line}\n" for line in record.split("\n")]))
    except csv.Error:
        return {}
    row = rows[0] if rows else []
    return {name: row[place] for name, place in _CSV.items() if place < len(row)}
