"""Cancelling what a PostgreSQL session does, and ending a session: the `postgres.*` actions.

A session is named by its process id and the moment it began: by the time somebody confirms, the id alone may be
somebody else's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.runners.sql import SqlRunner
from opsconsole.actions.session_guard import objection, read_who
from opsconsole.config.settings import Environment, PostgresSettings
from opsconsole.core.problem import nearest
from opsconsole.core.reading import SourceError

_TIMEOUT = 20.0
_GONE = "there is no such session any more"
# cost: one row of pg_stat_activity; privilege: pg_signal_backend, or to be the session's own role. Sessions of the
# server itself (autovacuum launcher, walwriter) are left alone: they are no client backends.
_SIGNAL = """\
select {function}(pid) as done, pid, usename, datname, application_name, state
  from pg_stat_activity
 where pid = :'PID'::int and backend_start = :'STARTED'::timestamptz
   and backend_type in ('client backend', 'autovacuum worker', 'parallel worker') and pid <> pg_backend_pid()
"""
_THERE = """\
select pid, usename, state
  from pg_stat_activity
 where pid = :'PID'::int and backend_start = :'STARTED'::timestamptz{busy}
"""
# A cancelled session stays; it is busy with something else, or not any more.
_BUSY = "\n   and state = 'active' and query_start < now() - interval '3 seconds'"


@dataclass(frozen=True, slots=True)
class _Exactly:
    """A demand on the number of rows."""

    count: int

    def holds(self, rows: int) -> bool:
        return rows == self.count

    def __str__(self) -> str:
        return f"={self.count}"


def session_action(function: str, arguments: Mapping[str, str], environment: Environment) -> Action:
    """The action that calls `function` for the session that `arguments` name."""
    database = database_of(environment, arguments.get("conn", ""))
    ends = function == "pg_terminate_backend"
    values = {"PID": arguments["pid"], "STARTED": arguments["backend_start"]}
    sql = _SIGNAL.format(function=function)
    return Action(
        id="postgres.terminate" if ends else "postgres.cancel",
        title=f"{'end' if ends else 'cancel the statement of'} session {arguments['pid']}",
        command="\n".join(
            [f"-- on {database.name}", *(f"\\set {name} '{value}'" for name, value in values.items()), sql.rstrip()]
        ),
        target=arguments["pid"],
        risk=Risk.DESTRUCTIVE if ends else Risk.WRITE,
        runner=_Signalling(
            SqlRunner(database, sql, values, risk=Risk.WRITE, timeout=_TIMEOUT, expect_rows=_Exactly(1)), values, ends
        ),
        timeout=_TIMEOUT,
        verify=partial(_is_over, database, values, ends),
        verify_timeout=_TIMEOUT,
        details=(("database", database.name), *((name.lower(), value) for name, value in values.items())),
    )


cancel = partial(session_action, "pg_cancel_backend")
terminate = partial(session_action, "pg_terminate_backend")


@dataclass(frozen=True, slots=True)
class _Signalling:
    """The statement, after a look at who that is, and with what no row means said in words."""

    inner: SqlRunner
    values: Mapping[str, str]
    ends: bool

    async def run(self, sink: Sink) -> Result:
        try:
            who = await read_who(self.inner.settings, self.values)
        except SourceError as error:
            return Result(Outcome.FAILED, detail=f"nothing was sent: {error}")
        if who is None:
            return Result(Outcome.FAILED, detail=_GONE)
        if why := objection(who, ends=self.ends):
            return Result(Outcome.REFUSED, detail=f"{who.in_words}: {why}")
        result = await self.inner.run(sink)
        if result.outcome is Outcome.FAILED and result.detail.startswith("0 rows"):
            return Result(Outcome.FAILED, detail=_GONE, duration=result.duration)
        return replace(result, detail=who.in_words) if result.outcome is Outcome.OK else result


async def _is_over(database: PostgresSettings, values: Mapping[str, str], ends: bool) -> Result:
    """Looks until the session is gone, or no longer busy with what it was busy with."""
    import asyncio

    sql = _THERE.format(busy="" if ends else _BUSY)
    runner = SqlRunner(database, sql, values, risk=Risk.READ, timeout=_TIMEOUT, expect_rows=_Exactly(0))
    wanted = "gone" if ends else "not busy any more"
    try:
        while True:
            result = await runner.run(lambda piece: None)
            if result.outcome is Outcome.OK:
                return Result(Outcome.OK, detail=f"the session is {wanted}")
            if not result.detail.startswith("1 row"):
                return result
            await asyncio.sleep(0.2)
    except asyncio.CancelledError:
        return Result(Outcome.CANCELLED, detail=f"the session is not {wanted}: what it does cannot be interrupted")


def database_of(environment: Environment, name: str) -> PostgresSettings:
    """The database called `name` in `environment`, with or without `postgres/`; the only one where none is named.

    Raises:
        ValueError: there is none of that name, or several and none is named.
    """
    known = environment.postgres
    if not name and len(known) == 1:
        return next(iter(known.values()))
    if name.removeprefix("postgres/") in known:
        return known[name.removeprefix("postgres/")]
    configured = f"configured are {', '.join(known) or 'none'}"
    if not name:
        raise ValueError(f"conn: which database? {configured}")
    raise ValueError(f"no database {name!r} in {environment.name}{nearest(name, known)}; {configured}")
