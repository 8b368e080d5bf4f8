-- Task instances go back to where they began: the try that was is kept, as many tries as in the beginning follow, and their
-- runs are queued again (with `reset`). Gives run_id, task_id and map_index of each. Binds: ids (uuid[]), reset.
with chosen as (
    select t.*, e.retries
    from task_instance t join engine.task e using (dag_id, task_id)
    where t.id = any(%(ids)s::uuid[])
), kept as (
    insert into task_instance_history (task_instance_id, task_id, dag_id, run_id, map_index, try_number, start_date, end_date,
                                       duration, state, max_tries, hostname, unixname, pool, pool_slots, queue, priority_weight,
                                       operator, custom_operator_name, queued_dttm, scheduled_dttm, queued_by_job_id, pid, executor,
                                       updated_at, task_display_name, dag_version_id)
    select id, task_id, dag_id, run_id, map_index, try_number, start_date, coalesce(end_date, now()), duration,
           case when state in ('success', 'failed', 'upstream_failed', 'skipped', 'removed') then state else 'failed' end,
           max_tries, hostname, unixname, pool, pool_slots, queue, priority_weight, operator, custom_operator_name, queued_dttm,
           scheduled_dttm, queued_by_job_id, pid, executor, now(), task_display_name, dag_version_id
    from chosen
    on conflict do nothing
), cleared as (
    update task_instance t
    set id = gen_random_uuid(), state = null, max_tries = c.try_number + c.retries, updated_at = now()
    from chosen c
    where t.id = c.id
    returning t.id, t.dag_id, t.run_id, t.task_id, t.map_index
), reopened as (
    update dag_run r
    set clear_number = clear_number + 1, queued_at = now(), updated_at = now(),
        state = case when r.state in ('success', 'failed') then 'queued' else r.state end,
        start_date = case when r.state in ('success', 'failed') then null else r.start_date end,
        end_date = null, last_scheduling_decision = case when r.state in ('success', 'failed') then null else r.last_scheduling_decision end
    where %(reset)s::boolean and (r.dag_id, r.run_id) in (select dag_id, run_id from cleared)
)
select run_id, task_id, map_index, id from cleared order by run_id, task_id, map_index;
