"""The server log of a PostgreSQL, read by its own functions: nothing has to run on its host."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.row import Row
from opsconsole.core.values import Table
from opsconsole.errors.model import Occurrence
from opsconsole.errors.moments import zone
from opsconsole.errors.postgres_lines import FORMATS, PostgresLines

Ask = Callable[[Query], Awaitable[Answer]]
"""Asks a database once. Raises SourceError where that fails."""

PIECE = 1024 * 1024
"""Bytes of one question."""
MOST_BYTES = 8 * 1024 * 1024
"""Of one reading, over all files: a log is large, and reading it is load for the database."""
_MOST_CARRIED = 256 * 1024
"""Characters of a line without an end."""
_ALLOW_FINDING = "grant pg_monitor to the role"
_ALLOW_READING = "grant execute on function pg_read_binary_file(text, bigint, bigint) to the role"


async def rows_of(ask: Ask, source: str, name: str, binds: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of `sql/NAME.sql`.

    Raises:
        SourceError: it cannot be asked, or may not.
    """
    answer = await ask(Query(source, _text(name), binds=tuple(sorted((binds or {}).items())), max_rows=1000))
    if not isinstance(answer.value, Table):
        raise SourceError(source, "garbage", f"{name}: the answer is no table")
    table = answer.value
    return [Row(dict(zip(table.columns, cells, strict=True))) for cells in table.rows]


@dataclass(slots=True)
class _Read:
    """How far one file is read."""

    offset: int
    lines: PostgresLines
    carry: str = ""
    inside: bool = False
    """It was begun somewhere in a line."""


class PostgresLog:
    """The log of one server; follows it from one question to the next."""

    def __init__(self, source: str, ask: Ask) -> None:
        self._source = source
        self._ask = ask
        self._files: dict[str, _Read] = {}
        self._first_at: float | None = None
        self._cut = False
        self.note = ""
        """Why it cannot be read, and how to allow it; empty where it can."""

    @property
    def covers_from_at(self) -> float | None:
        """The time of the first line that was read."""
        return self._first_at

    async def new(self, since: float) -> list[Occurrence]:
        """The errors since the last time; the first time, those after `since` (unix seconds), as far as it is read.

        Raises:
            SourceError: the database does not answer.
        """
        (how,) = await rows_of(self._ask, self._source, "log_settings")
        self.note = _why_not(how)
        if self.note:
            return []
        found: list[Occurrence] = []
        try:
            for file, start, size in await self._due(since, how.text("destination")):
                found += [one for one in await self._of_file(file, start, size, how) if one.at >= since]
        except SourceError as error:
            if error.kind not in ("refused", "bad-query"):
                raise
            self.note = f"the server's log cannot be read: {error.message}; {_ALLOW_READING}"
        if self._cut and not self.note:
            self.note = f"of the server's log only the last {MOST_BYTES >> 20} MiB were read"
        return found

    async def _due(self, since: float, destination: str) -> list[tuple[str, int, int]]:
        """(file, from which byte, to which) that are to be read, the oldest first."""
        listed = await rows_of(self._ask, self._source, "log_files", {"SINCE": repr(since)})
        wanted = _wanted_suffix(destination)
        due: list[tuple[str, int, int]] = []
        budget = MOST_BYTES
        for row in listed:
            file, size = row.text("file"), row.count("size")
            if PurePosixPath(file).suffix not in wanted:
                continue
            known = self._files.get(file)
            start = known.offset if known is not None and known.offset <= size else 0
            if size - start > budget:
                self._cut, start = True, size - budget
            budget -= size - start
            if size > start:
                due.append((file, start, size))
            if budget <= 0:
                break
        return due[::-1]

    async def _of_file(self, file: str, start: int, size: int, how: Row) -> list[Occurrence]:
        read = self._files.get(file)
        if read is None or read.offset != start:
            file_format = FORMATS.get(PurePosixPath(file).suffix, "stderr")
            lines = PostgresLines(file_format, how.text("prefix"), zone(how.text("zone")), file)
            read = self._files[file] = _Read(start, lines, inside=start > 0)
        found: list[Occurrence] = []
        while read.offset < size:
            length = min(PIECE, size - read.offset)
            binds = {"FILE": file, "OFFSET": str(read.offset), "LENGTH": str(length)}
            pieces = await rows_of(self._ask, self._source, "log_bytes", binds)
            content = _decoded(self._source, pieces)
            if not content:
                break
            read.offset += len(content)
            found += self._lines(read, content.decode("utf-8", errors="replace"))
        return [*found, *read.lines.end()]

    def _lines(self, read: _Read, text: str) -> list[Occurrence]:
        *lines, read.carry = (read.carry + text).split("\n")
        read.carry = read.carry[:_MOST_CARRIED]
        if read.inside and lines:
            lines, read.inside = lines[1:], False
        found: list[Occurrence] = []
        for line in lines:
            found += read.lines.see(line)
            if self._first_at is None:
                self._first_at = read.lines.last_at
        return found


def _why_not(how: Row) -> str:
    if not how.flag("collected"):
        return f"the server's log cannot be read: it goes to {how.text('destination')}, and logging_collector is off"
    if not how.flag("may_list"):
        return f"the server's log cannot be found: {_ALLOW_FINDING}"
    return "" if how.flag("may_read") else f"the server's log cannot be read: {_ALLOW_READING}"


def _wanted_suffix(destination: str) -> tuple[str, ...]:
    """The end of the names of the files to read: of the richest format that is written."""
    if "jsonlog" in destination:
        return (".json",)
    return (".csv",) if "csvlog" in destination else (".log", "")


def _decoded(source: str, pieces: list[Row]) -> bytes:
    try:
        return b"".join(base64.b64decode(row.text("piece")) for row in pieces)
    except (binascii.Error, ValueError):
        raise SourceError(source, "garbage", "the server's log came damaged") from None


@cache
def _text(name: str) -> str:
    return files("opsconsole.errors").joinpath("sql", f"{name}.sql").read_text("utf-8")
