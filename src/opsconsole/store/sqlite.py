"""The journal in an SQLite file: one machine, any number of processes, on disk before a call returns."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from opsconsole.core.problem import Problem
from opsconsole.store.chain import GENESIS, Record, canonical, examine, link
from opsconsole.store.entry import Conclusion, Entry, Intent
from opsconsole.store.journal import Head, JournalError

VERSION = 1
_END_OF_TIME = 1e11  # unix seconds; what is later was not written by a clock
BUSY_SECONDS = 5.0  # a record takes milliseconds; whoever holds the file longer is stuck

_KINDS = (
    # SQLite's error name begins with, kind, what it means, what to do
    ("SQLITE_FULL", "full", "the disk is full", "free some space; nothing is changed without a record"),
    ("SQLITE_BUSY", "locked", "another process holds it", "find it with: fuser FILE"),
    ("SQLITE_LOCKED", "locked", "another process holds it", "find it with: fuser FILE"),
    ("SQLITE_READONLY", "read-only", "it cannot be written", "check the file's owner and the file system"),
    ("SQLITE_CANTOPEN", "unreachable", "it cannot be opened", "check the folder's owner and mode"),
    ("SQLITE_PERM", "unreachable", "it cannot be opened", "check the file's owner and mode"),
    ("SQLITE_AUTH", "unreachable", "it cannot be opened", "check the file's owner and mode"),
    ("SQLITE_IOERR", "unreachable", "the disk does not answer as it should", "see the kernel log"),
    ("SQLITE_CORRUPT", "damaged", "it is damaged", "keep a copy, move it away, and run audit verify on the copy"),
    ("SQLITE_NOTADB", "damaged", "it is not a journal", "move it away"),
)


class SqliteJournal:
    """A `Journal` in the file `path`, mode 0600, created with the first record."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._lock = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._writer_of: tuple[int, int, int] | None = None

    def begin(self, intent: Intent) -> None:
        """See `Journal.begin`."""
        self._append("intent", intent.attempt, intent.at, asdict(intent))

    def conclude(self, conclusion: Conclusion) -> None:
        """See `Journal.conclude`."""
        self._append("conclusion", conclusion.attempt, conclusion.at, asdict(conclusion))

    def entries(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        actor: str | None = None,
        environment: str | None = None,
        action: str | None = None,
        target: str | None = None,
        outcome: str | None = None,
        run: str | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        """See `Journal.entries`."""
        texts = {"actor": actor, "environment": environment, "action": action, "target": target, "run": run}
        texts["outcome"] = outcome
        arguments: dict[str, Any] = {name: _glob(text) for name, text in texts.items()}
        arguments |= {"since": since, "until": until, "limit": -1 if limit is None else max(0, limit)}
        with self._reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(_sql("entries"), arguments).fetchall()
        return [_entry(*row) for row in reversed(rows)]

    def verify(self) -> list[Problem]:
        """See `Journal.verify`."""
        try:
            with self._reading() as connection:
                if connection is None:
                    return []
                return [
                    Problem(str(self.path), found.seq, 0, "error", found.code, found.message)
                    for found in examine(_records(connection), _issued(connection))
                ]
        except JournalError as error:
            if error.kind != "damaged":
                raise
            return [Problem(str(self.path), 0, 0, "error", "damaged", str(error))]

    def head(self) -> Head | None:
        """See `Journal.head`."""
        with self._reading() as connection:
            row = connection and connection.execute(_LAST).fetchone()
        return Head(*row) if row else None

    def close(self) -> None:
        """See `Journal.close`."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
            self._writer = None

    def _append(self, kind: str, attempt: str, at: float, fields: dict[str, Any]) -> None:
        with self._lock, self._explained(), self._transaction() as connection:
            if kind == "conclusion":
                _refuse_unpaired(connection, attempt)
            last = connection.execute(_LAST).fetchone()
            previous = last[1] if last else GENESIS
            # Numbers are never given out twice: were records cut off the end, the gap stays to be seen.
            seq = max(last[0] if last else 0, _issued(connection)) + 1
            body = canonical({**fields, "v": VERSION, "seq": seq, "kind": kind})
            record = (seq, kind, attempt, at, body, previous, link(previous, body))
            connection.execute("insert into record values (?, ?, ?, ?, ?, ?, ?)", record)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._writable()
        # IMMEDIATE: the write lock is taken before the last hash is read, so that two writers make one chain.
        connection.execute("begin immediate")
        try:
            yield connection
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise

    def _writable(self) -> sqlite3.Connection:
        """The connection to write with: opened anew after a fork, and when the file was moved away."""
        if self._writer is not None and self._writer_of == self._identity():
            return self._writer
        self.close()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        except OSError as error:
            raise _os_error(self.path, error) from error
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, self.path)
        except BaseException:
            connection.close()
            raise
        self._writer, self._writer_of = connection, self._identity()
        return connection

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return os.getpid(), found.st_dev, found.st_ino

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection that cannot write, or None where there is no journal yet."""
        with self._explained():
            if not self.path.exists():
                yield None
                return
            with closing(_open_for_reading(self.path, self._busy_seconds)) as connection:
                connection.execute("begin")  # one view of the file for everything that is read here
                yield connection if _version(connection, self.path) else None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _explain(self.path, error) from error


_NO_INDEX = frozenset({"SQLITE_CANTOPEN", "SQLITE_READONLY_DIRECTORY", "SQLITE_READONLY_CANTINIT"})
_DAMAGED = "this record is damaged; run: opsconsole audit verify"
_LAST = "select seq, hash from record order by seq desc limit 1"


@cache
def _sql(name: str) -> str:
    return files("opsconsole.store").joinpath(f"{name}.sql").read_text("utf-8")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")  # in WAL mode: every commit is flushed to the disk
    if _version(connection, path):
        return
    connection.execute("begin immediate")
    if not _version(connection, path):  # somebody else may have made it meanwhile
        for statement in _statements(_sql("schema")):
            connection.execute(statement)
    connection.execute("commit")


def _statements(script: str) -> Iterator[str]:
    """`executescript` would commit first, and give the lock away."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("pragma user_version").fetchone()[0]
    if version > VERSION:
        raise JournalError("newer", f"{path} was written by a newer opsconsole (version {version})", hint="upgrade")
    return version


def _open_for_reading(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """On a file system that is read-only, WAL has nowhere to keep its index; `immutable` does without.

    It also does without the WAL itself: where that holds records, they would silently be missing.
    """
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        return _connect_for_reading(uri, busy_seconds)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname not in _NO_INDEX or _size(path.with_name(f"{path.name}-wal")):
            raise
        return _connect_for_reading(f"{uri}&immutable=1", busy_seconds)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _connect_for_reading(uri: str, busy_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=busy_seconds, isolation_level=None)
    # Bytes that are no text are a finding of `verify`, not a reason to stop.
    connection.text_factory = lambda stored: stored.decode("utf-8", "replace")
    try:
        connection.execute("select 1 from sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _records(connection: sqlite3.Connection) -> Iterator[Record]:
    for row in connection.execute("select seq, kind, attempt, at, body, previous, hash from record order by seq"):
        yield Record(*row)


def _issued(connection: sqlite3.Connection) -> int:
    row = connection.execute("select seq from sqlite_sequence where name = 'record'").fetchone()
    return int(row[0]) if row else 0


def _refuse_unpaired(connection: sqlite3.Connection, attempt: str) -> None:
    kinds = {row[0] for row in connection.execute("select kind from record where attempt = ?", (attempt,))}
    if "intent" not in kinds:
        raise JournalError("refused", f"attempt {attempt} was never begun")
    if "conclusion" in kinds:
        raise JournalError("refused", f"attempt {attempt} is concluded already")


def _entry(attempt: str, at: float, intent: str, conclusion: str | None) -> Entry:
    """An attempt; a record that cannot be read is shown as such, not left out."""
    try:
        begun = Intent(**_fields(intent, Intent))
    except (ValueError, TypeError, KeyError, AttributeError):
        begun = Intent(attempt, _sane(at), "?", "?", "?", "?", _DAMAGED, "?", "?", _DAMAGED)
    if conclusion is None:
        return Entry(begun, None)
    try:
        return Entry(begun, Conclusion(**_fields(conclusion, Conclusion)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Entry(begun, Conclusion(attempt, _sane(at), "unknown", detail=_DAMAGED))


def _sane(at: object) -> float:
    return float(at) if isinstance(at, int | float) and 0 <= at < _END_OF_TIME else 0.0


def _fields(body: str, kind: type[Intent] | type[Conclusion]) -> dict[str, Any]:
    """What `kind` knows of a body; a later version may have written more."""
    known = kind.__dataclass_fields__
    fields = {name: value for name, value in json.loads(body).items() if name in known}
    if _sane(fields["at"]) != fields["at"]:
        raise ValueError("at")
    return fields


def _glob(text: str | None) -> str | None:
    """`text` as an SQLite GLOB in which only `*` is special."""
    return None if text is None else text.replace("[", "[[]").replace("?", "[?]")


def _explain(path: Path, error: sqlite3.DatabaseError) -> JournalError:
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, kind, meaning, hint in _KINDS:
        if name.startswith(prefix):
            return JournalError(
                kind, f"the journal {path} cannot be used: {meaning}", hint=hint.replace("FILE", str(path))
            )
    return JournalError("unreachable", f"the journal {path} cannot be used: {error}")


def _os_error(path: Path, error: OSError) -> JournalError:
    kinds = {30: "read-only", 28: "full", 122: "full"}  # EROFS, ENOSPC, EDQUOT
    kind = kinds.get(error.errno or 0, "unreachable")
    return JournalError(
        kind, f"the journal {path} cannot be used: {error.strerror}", hint="check the folder and the disk"
    )
