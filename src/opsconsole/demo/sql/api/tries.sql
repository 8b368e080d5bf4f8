-- All tries of one task instance: those that were, and the present one unless it only waits for the next.
-- Binds: dag, run, task, map_index.
select t.task_id, t.dag_id, t.run_id as dag_run_id, t.map_index, t.start_date, t.end_date, t.duration, t.state, t.try_number, t.max_tries,
       t.task_display_name, d.dag_display_name, t.hostname, t.unixname, t.pool, t.pool_slots, t.queue, t.priority_weight, t.operator,
       t.custom_operator_name as operator_name, t.queued_dttm as queued_when, t.scheduled_dttm as scheduled_when, t.pid, t.executor,
       v.id as version_id, v.version_number, v.bundle_name as version_bundle, v.bundle_version as version_bundle_version, v.created_at as version_created
from (select task_id, dag_id, run_id, map_index, start_date, end_date, duration, state, try_number, max_tries, task_display_name, hostname,
             unixname, pool, pool_slots, queue, priority_weight, operator, custom_operator_name, queued_dttm, scheduled_dttm, pid, executor,
             dag_version_id, false as present
      from task_instance_history
      union all
      select task_id, dag_id, run_id, map_index, start_date, end_date, duration, state, try_number, max_tries, task_display_name, hostname,
             unixname, pool, pool_slots, queue, priority_weight, operator, custom_operator_name, queued_dttm, scheduled_dttm, pid, executor,
             dag_version_id, true
      from task_instance where state is distinct from 'up_for_retry') t
join dag d using (dag_id)
left join dag_version v on v.id = t.dag_version_id
where t.dag_id = %(dag)s::text and t.run_id = %(run)s::text and t.task_id = %(task)s::text and t.map_index = %(map_index)s::integer
order by t.try_number, t.present;
