"""One line of a log to an entry: JSON, logfmt, or a pattern; `auto` tries them line by line.

A line that begins no entry belongs to the one before it: that is how stack traces are written.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsconsole.config.errors import LEVELS, LogFormat
from opsconsole.errors.file_tail import LONGEST_LINE
from opsconsole.errors.moments import parse_moment, zone

_NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "ts", "@timestamp", "datetime", "date", "t"),
    "level": ("level", "severity", "lvl", "loglevel", "log.level", "levelname", "severity_text"),
    "message": ("message", "msg", "event", "text", "log", "body"),
    "service": ("service.name", "service", "app", "application", "component"),
    "type": ("error.type", "exc_type", "exception_class", "error_type", "exception.type"),
    "trace": ("stack_trace", "stacktrace", "exception", "traceback", "exc_info", "stack", "error.stack_trace",
              "error.stack", "exception.stacktrace"),
}  # fmt: skip
"""What usual libraries call each: logstash, structlog, python-json-logger, zap, zerolog, pino, ECS, OpenTelemetry."""
_NUMBERED = {"50": "error", "60": "fatal", "40": "warn", "30": "info", "20": "debug", "10": "trace"}
"""pino's and bunyan's levels."""
_LINE = re.compile(
    r"^[\[(]?(?P<time>\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})[\])]?"
    r"(?P<between>.{0,120}?)"
    r"(?<![A-Za-z])(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|CRIT(?:ICAL)?|PANIC|SEVERE|ALERT"
    r"|EMERG(?:ENCY)?)(?![A-Za-z])[\]>)]?[\s:|\-]*(?P<message>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_TIMED = re.compile(r"^[\[(]?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d")
_PAIR = re.compile(r'([A-Za-z_][\w.@-]{0,100})=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_MEMBER = re.compile(r'"([\w.@-]{1,100})"\s{0,10}:\s{0,10}("(?:[^"\\]|\\.)*+"?|-?\d[\d.eE+-]{0,40})')
"""Of an object; of a text at the end of what there is, as much as there is."""
_ERRONEOUS = (
    "err", "exc", "fatal", "crit", "panic", "fail", "traceback", "severe", "emerg", "alert",
    *(f'"{name}":{blank}{number}' for name in ("level", "severity") for blank in ("", " ") for number in (50, 60)),
)  # fmt: skip
"""Without one of these no line of JSON tells of an error; the numbers are pino's and bunyan's."""


@dataclass(slots=True)
class LogEntry:
    """What a line says, raw: nothing in it is cleaned."""

    at: float | None
    level: str
    """In small letters; empty where it names none."""
    message: str
    service: str = ""
    type: str = ""
    trace: str = ""
    whole: bool = False
    """No further line belongs to it: JSON has its trace inside."""


Parse = Callable[[str], LogEntry | None]
"""None: the line begins no entry."""


def line_parser(written: LogFormat, now: Callable[[], float]) -> Parse:
    """What reads lines that are written so. `now` (unix seconds) is for times without a year."""
    reader = _Reader(written, now)
    return {"json": reader.json, "logfmt": reader.logfmt, "regex": reader.pattern}.get(written.format, reader.auto)


def may_matter(written: LogFormat) -> Callable[[str], bool]:
    """What says of a line whether it may tell of an error; false only where it cannot: spares parsing most of a log."""
    # Substrings: a search for all of them that ignores case takes fifty times as long.
    signs = (*_ERRONEOUS, *(level for level in written.levels if level not in LEVELS))

    def may(line: str) -> bool:
        small = line.lower()
        return any(sign in small for sign in signs)

    return may


class _Reader:
    def __init__(self, written: LogFormat, now: Callable[[], float]) -> None:
        self._names = {one: (*_given(written, one), *_NAMES[one]) for one in _NAMES}
        self._zone = zone(written.zone)
        self._time_format = written.time_format
        self._pattern = re.compile(written.pattern, re.DOTALL) if written.pattern else _LINE
        self._now = now

    def auto(self, line: str) -> LogEntry | None:
        """JSON where it is some, else a line with time and level, else logfmt."""
        if line.lstrip()[:1] == "{" and (found := self.json(line)) is not None:
            return found
        found = self.pattern(line)
        if found is not None:
            return found
        found = self.logfmt(line)
        if found is not None:
            return found
        # A line with a time begins an entry, whatever it says.
        return LogEntry(self._moment(line), "", line) if _TIMED.match(line) else None

    def json(self, line: str) -> LogEntry | None:
        """An object; nested ones are also known by `outer.inner`."""
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = _cut_object(line) if len(line) >= LONGEST_LINE and line.lstrip()[:1] == "{" else None
        if not isinstance(said, dict):
            return None
        entry = self._entry(_flat(said))
        entry.whole = True
        return entry

    def logfmt(self, line: str) -> LogEntry | None:
        """`level=error msg="…"`; other text before or between pairs is no logfmt."""
        pairs = {name: _unquoted(value) for name, value in _PAIR.findall(line)}
        if not any(name in pairs for name in self._names["message"]) or not _begins_with_pair(line):
            return None
        return self._entry(pairs)

    def pattern(self, line: str) -> LogEntry | None:
        """The groups of the pattern."""
        match = self._pattern.match(line)
        if match is None:
            return None
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        groups.pop("between", None)
        return self._entry(groups)

    def _entry(self, said: Mapping[str, Any]) -> LogEntry:
        level = str(self._first(said, "level") or "").strip().lower()
        message = self._first(said, "message")
        return LogEntry(
            at=self._moment(self._first(said, "time")),
            level=_NUMBERED.get(level, level),
            message=_text(message),
            service=_text(self._first(said, "service")),
            type=_text(self._first(said, "type")),
            trace=_text(self._first(said, "trace")),
        )

    def _first(self, said: Mapping[str, Any], what: str) -> Any:
        return next((said[name] for name in self._names[what] if said.get(name) not in (None, "")), None)

    def _moment(self, value: object) -> float | None:
        text = value.lstrip("[(") if isinstance(value, str) else value
        return parse_moment(text, self._zone, time_format=self._time_format, now=self._now())


def _given(written: LogFormat, what: str) -> tuple[str, ...]:
    return (written.fields[what],) if what in written.fields else ()


def _flat(said: dict[str, Any]) -> dict[str, Any]:
    """With what is in objects in it, two deep: `error.type`, `log.level`."""
    flat = dict(said)
    for name, value in said.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{inner}": one for inner, one in value.items()})
    return flat


def _cut_object(line: str) -> dict[str, Any]:
    """What the beginning of an object says: of a line that was too long to be read whole. Texts and numbers only; the
    last text may be a part."""
    found: dict[str, Any] = {}
    for match in _MEMBER.finditer(line):
        name, value = match.groups()
        cut = value[0] == '"' and not (len(value) > 1 and value[-1] == '"')
        whole = f'{value}"' if cut else value
        try:
            found.setdefault(name, json.loads(whole))
        except ValueError:
            found.setdefault(name, whole.strip('"'))
    return found


def _begins_with_pair(line: str) -> bool:
    return _PAIR.match(line.lstrip()) is not None


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    return value


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, list):
        return "\n".join(map(str, value))
    if isinstance(value, dict):
        return str(value.get("message") or json.dumps(value, ensure_ascii=False)[:2000])
    return str(value)
