-- A mapped task becomes its instances as soon as what it waits for has succeeded.
with ready as (
    update task_instance t
    set map_index = 0, updated_at = now()
    from dag_run r, engine.task e
    where r.state = 'running' and r.dag_id = t.dag_id and r.run_id = t.run_id and e.dag_id = t.dag_id and e.task_id = t.task_id
      and t.state is null and t.map_index = -1 and e.mapped > 0
      and not exists (select from task_instance u where u.dag_id = t.dag_id and u.run_id = t.run_id
                      and u.task_id = any(e.upstream) and u.state is distinct from 'success' and u.state is distinct from 'skipped')
    returning t.*, e.mapped
)
insert into task_instance (id, dag_id, run_id, task_id, map_index, operator, custom_operator_name, task_display_name, state,
                           try_number, max_tries, unixname, hostname, pool, pool_slots, queue, priority_weight, updated_at, dag_version_id)
select gen_random_uuid(), dag_id, run_id, task_id, index, operator, custom_operator_name, task_display_name, null,
       try_number, max_tries, unixname, hostname, pool, pool_slots, queue, priority_weight, now(), dag_version_id
from ready, generate_series(1, ready.mapped - 1) as index;
