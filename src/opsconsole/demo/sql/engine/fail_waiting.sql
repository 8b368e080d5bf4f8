-- What waits for a task that failed will never run. One level; asked again until it gives no row.
update task_instance t
set state = 'upstream_failed', start_date = now(), end_date = now(), updated_at = now()
from dag_run r, engine.task e
where r.state = 'running' and r.dag_id = t.dag_id and r.run_id = t.run_id and e.dag_id = t.dag_id and e.task_id = t.task_id
  and t.state is null
  and exists (select from task_instance u where u.dag_id = t.dag_id and u.run_id = t.run_id and u.task_id = any(e.upstream)
              and u.state in ('failed', 'upstream_failed'))
returning t.id;
