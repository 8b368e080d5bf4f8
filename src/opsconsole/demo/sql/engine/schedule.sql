-- Tasks whose turn has come: all that they wait for has succeeded, or the pause before a retry is over.
update task_instance t
set state = 'scheduled', try_number = t.try_number + 1, scheduled_dttm = now(), updated_at = now()
from dag_run r, engine.task e
where r.state = 'running' and r.dag_id = t.dag_id and r.run_id = t.run_id and e.dag_id = t.dag_id and e.task_id = t.task_id
  and (t.state is null or (t.state = 'up_for_retry' and t.end_date <= now() - interval '0.5 s'))
  and not (e.mapped > 0 and t.map_index = -1)
  and not exists (select from task_instance u where u.dag_id = t.dag_id and u.run_id = t.run_id
                  and u.task_id = any(e.upstream) and u.state is distinct from 'success' and u.state is distinct from 'skipped');
