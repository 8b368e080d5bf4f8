"""Lines of a log as Airflow's API sends them, version 1 or 2, as lines for a reader."""

import json
import re
from typing import Any

from opsconsole.core.clean import clean, clean_line
from opsconsole.pipelines.model import LogLine
from opsconsole.pipelines.wire import Entry, moment

_LONGEST_LINE = 20_000
"""Characters of one line of a log."""
_MOST_FRAMES = 100
"""Frames of a traceback that are kept, the innermost: of an endless recursion there are a thousand."""
_ABOUT_THE_LINE = frozenset(
    {
        "timestamp",
        "event",
        "level",
        "logger",
        "logger_name",
        "filename",
        "lineno",
        "loc",
        "func_name",
        "chan",
        "dag_id",
        "run_id",
        "task_id",
        "map_index",
        "try_number",
        "ti_id",
        "error_detail",
        "sources",
    }
)
"""What Airflow writes with every line: where it comes from, which is known to whoever reads the log."""
_PLAIN = re.compile(
    r"^\[(?P<at>\d{4}-\d\d-\d\dT[\d:.]+(?:[+-]\d\d:?\d\d|Z)?)\] (?P<rest>(?:\{[^}]*\} )?(?P<level>[A-Z]+) - .*)$",
    re.DOTALL,
)


def unfolded(line: str) -> list[str]:
    """A line of version 2's log as the lines that it stands for: of a text of several lines each by itself, of a very
    long one its pieces, and of an exception the traceback, in the order in which Python prints it, so that what was
    raised last ends it. What is beside the text (`exit_code`) stays with the first."""
    if len(line) <= _LONGEST_LINE and '"error_detail"' not in line and "\\n" not in line:
        return [line]
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return pieces(line)
    if not isinstance(entry, dict):
        return [line]
    raised = [one for one in _entries(entry, "error_detail") if isinstance(one, dict)]
    first, *others = _texts(entry.get("event"))
    others += [piece for one in reversed(raised) for text in _traceback(one) for piece in pieces(text)]
    if not others:
        return [line]
    told = {name: entry.get(name) for name in ("timestamp", "level")}
    entry.pop("error_detail", None)
    return [json.dumps({**entry, "event": first}), *(json.dumps({**told, "event": text}) for text in others)]


def pieces(line: str) -> list[str]:
    """A line as ones that are shown, and searched, whole: a data file that was printed may be a single one."""
    if len(line) <= _LONGEST_LINE:
        return [line]
    return [line[at : at + _LONGEST_LINE] for at in range(0, len(line), _LONGEST_LINE)]


def _texts(event: object) -> list[str]:
    lines = str("" if event is None else event).rstrip("\r\n").split("\n")
    return [piece for one in lines for piece in pieces(one.rstrip("\r"))]


def _traceback(raised: Entry) -> list[str]:
    """One exception as Python prints it."""
    frames = [one for one in _entries(raised, "frames") if isinstance(one, dict)][-_MOST_FRAMES:]
    places = [
        f'  File "{_shorter(one.get("filename"))}", line {one.get("lineno")}, in {one.get("name")}' for one in frames
    ]
    said = f"{raised.get('exc_type', '')}: {raised.get('exc_value', '')}".splitlines()
    return [*(["Traceback (most recent call last):"] if places else []), *places, *said]


def _shorter(file: object) -> str:
    """A file's path; of an installed package from there on, or the name of the function is beyond the screen's edge."""
    before, found, after = str(file).rpartition("/site-packages/")
    return f"…{found}{after}" if before else str(file)


def structured_line(line: str) -> LogLine:
    """A line of version 2's log: an object with `event` and whatever else belongs to it (`exit_code`), or a text."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return plain_line(line)
    if not isinstance(entry, dict):
        return LogLine(_cut(entry))
    sources = " ".join(one for one in _entries(entry, "sources") if isinstance(one, str))  # where Airflow looked for it
    more = [f"{name}={value}" for name, value in entry.items() if name not in _ABOUT_THE_LINE and value is not None]
    text = f"{entry.get('event', '')} {sources}".rstrip()
    level = clean_line(entry.get("level") or "").lower()
    return LogLine(_cut("  ".join([text, *more])), moment(entry.get("timestamp")), level)


def plain_line(line: str) -> LogLine:
    """A line of version 1's log, as the file has it."""
    found = _PLAIN.match(line)
    if found is None:
        return LogLine(_cut(line))
    return LogLine(_cut(found["rest"]), moment(found["at"]), found["level"].lower())


def _cut(value: object) -> str:
    return clean(value, limit=_LONGEST_LINE)


def _entries(entry: Entry, key: str) -> list[Any]:
    value = entry.get(key)
    return value if isinstance(value, list) else []
