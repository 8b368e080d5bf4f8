"""Errors of one database: what its server's log says, where it may be read, and what pg_stat_database counts.

The statistics only say how many there ever were: what came when is known from one look to the next, and kept.
"""

import asyncio
import json
import time
from collections.abc import Callable

from opsconsole.core.reading import SourceError
from opsconsole.core.row import Row
from opsconsole.errors.memory import Memory, MemoryLostError
from opsconsole.errors.model import Heard
from opsconsole.errors.occurring import occurrence
from opsconsole.errors.postgres_log import Ask, PostgresLog, rows_of
from opsconsole.errors.tallying import Tallies, reach

COUNTED = {
    "deadlocks": ("deadlock", "a deadlock was ended"),
    "conflicts": ("recovery conflict", "a query was ended, for it stood in the way of recovery"),
    "xact_rollback": ("rollback", "a transaction was rolled back"),
    "checksum_failures": ("checksum failure", "a page's checksum was wrong"),
    "sessions_abandoned": ("session lost", "a session ended, for its client was gone"),
    "sessions_fatal": ("session failed", "a session was ended by a fatal error"),
    "sessions_killed": ("session killed", "a session was ended by an operator"),
}
"""Column of pg_stat_database -> (type, message). The sessions' are there since version 14."""
ROLLBACKS = "xact_rollback"


class PostgresErrorsOf:
    """The errors of one database."""

    def __init__(
        self,
        source: str,
        ask: Ask,
        window: float,
        memory: Memory | None,
        *,
        log: bool = True,
        rollbacks: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """What is asked.

        Args:
            source: as content names it: `postgres/app`.
            rollbacks: whether each transaction that was rolled back is an error: drivers and pools do that, too, where
                nothing went wrong.
        """
        self.source = source
        self._ask = ask
        self._window = window
        self._memory = memory
        self._log = PostgresLog(source, ask) if log else None
        self._clock = clock
        self._logged = Tallies(source, window)
        self._of_server = Tallies(source, window)
        self._columns = {name: one for name, one in COUNTED.items() if rollbacks or name != ROLLBACKS}

    async def hear(self) -> Heard:
        """What is known now.

        Raises:
            SourceError: it does not answer.
        """
        now = self._clock()
        (row,) = await rows_of(self._ask, self.source, "statistics")
        database = row.text("database")
        counted, notes = await self._counted(row, now)
        covers: float | None = None
        if self._log is not None:
            # The log is the server's: what is said of another database is that one's error, of none the server's.
            said = await self._log.new(now - reach(self._window))
            self._logged.extend(one for one in said if one.labels.get("dbname") == database)
            self._of_server.extend(one for one in said if "dbname" not in one.labels)
            covers = self._log.covers_from_at
            notes += [f"{self.source}: {self._log.note}"] if self._log.note else []
        logged = self._logged.kinds(now, covers)
        return Heard(
            self.source, (*logged, *counted.kinds(now, None)), covers, tuple(notes),
            shared=f"postgres server {row.text('server')}", shared_kinds=self._of_server.kinds(now, covers),
        )  # fmt: skip

    async def close(self) -> None:
        """Whoever opened the sources closes them."""

    async def _counted(self, row: Row, now: float) -> tuple[Tallies, list[str]]:
        """What the statistics counted, as far as it was looked at; and what is not known of that."""
        tallies = Tallies(self.source, self._window)
        if self._memory is None:
            return tallies, []
        try:
            said = json.loads(row.text("counted"))
        except ValueError:
            raise SourceError(self.source, "garbage", "pg_stat_database is not what it should be") from None
        named = {
            f"{self.source} {column}": column for column in self._columns if isinstance(said.get(column), int | float)
        }
        values = {name: float(said[column]) for name, column in named.items()}
        try:
            reset_at, taken_at = row.number("reset_at") or 0.0, row.number("taken_at") or now
            await asyncio.to_thread(self._memory.count, values, reset_at, taken_at)
            grown = await asyncio.to_thread(self._memory.growth, named, now - reach(self._window))
        except MemoryLostError as error:
            return tallies, [f"{self.source}: what its statistics counted is not known: {error}"]
        for name, times in grown.items():
            kind, message = COUNTED[named[name]]
            for at, count in times:
                tallies.add(occurrence(at, row.text("database"), message, error_type=kind), count, sampled=False)
        return tallies, []
