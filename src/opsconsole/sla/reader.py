"""What every source of counts can be asked, and which slices are asked of it: few, and each as wide as its age allows.

Old time is counted by the hour, the last six hours by five minutes. Where less was good than was promised, the first
and the last hour are looked at more closely, so that a violation has a start and an end.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from opsconsole.sla.burn import HOUR, MINUTE
from opsconsole.sla.closed import ClosedDays
from opsconsole.sla.slices import Slice, overlaid

FINE = 5 * MINUTE
FINE_FOR = 6 * HOUR
"""For as long back the slices are fine: what the shorter burn windows need."""
CLOSE_LOOKS = 40
"""Hours at most that are looked at more closely."""
GAPS = 20
"""Gaps at most in which it is asked what was counted, the newest."""
_CLOSE_AT_ONCE = 2
_LEAST_PIECE = 30.0
_GRAINS = (FINE, 20 * MINUTE)
"""How close a look at an old hour is: the second where samples are too far apart for the first."""


class Reader(Protocol):
    """A source of counts. Every method raises SourceError."""

    partial: bool
    """Whether an answer said that it is not whole: what came with it is not kept."""
    goes_on: bool
    """Whether what happened while nothing was read is known afterwards, as of counters."""

    async def grid(self, start: float, end: float, step: float) -> list[Slice]:
        """Slices of `step` seconds from `start` to `end`, multiples of it; none where nothing is known."""
        ...

    async def piece(self, start: float, end: float) -> Slice | None:
        """One slice of any length."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for."""

    start: float
    now: float
    budget: float
    """The share that may be bad."""
    edges: tuple[float, ...] = ()
    """Moments at which slices are cut: where maintenance begins and ends."""
    live: bool = True
    """Whether `now` is now, and burn rates are wanted; a past period is counted by the hour."""


async def slices_of(reader: Reader, closed: ClosedDays, wanted: Wanted) -> list[Slice]:
    """The slices from `wanted.start` to `wanted.now`."""
    this_hour = wanted.now // HOUR * HOUR
    fine_from = max(wanted.start // HOUR * HOUR, this_hour - FINE_FOR) if wanted.live else this_hour
    hours = await closed.hours(reader, wanted.start, fine_from, wanted.now)
    last = wanted.now // FINE * FINE if wanted.live else this_hour
    fine = await reader.grid(fine_from, last, FINE) if last > fine_from else []
    if wanted.now - last >= _LEAST_PIECE and (piece := await reader.piece(last, wanted.now)) is not None:
        fine.append(piece)
    close = await _closely(reader, closed, borders(hours, wanted.budget), wanted.now)
    closed.save()
    slices = overlaid([*hours, *fine], close)
    if reader.goes_on:
        slices = await _bridged(reader, closed, slices, wanted.now)
    return await _cut(reader, slices, wanted.edges)


async def _closely(reader: Reader, closed: ClosedDays, hours: Sequence[Slice], now: float) -> list[Slice]:
    """What is in `hours`, a few asked for at a time."""
    found: list[Slice] = []
    for at in range(0, len(hours), _CLOSE_AT_ONCE):
        together = hours[at : at + _CLOSE_AT_ONCE]
        for slices in await asyncio.gather(*(closed.closely(reader, hour, now) for hour in together)):
            found += slices
    return found


async def _bridged(reader: Reader, closed: ClosedDays, slices: list[Slice], now: float) -> list[Slice]:
    """`slices` with what was counted in the gaps between them. When it happened is not known any closer."""
    gaps = [(before, after) for before, after in pairwise(slices) if after.start > before.end]
    found = [await closed.across(reader, before, after, now) for before, after in gaps[-GAPS:]]
    return sorted((*slices, *(one for one in found if one is not None)), key=lambda one: one.start)


async def look_across(reader: Reader, before: Slice, after: Slice) -> Slice | None:
    """What was counted between two slices, of which nothing was read then: all until the end of `after`, without it."""
    whole = await reader.piece(before.end, after.end)
    if whole is None:
        return None
    bad, total = max(0.0, whole.bad - after.bad), max(0.0, whole.total - after.total)
    return Slice(before.end, after.start, min(bad, total), total, known=0.0)


def borders(hours: Sequence[Slice], budget: float) -> list[Slice]:
    """The first and the last hour of every row of hours in which more was bad than may be, the newest rows first."""
    rows: list[list[Slice]] = []
    for one in hours:
        if one.bad_share is None or one.bad_share <= budget:
            continue
        if rows and one.start == rows[-1][-1].end:
            rows[-1].append(one)
        else:
            rows.append([one])
    found = [one for row in reversed(rows) for one in ([row[0]] if len(row) == 1 else [row[0], row[-1]])]
    return found[:CLOSE_LOOKS]


async def look_closely(reader: Reader, hour: Slice) -> list[Slice]:
    """What is known of an hour in smaller slices; empty where that is less than by the hour."""
    for grain in _GRAINS:
        found = await reader.grid(hour.start, hour.end, grain)
        if len([one for one in found if one.known > 0]) * 2 > math.floor(hour.seconds / grain):
            return found
    return []


async def _cut(reader: Reader, slices: list[Slice], edges: Sequence[float]) -> list[Slice]:
    """The slices, those that an edge lies in replaced by what was before it and after."""
    for edge in edges:
        at = next((at for at, one in enumerate(slices) if one.start < edge < one.end), None)
        if at is None:
            continue
        one = slices[at]
        if min(edge - one.start, one.end - edge) < _LEAST_PIECE:
            continue
        pieces = [await reader.piece(one.start, edge), await reader.piece(edge, one.end)]
        slices[at : at + 1] = [piece for piece in pieces if piece is not None]
    return slices
