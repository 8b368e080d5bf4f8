"""The sessions page against pg_activity on the same server in the same run, and keys while a large server is read."""

import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from bench.measure import Program, Steady, highlights, key_latencies, median, steady
from bench.servers import CONSOLE
from tests.servers import PostgresServer

PEER = Path(sys.prefix).parent / ".venv-peers" / "bin" / "pg_activity"
"""`make bench` puts it there; it is no part of the program."""
SESSIONS = r"\d+ sessions +\d+ active"
_WINDOW = 12.0
_TURNS = 3
FORGET = "select pg_stat_statements_reset(oid) from pg_roles where rolname = '{role}'"


@dataclass(frozen=True)
class Against:
    """The console over the peer, each the median of its turns."""

    bytes: float
    cpu: float
    server_time: float
    how: str


@contextmanager
def busy(server: PostgresServer, count: int) -> Iterator[None]:
    """`count` sessions that are all in a statement, as a server in trouble has them."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(closing(psycopg.connect(server.dsn(user="app"), autocommit=True)))
            connection.pgconn.send_query(b"select pg_sleep(3600)")
        yield
    end_all(server)


@contextmanager
def connected(server: PostgresServer, count: int) -> Iterator[None]:
    """`count` sessions, most of which do nothing."""
    with ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(closing(psycopg.connect(server.dsn(user="app"), autocommit=True)))
            if number % 10 == 0:
                connection.pgconn.send_query(b"select pg_sleep(3600)")
        yield
    end_all(server)


def end_all(server: PostgresServer) -> None:
    """Whoever sleeps does not notice that his client has gone."""
    server.psql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")


def prepare(server: PostgresServer) -> None:
    """A role for each of the two, so that the server can say what each cost."""
    server.psql(
        "create extension pg_stat_statements; create role app login;"
        "create role ours superuser login; create role peer superuser login"
    )


def spent(server: PostgresServer, role: str) -> float:
    """Milliseconds that the server planned and executed for `role`."""
    return float(
        server.psql(
            "select coalesce(sum(total_exec_time + total_plan_time), 0) from pg_stat_statements s"
            f" join pg_roles r on r.oid = s.userid where r.rolname = '{role}'"
        )
    )


def against_peer(server: PostgresServer, count: int, state: str) -> Against:
    """Both at their refresh of two seconds, in turn, on the same `count` busy sessions."""
    programs = {"ours": console(server, state), "peer": peer(server)}
    runs: dict[str, list[Steady]] = {"ours": [], "peer": []}
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    with busy(server, count):
        for _ in range(_TURNS):
            for name, program in programs.items():
                keys = (":db sessions", "enter") if name == "ours" else ()
                # What a program asks once, when it connects, is not what it costs to leave it open.
                begun = partial(server.psql, FORGET.format(role=name))
                runs[name].append(steady(program, warm_up=4.0, window=_WINDOW, keys=keys, begun=begun))
                times[name].append(spent(server, name))

    def ratio(ours: list[float], theirs: list[float], least: float) -> float:
        return median(ours) / max(median(theirs), least)

    written = {name: [one.bytes_per_second for one in some] for name, some in runs.items()}
    # The kernel accounts in ticks of 10 ms: less than that over the window cannot be told apart.
    cpu = {name: [one.cpu_percent for one in some] for name, some in runs.items()}
    how = ", ".join(
        f"{name} {median(written[name]):.0f} B/s {median(cpu[name]):.2f} % {median(times[name]):.0f} ms"
        for name in runs
    )
    return Against(
        ratio(written["ours"], written["peer"], 1.0),
        ratio(cpu["ours"], cpu["peer"], 1.0 / _WINDOW),
        ratio(times["ours"], times["peer"], 0.1),
        how,
    )


def console(server: PostgresServer, state: str) -> Program:
    """The console on that server."""
    argv = (*CONSOLE, "--postgres", server.dsn(user="ours"))
    return Program(argv, r"9 Runbooks", env={"OPSCONSOLE_STATE": state})


def peer(server: PostgresServer) -> Program:
    """pg_activity on that server, as it comes."""
    argv = (str(PEER), "-h", "127.0.0.1", "-p", str(server.port), "-U", "peer", "-d", "postgres")
    return Program(argv, r"RUNNING QUERIES")


def many_statements(server: PostgresServer, count: int) -> None:
    """So many different statements in pg_stat_statements, which tells them apart by their shape alone."""
    side = math.isqrt(count) + 1
    with psycopg.connect(server.dsn(user="app"), autocommit=True) as connection:
        for number in range(count):
            columns, conditions = divmod(number, side)
            wanted = ", ".join(["1"] * (columns + 1))
            connection.execute(f"select {wanted} where {' and '.join(['true'] * (conditions + 1))}".encode())


def page_keys(server: PostgresServer, state: str, page: str, shown: str) -> list[float]:
    """Seconds from a key that moves the cursor to its paint, while that page is read."""
    with console(server, state).open() as terminal:
        terminal.wait_for(r"9 Runbooks", 20)
        terminal.press(f":db {page}", "enter")
        terminal.wait_for(shown, 30)
        terminal.settle(0.5)
        terminal.press("down")
        terminal.settle(0.3)
        return key_latencies(terminal, ["down", "up"], 80, highlights, pause=0.08)
