-- A try failed, and another follows: what is known of this one is kept, and the next is a new instance.
with failed as (
    update task_instance
    set state = 'up_for_retry', end_date = now(), updated_at = now(), duration = extract(epoch from now() - start_date),
        id = gen_random_uuid()
    where id = %(id)s and state = 'running'
    returning *
)
insert into task_instance_history (task_instance_id, task_id, dag_id, run_id, map_index, try_number, start_date, end_date, duration,
                                   state, max_tries, hostname, unixname, pool, pool_slots, queue, priority_weight, operator,
                                   custom_operator_name, queued_dttm, scheduled_dttm, queued_by_job_id, pid, executor, updated_at,
                                   task_display_name, dag_version_id)
select %(id)s, task_id, dag_id, run_id, map_index, try_number, start_date, end_date, duration, 'failed', max_tries, hostname,
       unixname, pool, pool_slots, queue, priority_weight, operator, custom_operator_name, queued_dttm, scheduled_dttm,
       queued_by_job_id, pid, executor, updated_at, task_display_name, dag_version_id
from failed;
