"""How the Airflow components of the demo read and write the metadata database."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opsconsole.demo.catalogue import DAGS

if TYPE_CHECKING:
    from psycopg import AsyncConnection

TASKS = {dag.dag_id: dag.tasks for dag in DAGS}


@dataclass
class Database:
    """A connection that comes back by itself: what runs on it is tried again by the caller's loop."""

    dsn: str
    name: str
    """Its application_name."""
    _connection: "AsyncConnection[Any] | None" = field(default=None, repr=False)
    _using: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def rows(self, text: str, binds: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement, committed by itself; gives its rows.

        Raises:
            psycopg.Error: whatever the server or the connection says.
        """
        from psycopg import AsyncConnection

        async with self._using:
            if self._connection is None or self._connection.closed:
                self._connection = await AsyncConnection.connect(
                    self.dsn, autocommit=True, application_name=self.name, connect_timeout=3
                )
            cursor = await self._connection.execute(text.encode(), binds)
            return await cursor.fetchall() if cursor.description else []


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


CREATE_RUN = """
with due as (
    update dag set next_dagrun = now(), next_dagrun_create_after = now() + make_interval(secs => %(every)s),
                   next_dagrun_data_interval_start = now() - make_interval(secs => %(every)s),
                   next_dagrun_data_interval_end = now()
    where dag_id = %(dag)s and (%(force)s or (
      not is_paused and next_dagrun_create_after <= now()
      and not exists (select from dag_run where dag_id = %(dag)s and state in ('running', 'queued'))))
    returning dag_id
), run as (
    insert into dag_run (dag_id, run_id, run_type, state, logical_date, data_interval_start, data_interval_end,
                         run_after, queued_at, start_date, creating_job_id)
    select dag_id, 'scheduled__' || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
           'scheduled', 'running', now(), now() - make_interval(secs => %(every)s), now(), now(), now(), now(), %(job)s
    from due
    on conflict (dag_id, run_id) do nothing
    returning dag_id, run_id
)
insert into task_instance (dag_id, run_id, task_id, operator, task_display_name, state, scheduled_dttm)
select dag_id, run_id, task, operator, task, null, now()
from run, unnest(%(tasks)s::text[], %(operators)s::text[]) as t (task, operator)
"""
"""Creates a run of a DAG that is due and has none under way, or that is forced, with its tasks."""

UNFINISHED = """
select r.dag_id, r.run_id, array_agg(t.task_id), array_agg(coalesce(t.state, 'none'))
from dag_run r join task_instance t using (dag_id, run_id)
where r.state in ('running', 'queued') group by 1, 2
"""

SET_TASK = """
update task_instance set state = %(state)s, queued_dttm = now(), updated_at = now()
where dag_id = %(dag)s and run_id = %(run)s and task_id = any(%(tasks)s) and state is distinct from %(state)s
"""

FINISH_RUN = """
update dag_run set state = %(state)s, end_date = now(), updated_at = now()
where dag_id = %(dag)s and run_id = %(run)s
returning extract(epoch from now() - start_date)::float8, extract(epoch from start_date - run_after)::float8
"""

TAKE_TASK = """
update task_instance set state = 'running', start_date = now(), end_date = null, try_number = try_number + 1,
       hostname = %(host)s, pid = pg_backend_pid(), last_heartbeat_at = now(), updated_at = now()
where id = (select id from task_instance where state = 'queued' order by queued_dttm limit 1 for update skip locked)
returning id, dag_id, run_id, task_id, try_number, max_tries
"""

END_TASK = """
update task_instance set state = %(state)s, end_date = now(), updated_at = now(),
       duration = extract(epoch from now() - start_date)
where id = %(id)s returning duration
"""

KEEP_TRY = """
insert into task_instance_history (task_id, dag_id, run_id, map_index, try_number, start_date, end_date, duration,
                                   state, max_tries, hostname, pool, queue, operator, queued_dttm)
select task_id, dag_id, run_id, map_index, try_number, start_date, now(), extract(epoch from now() - start_date),
       'failed', max_tries, hostname, pool, queue, operator, queued_dttm
from task_instance where id = %(id)s
"""

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

CLEAR_FAILED = """
with cleared as (
    update task_instance set state = null, try_number = 0, start_date = null, end_date = null,
           duration = null, updated_at = now()
    where dag_id = %(dag)s and state in ('failed', 'upstream_failed')
      and run_id in (select run_id from dag_run where dag_id = %(dag)s and state = 'failed'
                     and end_date >= now() - interval '30 min')
    returning run_id
)
update dag_run set state = 'running', end_date = null, clear_number = clear_number + 1, updated_at = now()
where dag_id = %(dag)s and run_id in (select run_id from cleared)
"""
"""As `airflow tasks clear`: the failed tasks of the runs of the last half hour go back to the queue."""
