"""How the Airflow components of the demo read and write the metadata database."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import AsyncConnection, AsyncCursor


@dataclass
class Database:
    """A connection that comes back by itself: what runs on it is tried again by the caller's loop."""

    dsn: str
    name: str
    """Its application_name."""
    _connection: "AsyncConnection[Any] | None" = field(default=None, repr=False)
    _using: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def rows(self, text: str, binds: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement, committed by itself; gives its rows.

        Raises:
            psycopg.Error: whatever the server or the connection says.
        """
        async with self._using:
            cursor = await self._execute(text, binds)
            return await cursor.fetchall() if cursor.description else []

    async def records(self, text: str, binds: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Like `rows`, each with its columns' names."""
        async with self._using:
            cursor = await self._execute(text, binds)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]

    async def _execute(self, text: str, binds: Mapping[str, Any] | None) -> "AsyncCursor[Any]":
        from psycopg import AsyncConnection

        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self.dsn, autocommit=True, application_name=self.name, connect_timeout=3
            )
        return await self._connection.execute(text.encode(), binds)


async def register(database: Database, job_type: str, hostname: str) -> int:
    """Enter this component into the table `job`; gives the row's id."""
    found = await database.rows(
        """insert into job (job_type, state, start_date, latest_heartbeat, hostname, unixname, executor_class)
           values (%(type)s, 'running', now(), now(), %(host)s, 'airflow', 'CeleryExecutor') returning id""",
        {"type": job_type, "host": hostname},
    )
    return int(found[0][0])


async def heartbeat(database: Database, job: int) -> None:
    """Say that the component lives."""
    await database.rows("update job set latest_heartbeat = now() where id = %(id)s", {"id": job})


def run_binds(dag_id: str, run_type: str, triggered_by: str, **more: Any) -> dict[str, Any]:
    """The binds of `engine/create_run`; what is left out is null."""
    optional = ("run", "logical_date", "start", "end", "run_after", "conf", "user", "job", "note")
    return {"dag": dag_id, "type": run_type, "triggered_by": triggered_by, **dict.fromkeys(optional), **more}


def selection(dag_id: str, **more: Any) -> dict[str, Any]:
    """The binds of `engine/select_tasks`; what is left out does not restrict."""
    usual: dict[str, Any] = {"run": None, "start": None, "end": None, "tasks": None}
    flags = {"failed": False, "running": False, "past": False, "future": False}
    return {"dag": dag_id, **usual, **flags, **more}


LATEST = """
select d.dag_id, coalesce(r.state = 'failed', false)
from dag d left join lateral (
    select state from dag_run where dag_id = d.dag_id and state in ('success', 'failed') order by run_after desc limit 1
) r on true
"""
"""Whether the latest finished run of each DAG failed."""

ASKED_FOR = """
select clear_number > 0 or run_type = 'manual' from dag_run where dag_id = %(dag)s and run_id = %(run)s
"""
"""Whether somebody cleared or triggered a run by hand."""

COUNTS = """
select count(*) filter (where state = 'running'), count(*) filter (where state = 'queued'),
       count(*) filter (where state = 'success' and end_date >= date_trunc('day', now())),
       count(*) filter (where state = 'failed' and end_date >= date_trunc('day', now()))
from dag_run where run_after >= date_trunc('day', now()) - interval '1 hour'
"""

FAILED_LATELY = """
select id from task_instance
where dag_id = %(dag)s and state in ('failed', 'upstream_failed')
  and run_id in (select run_id from dag_run where dag_id = %(dag)s and state = 'failed'
                 and end_date >= now() - interval '30 min')
"""
"""The failed tasks of the runs of the last half hour."""

POOLS = """
select p.pool, p.slots::float8, coalesce(sum(t.pool_slots) filter (where t.state = 'running'), 0)::float8,
       coalesce(sum(t.pool_slots) filter (where t.state = 'queued'), 0)::float8
from slot_pool p left join task_instance t on t.pool = p.pool and t.state in ('running', 'queued')
group by p.pool, p.slots
"""
"""Pool, slots, running, queued."""
