"""Errors in a Loki: the lines that a query brings, the latest first, each once."""

import time
from collections.abc import Callable, Mapping

from opsconsole.config.errors import LokiErrors
from opsconsole.errors.log_entries import EntryJoiner
from opsconsole.errors.model import Heard
from opsconsole.errors.tallying import Tallies, reach
from opsconsole.sources.loki import PAGE, LokiLine, LokiSource

MOST_PAGES = 10
"""Answers for one reading: 20,000 lines."""
_BILLION = 1_000_000_000
_LATE = 10 * _BILLION
"""Nanoseconds by which lines may come later than their time says; what was seen within is not counted twice."""


class LokiLogs:
    """The lines of one entry of the configuration; asks for what is new from one question to the next."""

    def __init__(
        self, settings: LokiErrors, loki: LokiSource, window: float, *, clock: Callable[[], float] = time.time
    ) -> None:
        """`window` is the seconds that counts are of."""
        self.source = f"loki/{settings.name}"
        self._settings = settings
        self._loki = loki
        self._window = window
        self._clock = clock
        self._tallies = Tallies(self.source, window)
        self._read_to = 0
        self._recent: set[tuple[int, str]] = set()
        self._covers_from: float | None = None

    async def hear(self) -> Heard:
        """What there is now.

        Raises:
            SourceError: it does not answer, or does not understand the query.
        """
        now = self._clock()
        end = int(now * _BILLION)
        start = max(self._read_to - _LATE, int((now - reach(self._window)) * _BILLION))
        lines, cut = await self._new_lines(start, end)
        if cut:
            # What is between is not known: counts are of what was read.
            self._covers_from = lines[-1].at
        elif self._covers_from is None:
            self._covers_from = start / _BILLION
        self._count([one for one in lines if (one.at_ns, one.text) not in self._recent])
        self._recent = {(one.at_ns, one.text) for one in lines if one.at_ns > end - 2 * _LATE}
        self._read_to = end
        notes = (f"{self.source}: more than {MOST_PAGES * PAGE:,} lines; older ones were not read",) if cut else ()
        return Heard(self.source, self._tallies.kinds(now, self._covers_from), self._covers_from, notes)

    async def close(self) -> None:
        """Nothing is held."""

    async def _new_lines(self, start: int, end: int) -> tuple[list[LokiLine], bool]:
        """Lines, the latest first, and whether there are more."""
        lines: list[LokiLine] = []
        seen: set[tuple[int, str]] = set()
        for _ in range(MOST_PAGES):
            page = await self._loki.lines(self._settings.query, start, end, limit=PAGE)
            fresh = [one for one in page if (one.at_ns, one.text) not in seen]
            lines += fresh
            seen = {(one.at_ns, one.text) for one in page}
            if len(page) < PAGE or not fresh:
                return lines, False
            # The end is exclusive: lines of the same nanosecond as the last one are asked for again.
            end = page[-1].at_ns + 1
        return lines, True

    def _count(self, lines: list[LokiLine]) -> None:
        """Lines of one stream belong together, the oldest first."""
        streams: dict[tuple[tuple[str, str], ...], list[LokiLine]] = {}
        for one in reversed(lines):
            streams.setdefault(tuple(sorted(one.labels.items())), []).append(one)
        for labels, several in streams.items():
            self._count_stream(dict(labels), several)

    def _count_stream(self, labels: Mapping[str, str], lines: list[LokiLine]) -> None:
        service = next((labels[name] for name in self._settings.service if labels.get(name)), "")
        joiner = EntryJoiner(self._settings.written, lambda entry: service or entry.service, self._clock)
        where = "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
        for one in lines:
            for text in one.text.splitlines():
                self._tallies.extend(joiner.see(text, where, at=one.at))
        self._tallies.extend(joiner.end())
