"""Lines of one log to its errors: what belongs together is put together, and what is no error is let go."""

from collections.abc import Callable, Iterator, Sequence

from opsconsole.config.errors import LogFormat
from opsconsole.errors.log_lines import LogEntry, line_parser, may_matter
from opsconsole.errors.model import Occurrence
from opsconsole.errors.occurring import occurrence
from opsconsole.errors.traces import named_error

MOST_LINES = 300
"""Of one entry; further ones are let go."""
_TRACE_SIGNS = ("Traceback (most recent call last):", "\tat ", "    at ", "goroutine ", "Exception in thread")


class EntryJoiner:
    """Takes lines one after the other. Holds one entry."""

    def __init__(self, written: LogFormat, service: Callable[[LogEntry], str], now: Callable[[], float]) -> None:
        """`service` says of which service an entry is; `now` is unix seconds."""
        self._written = written
        self._parse = line_parser(written, now)
        self._may_matter = may_matter(written) if written.format == "json" else None
        self._service = service
        self._now = now
        self._entry: LogEntry | None = None
        self._lines: list[str] = []
        self._where = ""
        self.last_at: float | None = None
        """Of the latest entry that has a time."""

    def see(self, line: str, where: str, *, at: float | None = None) -> Iterator[Occurrence]:
        """Take the next line; the error that ended with the line before it, if it was one.

        Args:
            where: where it stands, for people.
            at: when it was written, by whoever keeps it.
        """
        if self._may_matter is not None and line[:1] == "{" and not self._may_matter(line):
            yield from self.end()
            return
        begun = self._parse(line)
        if begun is None and self._entry is not None:
            if len(self._lines) < MOST_LINES:
                self._lines.append(line)
            return
        yield from self.end()
        self._entry, self._lines, self._where = begun or LogEntry(None, "", line), [], where
        if self._entry.at is None:
            self._entry.at = at if at is not None else self.last_at
        self.last_at = self._entry.at

    @property
    def is_complete(self) -> bool:
        """Whether no further line can belong to what is held."""
        return self._entry is None or self._entry.whole

    def end(self) -> Iterator[Occurrence]:
        """Nothing more belongs to the entry that is held."""
        entry, lines = self._entry, self._lines
        self._entry, self._lines = None, []
        if entry is None or not self._is_error(entry, lines):
            return
        yield occurrence(
            entry.at if entry.at is not None else self._now(),
            self._service(entry),
            entry.message,
            trace="\n".join((*([entry.trace] if entry.trace else []), *lines)),
            error_type=entry.type,
            where=self._where,
        )

    def settle(self) -> Iterator[Occurrence]:
        """As `end`; lines that still belong to it are let go instead of being taken for another entry."""
        held = self._entry
        yield from self.end()
        if held is not None:
            self._entry = LogEntry(held.at, "settled", "")

    def _is_error(self, entry: LogEntry, lines: Sequence[str]) -> bool:
        if entry.level:
            # What a program calls a warning is none of these, even where it shows a trace.
            return entry.level in self._written.levels or (
                entry.level in ("info", "notice") and any(line.startswith(_TRACE_SIGNS[0]) for line in lines)
            )
        text = "\n".join((entry.message, *lines[:5]))
        return any(sign in text for sign in _TRACE_SIGNS) or bool(named_error(entry.message))
