"""What is kept of days that are over, and what is asked for again."""

from pathlib import Path

import pytest

from opsconsole.core.reading import SourceError
from opsconsole.sla.closed import ClosedDays
from opsconsole.sla.reader import Wanted, borders, slices_of
from opsconsole.sla.slices import Slice

HOUR, DAY = 3600.0, 86400.0
MONDAY = 20_000 * DAY


class _Reader:
    """One event in each minute, all good; counts what is asked."""

    def __init__(
        self,
        *,
        partial: bool = False,
        bad: frozenset[float] = frozenset(),
        grain: float = 0.0,
        silent: tuple[float, float] = (0.0, 0.0),
        goes_on: bool = False,
    ) -> None:
        self.partial, self.bad, self.grain = partial, bad, grain
        self.silent, self.goes_on = silent, goes_on
        self.asked: list[tuple[float, float, float]] = []

    async def grid(self, start: float, end: float, step: float) -> list[Slice]:
        self.asked.append(((start - MONDAY) / HOUR, (end - MONDAY) / HOUR, step))
        if step < self.grain:
            return []
        begins = [start + at * step for at in range(round((end - start) / step))]
        return [self._slice(at, step) for at in begins if not self.silent[0] <= at < self.silent[1]]

    async def piece(self, start: float, end: float) -> Slice | None:
        return self._slice(start, end - start)

    def _slice(self, start: float, seconds: float) -> Slice:
        bad = sum(one * 60 for one in range(int(start // 60), int((start + seconds) // 60)) if one * 60 in self.bad)
        return Slice(start, start + seconds, float(bad > 0), seconds / 60)


async def test_a_day_is_kept_when_it_is_over_and_was_asked_for_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "one.json"
    # At three in the morning the last six hours are fine slices: of yesterday only 21 hours were asked for by the hour.
    for now, again in ((3 * HOUR, 0.0), (9 * HOUR, 0.0), (10 * HOUR, 24.0)):
        reader = _Reader()
        found = await slices_of(reader, ClosedDays(path), Wanted(MONDAY - DAY, MONDAY + DAY + now, 0.01))
        assert sum(one.total for one in found) == (2 * DAY + now) / 60
        assert sum(one.seconds for one in found) == 2 * DAY + now
        assert min(begin for begin, _, _ in reader.asked) == (-24.0 if now == 3 * HOUR else again)


async def test_what_was_partial_or_is_damaged_is_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    wanted = Wanted(MONDAY, MONDAY + 2 * DAY, 0.01)
    partial = _Reader(partial=True)
    await slices_of(partial, ClosedDays(path), wanted)
    assert not path.exists()
    await slices_of(_Reader(), ClosedDays(path), wanted)
    path.write_text(path.read_text()[:-20])
    reader = _Reader()
    await slices_of(reader, ClosedDays(path), wanted)
    assert reader.asked[0][0] == 0.0


async def test_a_source_that_takes_too_long_over_a_week_is_asked_by_the_day() -> None:
    class Slow(_Reader):
        async def grid(self, start: float, end: float, step: float) -> list[Slice]:
            self.asked.append((start, end, step))
            if end - start > DAY:
                raise SourceError("prometheus", "timeout", "no answer within 10 s")
            return await super().grid(start, end, step)

    found = await slices_of(Slow(), ClosedDays(None), Wanted(MONDAY, MONDAY + 9 * DAY, 0.01))
    assert sum(one.total for one in found) == 9 * DAY / 60

    class Dead(_Reader):
        async def grid(self, start: float, end: float, step: float) -> list[Slice]:
            self.asked.append((start, end, step))
            raise SourceError("prometheus", "timeout", "no answer within 10 s")

    dead = Dead()
    with pytest.raises(SourceError):
        await slices_of(dead, ClosedDays(None), Wanted(MONDAY, MONDAY + 9 * DAY, 0.01))
    assert len(dead.asked) == 2, "it is given up soon"


async def test_maintenance_cuts_slices_and_bad_hours_are_looked_at_closely() -> None:
    bad = frozenset({MONDAY + 5 * HOUR + 600})
    edges = (MONDAY + 8 * HOUR + 1200, MONDAY + 9 * HOUR)
    reader = _Reader(bad=bad)
    found = await slices_of(reader, ClosedDays(None), Wanted(MONDAY, MONDAY + DAY, 0.01, edges))
    lengths = [one.seconds for one in found if MONDAY + 5 * HOUR <= one.start < MONDAY + 6 * HOUR]
    assert lengths == [300.0] * 12
    assert [one.seconds for one in found if MONDAY + 8 * HOUR <= one.start < MONDAY + 9 * HOUR] == [1200.0, 2400.0]
    sparse = _Reader(bad=bad, grain=1200.0)
    found = await slices_of(sparse, ClosedDays(None), Wanted(MONDAY, MONDAY + DAY, 0.01))
    assert [one.seconds for one in found if MONDAY + 5 * HOUR <= one.start < MONDAY + 6 * HOUR] == [1200.0] * 3


async def test_what_a_counter_counted_in_a_gap_is_known_afterwards_and_the_time_is_not() -> None:
    silent = (MONDAY + 5 * HOUR, MONDAY + 9 * HOUR)
    bad = frozenset({MONDAY + 7 * HOUR})
    wanted, closed = Wanted(MONDAY, MONDAY + 2 * DAY, 0.01), ClosedDays(None)
    found = await slices_of(_Reader(silent=silent, bad=bad, goes_on=True), closed, wanted)
    (bridge,) = [one for one in found if one.known == 0.0]
    assert bridge == Slice(*silent, 1.0, 240.0, known=0.0)
    assert sum(one.total for one in found) == 2 * DAY / 60
    # A value that was not looked at is not known afterwards.
    found = await slices_of(_Reader(silent=silent, bad=bad), ClosedDays(None), wanted)
    assert sum(one.total for one in found) == 2 * DAY / 60 - 240
    # What was counted in a gap of old is not asked for again.
    assert bridge in await slices_of(_Reader(silent=silent, goes_on=True), closed, wanted)


def test_only_the_ends_of_a_row_of_bad_hours_are_looked_at_the_newest_first() -> None:
    hours = [Slice(at * HOUR, (at + 1) * HOUR, float(at in {1, 4, 5, 6, 7}), 10.0) for at in range(10)]
    assert [one.start / HOUR for one in borders(hours, 0.01)] == [4, 7, 1]
