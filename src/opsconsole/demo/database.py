"""The demo's PostgreSQL: a fresh cluster, its databases, roles and rows."""

import json
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsconsole.core.paths import cache_dir
from opsconsole.demo.dags import DAGS, length, offsets
from opsconsole.demo.statements import statement

if TYPE_CHECKING:
    from psycopg import Connection

DATABASES = ("app", "airflow")
ROLES = ("ops", "etl", "api", "dba", "airflow", "exporter")
"""Those that log in. All but the exporter belong to `platform`, which owns the tables."""


class DatabaseError(Exception):
    """The cluster could not be made or did not start; says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user that PostgreSQL runs as; None: this one."""

    uid: int
    gid: int


def account() -> Account | None:
    """Whom to be for PostgreSQL, which refuses to run as root: `postgres` where there is one, else `nobody`."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return Account(65534, 65534)


def reachable(binaries: Path, user: Account | None, folder: Path) -> Path:
    """`binaries`, or a copy under `folder` where `user` may not reach them: the cache may be in /root."""
    if user is None or all(parent.stat().st_mode & stat.S_IXOTH for parent in (binaries, *binaries.parents)):
        return binaries
    root = next((one for one in binaries.parents if one.parent == cache_dir() / "packages"), binaries.parent)
    copy = folder / "postgresql"
    shutil.copytree(root, copy, symlinks=True, dirs_exist_ok=True)
    return copy / binaries.relative_to(root)


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL server's files and address. `passfile` holds the password of all roles."""

    binaries: Path
    folder: Path
    port: int
    passfile: Path
    user: Account | None

    def dsn(self, database: str, role: str = "ops") -> str:
        """A connection URL for libpq; the password is in the file that it names, not in it."""
        from urllib.parse import quote

        passfile = quote(str(self.passfile), safe="/")
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}?passfile={passfile}"

    def initialize(self) -> str:
        """Make the cluster; gives the password of its roles.

        Raises:
            DatabaseError: initdb failed.
        """
        password = secrets.token_urlsafe(24)
        self.passfile.touch(mode=0o600)
        self.passfile.write_text(f"127.0.0.1:{self.port}:*:*:{password}\n", encoding="utf-8")
        self.folder.mkdir(mode=0o700)
        password_file = self.folder.parent / "initdb-password"
        password_file.touch(mode=0o600)
        password_file.write_text(password, encoding="utf-8")
        if self.user:
            os.chown(self.folder, self.user.uid, self.user.gid)
            os.chown(password_file, self.user.uid, self.user.gid)
        try:
            self._tool(
                "initdb", "--no-sync", "--wal-segsize=1", "--auth=scram-sha-256", f"--pwfile={password_file}",
                "--username=postgres", "--encoding=UTF8", "--locale=C", "-D", str(self.folder),
            )  # fmt: skip
        finally:
            password_file.unlink()
        with (self.folder / "postgresql.conf").open("a", encoding="utf-8") as handle:
            handle.write("\n".join(f"{name} = {value}" for name, value in self._settings()) + "\n")
        return password

    def server_argv(self) -> list[str]:
        """The command that runs the server in the foreground."""
        return [str(self.binaries / "postgres"), "-D", str(self.folder)]

    def wait(self, seconds: float = 20.0) -> "Connection[Any]":
        """A superuser's connection to the database `postgres`, as soon as the server accepts it.

        Raises:
            DatabaseError: not in time.
        """
        import psycopg

        limit = time.monotonic() + seconds
        while True:
            try:
                return psycopg.connect(self.dsn("postgres", "postgres"), autocommit=True, connect_timeout=3)
            except psycopg.OperationalError as error:
                if time.monotonic() > limit:
                    raise DatabaseError(f"PostgreSQL does not accept connections: {error}") from error
                time.sleep(0.05)

    def populate(self, *, airflow: bool = True) -> None:
        """Make roles, databases, tables and rows; without `airflow` the database of that name stays empty.

        Raises:
            DatabaseError: the server refused, or went away.
        """
        import psycopg

        try:
            self._populate(airflow=airflow)
        except psycopg.Error as error:
            raise DatabaseError(f"the databases could not be filled: {error}") from error

    def _populate(self, *, airflow: bool) -> None:
        import psycopg
        from psycopg import sql

        with self.wait() as connection:
            verifier = self._verifier(connection)
            connection.execute("create role platform nologin")
            for role in ROLES:
                create = sql.SQL("create role {} login password {}").format(sql.Identifier(role), sql.Literal(verifier))
                connection.execute(create)
                if role != "exporter":
                    connection.execute(sql.SQL("grant platform to {}").format(sql.Identifier(role)))
            connection.execute("grant pg_monitor to ops, dba, exporter")
            connection.execute("grant pg_signal_backend, pg_read_all_data to ops, dba")
            connection.execute("alter role ops createdb")
            for database in DATABASES:
                connection.execute(sql.SQL("create database {} owner platform").format(sql.Identifier(database)))
        for database in DATABASES:
            with psycopg.connect(self.dsn(database, "postgres"), autocommit=True) as connection:
                for extension in ("pg_stat_statements", "pgstattuple"):
                    self._extension(connection, extension)
                connection.execute("grant all on schema public to platform")
                connection.execute("set role platform")
                if airflow or database != "airflow":
                    connection.execute(statement(database).encode())
                if airflow and database == "airflow":
                    _insert_dags(connection)
                connection.execute("reset role")
                connection.execute("analyze")

    def _verifier(self, connection: "Connection[Any]") -> str:
        """The password as the server keeps it, so that it is in no statement and in no log."""
        password = self.passfile.read_text(encoding="utf-8").rstrip().rpartition(":")[2]
        return connection.pgconn.encrypt_password(password.encode(), b"ops", b"scram-sha-256").decode()

    def _extension(self, connection: "Connection[Any]", name: str) -> None:
        if self._has_extension(name):
            connection.execute(f"create extension if not exists {name}".encode())

    def _settings(self) -> Sequence[tuple[str, str]]:
        settings = [
            ("listen_addresses", "'127.0.0.1'"),
            ("port", str(self.port)),
            ("unix_socket_directories", "''"),  # no path that could be too long
            ("fsync", "off"),  # it begins afresh each time; nothing here has to survive a power cut
            ("full_page_writes", "off"),
            ("synchronous_commit", "off"),
            ("jit", "off"),
            ("shared_buffers", "'64MB'"),
            ("max_wal_size", "'64MB'"),
            ("track_io_timing", "on"),
            ("track_functions", "'pl'"),
            ("log_lock_waits", "on"),
            ("log_min_duration_statement", "'1s'"),
            ("autovacuum_naptime", "'15s'"),
        ]
        if self._has_extension("pg_stat_statements"):
            settings.append(("shared_preload_libraries", "'pg_stat_statements'"))
        return settings

    def _has_extension(self, name: str) -> bool:
        if not (self.binaries / "pg_config").exists():
            return False
        share = Path(self._tool("pg_config", "--sharedir").strip())
        return (share / "extension" / f"{name}.control").exists()

    def _tool(self, name: str, *arguments: str) -> str:
        options: dict[str, Any] = {}
        if self.user:
            options |= {"user": self.user.uid, "group": self.user.gid, "extra_groups": []}
        done = subprocess.run(
            [self.binaries / name, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", check=False, **options,
        )  # fmt: skip
        if done.returncode != 0:
            raise DatabaseError(f"{name} failed: {done.stderr.strip() or done.stdout.strip()}")
        return str(done.stdout)


def _insert_dags(connection: "Connection[Any]") -> None:
    """The DAGs with their past, and their assets."""
    for dag in DAGS:
        begins = offsets(dag)
        tasks = [
            {**asdict(task), "position": number, "begins": begins[task.task_id]}
            for number, task in enumerate(dag.tasks, 1)
        ]
        binds = {
            "dag_id": dag.dag_id,
            "description": dag.description,
            "timetable": dag.timetable,
            "every": dag.every,
            "paused": dag.paused,
            "owner": dag.owner,
            "tags": list(dag.tags),
            "asset": dag.asset,
            "length": length(dag),
            "tasks": json.dumps(tasks),
        }
        connection.execute(statement("dag").encode(), binds)
    outlets = [(dag.dag_id, task.task_id, task.outlet) for dag in DAGS for task in dag.tasks if task.outlet]
    for dag_id, task_id, asset in outlets:
        waiting = [dag.dag_id for dag in DAGS if dag.asset == asset]
        binds = {"asset": asset, "dag_id": dag_id, "task_id": task_id, "waiting": waiting}
        connection.execute(statement("asset").encode(), binds)
