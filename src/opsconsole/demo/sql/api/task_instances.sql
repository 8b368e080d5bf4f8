-- Task instances, as they are now. Binds: dag, run, task, map_index, ids (uuid[]); null: any.
select t.id, t.task_id, t.dag_id, t.run_id as dag_run_id, t.map_index, r.logical_date, r.run_after, t.start_date, t.end_date, t.duration,
       t.state, t.try_number, t.max_tries, t.task_display_name, d.dag_display_name, t.hostname, t.unixname, t.pool, t.pool_slots,
       t.queue, t.priority_weight, t.operator, t.custom_operator_name as operator_name, t.queued_dttm as queued_when,
       t.scheduled_dttm as scheduled_when, t.pid, t.executor, n.content as note, t.rendered_map_index,
       v.id as version_id, v.version_number, v.bundle_name as version_bundle, v.bundle_version as version_bundle_version,
       v.created_at as version_created
from task_instance t
join dag_run r using (dag_id, run_id)
join dag d using (dag_id)
left join dag_version v on v.id = t.dag_version_id
left join task_instance_note n on n.ti_id = t.id
where (%(dag)s::text is null or t.dag_id = %(dag)s::text) and (%(run)s::text is null or t.run_id = %(run)s::text)
  and (%(task)s::text is null or t.task_id = %(task)s::text) and (%(map_index)s::integer is null or t.map_index = %(map_index)s::integer)
  and (%(ids)s::uuid[] is null or t.id = any(%(ids)s::uuid[]))
