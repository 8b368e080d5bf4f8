"""What was seen before, in a file of the state folder: so that `new` holds across restarts, for everybody who uses it.

Blocks for milliseconds: call it off the event loop. A memory that cannot be had is no reason to show nothing: every
method says so by `MemoryLostError`.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from opsconsole.errors.model import DAY, Heard, Mute

FILE = "errors.sqlite"
"""Its name in the state folder."""
MOST_KINDS = 20_000
"""Of an environment; those that were not seen for longest go first."""
KEPT = 90 * DAY
"""Seconds without being seen after which a kind is forgotten, and would be new again."""
_GROWTH_KEPT = 8 * DAY
_BUSY = 2.0
"""Seconds to wait for another process."""
_VERSION = 1


class MemoryLostError(Exception):
    """What was seen before cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered of what was heard just now."""

    first_at: Mapping[str, float] = field(default_factory=dict)
    """Fingerprint -> when it was seen first, ever."""
    watched_from: Mapping[str, float] = field(default_factory=dict)
    """Source -> since when it is looked at."""
    mutes: Mapping[str, Mute] = field(default_factory=dict)
    """Fingerprint -> who muted it; also those that are over."""


class Memory:
    """The memory of one environment. Safe for several processes; holds no connection."""

    def __init__(self, path: Path, environment: str) -> None:
        self.path = path
        self._environment = environment

    def keep(self, heard: Sequence[Heard], now: float) -> Recalled:
        """Remember what was heard, and recall what was known of it.

        Raises:
            MemoryLostError: it cannot be had.
        """
        kinds = [kind for one in heard for kind in one.kinds if kind.last_at is not None]
        seen = [(self._environment, one.fingerprint, one.first_at or one.last_at, one.last_at) for one in kinds]
        from_at = {
            one.source: now if one.covers_from_at is None else one.covers_from_at for one in heard if not one.error
        }
        with self._writing() as connection:
            connection.executemany(
                "insert into kind values (?, ?, ?, ?) on conflict do update set"
                " first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
                seen,
            )
            connection.executemany(
                "insert into watched values (?, ?, ?) on conflict do update set"
                " from_at = min(from_at, excluded.from_at)",
                [(self._environment, source, at) for source, at in from_at.items()],
            )
            self._forget(connection, now)
            return self._recalled(connection, {one.fingerprint for one in kinds})

    def mute(self, fingerprint: str, mute: Mute) -> None:
        """Remember that somebody knows of it.

        Raises:
            MemoryLostError: it cannot be written.
        """
        with self._writing() as connection:
            row = (self._environment, fingerprint, mute.by, mute.at, mute.until, mute.note)
            connection.execute("insert or replace into mute values (?, ?, ?, ?, ?, ?)", row)

    def unmute(self, fingerprint: str) -> bool:
        """Forget that; whether there was anything.

        Raises:
            MemoryLostError: it cannot be written.
        """
        with self._writing() as connection:
            given = (self._environment, fingerprint)
            return connection.execute("delete from mute where environment = ? and fingerprint = ?", given).rowcount > 0

    def count(self, values: Mapping[str, float], reset_at: float, taken_at: float) -> None:
        """Remember the values of counters, and by how much they grew since the last time.

        Args:
            values: name -> how many there ever were since `reset_at`, when they began at zero.

        Raises:
            MemoryLostError: it cannot be had.
        """
        with self._writing() as connection:
            for name, value in values.items():
                self._grow(connection, name, value, reset_at, taken_at)

    def growth(self, names: Iterable[str], since: float) -> dict[str, list[tuple[float, int]]]:
        """(unix seconds, by how much) of each counter that grew after `since`.

        Raises:
            MemoryLostError: it cannot be had.
        """
        wanted = "select at, count from growth where environment = ? and name = ? and at >= ? order by at"
        with self._writing() as connection:
            found = {name: connection.execute(wanted, (self._environment, name, since)).fetchall() for name in names}
        return {name: rows for name, rows in found.items() if rows}

    def _grow(self, connection: sqlite3.Connection, name: str, value: float, reset_at: float, taken_at: float) -> None:
        key = (self._environment, name)
        known = connection.execute(
            "select value, reset_at, taken_at from counter where environment = ? and name = ?", key
        ).fetchone()
        if known is not None and known[2] >= taken_at:
            return  # another process was here meanwhile
        connection.execute("insert or replace into counter values (?, ?, ?, ?, ?)", (*key, value, reset_at, taken_at))
        if known is None:
            return  # when what is counted so far happened is not known
        begun_anew = reset_at > known[1] + 1.0 or value < known[0]
        grown = value if begun_anew else value - known[0]
        if grown > 0:
            connection.execute("insert or replace into growth values (?, ?, ?, ?)", (*key, taken_at, round(grown)))

    def _recalled(self, connection: sqlite3.Connection, wanted: set[str]) -> Recalled:
        given = (self._environment,)
        kinds = connection.execute("select fingerprint, first_at from kind where environment = ?", given)
        first = {fingerprint: at for fingerprint, at in kinds if fingerprint in wanted}
        watched = dict(
            connection.execute("select source, from_at from watched where environment = ?", given).fetchall()
        )
        mutes = connection.execute("select fingerprint, by, at, until, note from mute where environment = ?", given)
        return Recalled(first, watched, {fingerprint: Mute(*rest) for fingerprint, *rest in mutes})

    def _forget(self, connection: sqlite3.Connection, now: float) -> None:
        given = {"environment": self._environment, "old": now - KEPT, "most": MOST_KINDS, "grown": now - _GROWTH_KEPT}
        connection.execute("delete from kind where environment = :environment and last_at < :old", given)
        connection.execute(
            "delete from kind where environment = :environment and fingerprint in (select fingerprint from kind"
            " where environment = :environment order by last_at desc limit -1 offset :most)",
            given,
        )
        connection.execute("delete from growth where environment = :environment and at < :grown", given)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            with closing(sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None)) as connection:
                connection.execute("begin immediate")
                _prepare(connection)
                yield connection
                connection.execute("commit")
        except (sqlite3.Error, OSError) as error:
            raise MemoryLostError(f"{self.path}: {error}") from error


def _prepare(connection: sqlite3.Connection) -> None:
    version: int = connection.execute("pragma user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.DatabaseError(f"written by a newer opsconsole (version {version})")
    if not version:
        script = files("opsconsole.errors").joinpath("sql", "schema.sql").read_text("utf-8")
        for statement in script.split(";"):
            if statement.strip():
                connection.execute(statement)
