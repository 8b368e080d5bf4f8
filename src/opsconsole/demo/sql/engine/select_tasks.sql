-- The task instances that a clearing means. Binds: dag; run (id; null: all), start and end (logical dates; null: open),
-- tasks (JSON: [[task_id, map_index or null], …]; null: all), failed, running (only those), past, future (of the run, too).
select t.id
from task_instance t
join dag_run r using (dag_id, run_id)
left join dag_run named on named.dag_id = t.dag_id and named.run_id = %(run)s::text
where t.dag_id = %(dag)s::text
  and (%(run)s::text is null or r.id = named.id
       or (%(past)s::boolean and coalesce(r.logical_date, r.run_after) <= coalesce(named.logical_date, named.run_after))
       or (%(future)s::boolean and coalesce(r.logical_date, r.run_after) >= coalesce(named.logical_date, named.run_after)))
  and (%(start)s::timestamptz is null or r.logical_date >= %(start)s::timestamptz)
  and (%(end)s::timestamptz is null or r.logical_date <= %(end)s::timestamptz)
  and (not %(failed)s::boolean or t.state in ('failed', 'upstream_failed'))
  and (not %(running)s::boolean or t.state = 'running')
  and (%(tasks)s::text is null
       or exists (select from jsonb_array_elements(%(tasks)s::jsonb) one
                  where one ->> 0 = t.task_id and (one -> 1 = 'null' or (one ->> 1)::integer = t.map_index)));
