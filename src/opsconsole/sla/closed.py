"""Days that are over, kept: what happened in them does not change, and asking again would cost the same each time."""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.core.reading import SourceError
from opsconsole.sla.burn import DAY, HOUR
from opsconsole.sla.slices import Slice

if TYPE_CHECKING:
    from opsconsole.sla.reader import Reader

LATE = 2 * HOUR
"""Seconds after its end from which on a day is taken to be whole: remote writes and rules come late."""
KEPT_DAYS = 100
AT_ONCE = 7
"""Days in one question, at most."""
FORGOTTEN = 40 * DAY
"""Seconds after which what nobody asked for is removed."""
VERSION = 2


class ClosedDays:
    """The hours of closed days of one indicator; in memory, and in a file between runs."""

    def __init__(self, path: Path | None) -> None:
        """`path`: the file; None: in memory only. It is read at the first question."""
        self._path = path
        self._days: dict[int, list[Slice]] | None = None
        self._close: dict[int, list[Slice]] = {}
        """Start of an hour -> its smaller slices."""
        self._gaps: dict[tuple[float, float], Slice | None] = {}
        """(start, end) of a gap -> what was counted in it; in memory only, since there are few."""
        self._new = False
        self._at_once = AT_ONCE

    async def hours(self, reader: "Reader", start: float, end: float, now: float) -> list[Slice]:
        """The hours from `start` to `end`, both rounded down; what is not kept is asked for, from a source that takes
        too long over some days together by the day from then on."""
        start = start // HOUR * HOUR
        if end <= start:
            return []
        days = self._load()
        first, last = int(start // DAY), int((end - 1) // DAY)
        missing = [day for day in range(first, last + 1) if day not in days]
        found: dict[int, list[Slice]] = {}
        for begin, until in _rows(missing, self._at_once):
            try:
                asked = await reader.grid(begin * DAY, min(until * DAY, end), HOUR)
            except SourceError as error:
                if error.kind != "timeout" or until - begin == 1:
                    raise
                self._at_once = 1
                return await self.hours(reader, start, end, now)
            for day in range(begin, until):
                found[day] = [one for one in asked if day * DAY <= one.start < (day + 1) * DAY]
                # What was asked for only in part is no whole day, however long it is over.
                if (day + 1) * DAY <= end and (day + 1) * DAY + LATE <= now and not reader.partial:
                    days[day] = found[day]
                    self._new = self._new or bool(found[day])
        whole = [one for day in range(first, last + 1) for one in found.get(day, days.get(day, []))]
        return [one for one in whole if start <= one.start < end]

    async def closely(self, reader: "Reader", hour: Slice, now: float) -> list[Slice]:
        """An hour in smaller slices; see `reader.look_closely`."""
        from opsconsole.sla.reader import look_closely

        self._load()
        known = self._close.get(int(hour.start))
        if known is not None:
            return known
        found = await look_closely(reader, hour)
        if hour.end + LATE <= now and not reader.partial:
            self._close[int(hour.start)], self._new = found, True
        return found

    async def across(self, reader: "Reader", before: Slice, after: Slice, now: float) -> Slice | None:
        """What was counted between two slices; see `reader.look_across`."""
        from opsconsole.sla.reader import look_across

        gap = (before.end, after.start)
        if gap in self._gaps:
            return self._gaps[gap]
        found = await look_across(reader, before, after)
        if after.end + LATE <= now and not reader.partial:
            self._gaps[gap] = found
        return found

    def save(self) -> None:
        """Write what is new; a cache that cannot be written costs time, and nothing else."""
        if not self._new or self._path is None or self._days is None:
            return
        self._new = False
        newest = sorted(day for day, slices in self._days.items() if slices)[-KEPT_DAYS:]
        oldest = newest[0] * DAY if newest else 0.0
        content = {
            "version": VERSION,
            "days": {str(day): [_row(one) for one in self._days[day]] for day in newest},
            "close": {str(at): [_row(one) for one in found] for at, found in self._close.items() if at >= oldest},
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            scratch = self._path.with_suffix(f".{os.getpid()}")
            scratch.write_text(json.dumps(content, separators=(",", ":")), "ascii")
            scratch.replace(self._path)
            for other in self._path.parent.glob("*.json"):
                if time.time() - other.stat().st_mtime > FORGOTTEN:
                    other.unlink()
        except OSError:
            return

    def _load(self) -> dict[int, list[Slice]]:
        if self._days is None:
            self._days, self._close = _read(self._path) if self._path is not None else ({}, {})
        return self._days


def _rows(days: list[int], most: int) -> list[tuple[int, int]]:
    """(first, after the last) of the rows of consecutive days, none longer than `most`."""
    rows: list[tuple[int, int]] = []
    for day in days:
        if rows and rows[-1][1] == day and day - rows[-1][0] < most:
            rows[-1] = (rows[-1][0], day + 1)
        else:
            rows.append((day, day + 1))
    return rows


def _read(path: Path) -> tuple[dict[int, list[Slice]], dict[int, list[Slice]]]:
    """What the file holds; nothing where it is not there, not ours, or damaged."""
    try:
        content = json.loads(path.read_text("ascii"))
        if content["version"] != VERSION:
            return {}, {}
        days, close = (
            {int(at): [Slice(*map(float, row)) for row in rows] for at, rows in content[key].items()}
            for key in ("days", "close")
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}
    return days, close


def _row(one: Slice) -> tuple[float, ...]:
    return one.start, one.end, one.bad, one.total, one.known
