-- The task that waits longest begins on this worker.
update task_instance t
set state = 'running', start_date = now(), end_date = null, duration = null, hostname = %(host)s::text, pid = %(pid)s::integer,
    last_heartbeat_at = now(), updated_at = now()
from engine.task e
where t.id = (select id from task_instance where state = 'queued' order by queued_dttm limit 1 for update skip locked)
  and e.dag_id = t.dag_id and e.task_id = t.task_id
returning t.id, t.dag_id, t.run_id, t.task_id, t.map_index, t.try_number, t.max_tries;
