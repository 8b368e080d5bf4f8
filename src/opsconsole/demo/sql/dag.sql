-- One DAG with 30 days of hourly runs, the last day's with their tasks. About 1 run in 250 failed.
-- Binds: dag_id, description, timetable, every (seconds), paused, tasks (text[]), operators (text[]).
with inserted as (
    insert into dag (dag_id, is_paused, is_stale, last_parsed_time, fileloc, relative_fileloc, bundle_name, owners,
                     dag_display_name, description, timetable_summary, timetable_description, next_dagrun,
                     next_dagrun_create_after)
    values (%(dag_id)s::text, %(paused)s, false, now(), '/opt/airflow/dags/' || %(dag_id)s::text || '.py', %(dag_id)s::text || '.py',
            'dags-folder', 'data-platform', %(dag_id)s::text, %(description)s::text, %(timetable)s::text, %(timetable)s::text, now(),
            now() + random() * interval '4 seconds')
    returning dag_id
), tagged as (
    insert into dag_tag (name, dag_id) select 'energy', dag_id from inserted
), serialized as (
    insert into serialized_dag (dag_id, data)
    select i.dag_id, jsonb_build_object('dag', jsonb_build_object('tasks', jsonb_agg(jsonb_build_object('__var',
             jsonb_build_object('task_id', task, 'downstream_task_ids', to_jsonb(array_remove(array[follower], null)))))))
    from inserted i, (select task, lead(task) over (order by n) as follower
                      from unnest(%(tasks)s::text[]) with ordinality as t (task, n)) chain
    group by i.dag_id
), runs as (
    insert into dag_run (dag_id, run_id, run_type, state, logical_date, data_interval_start, data_interval_end,
                         run_after, queued_at, start_date, end_date)
    select i.dag_id, 'scheduled__' || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), 'scheduled',
           case when (h + hashtext(i.dag_id)) %% 251 = 0 then 'failed' else 'success' end, at, at - interval '1 hour', at,
           at, at, at + interval '2 seconds', at + make_interval(secs => 12 + 60 * random())
    from inserted i, generate_series(1, 720) h, lateral (select date_trunc('hour', now()) - make_interval(hours => h) as at) t
    where not %(paused)s and h > 1
    returning dag_id, run_id, state, start_date, end_date
)
insert into task_instance (dag_id, run_id, task_id, operator, state, try_number, start_date, end_date, duration, hostname)
select dag_id, run_id, task, operator, case when state = 'failed' and n = cardinality(%(tasks)s::text[]) then 'failed' else 'success' end,
       1, start_date + (end_date - start_date) * (n - 1) / cardinality(%(tasks)s::text[]),
       start_date + (end_date - start_date) * n / cardinality(%(tasks)s::text[]),
       extract(epoch from end_date - start_date) / cardinality(%(tasks)s::text[]), 'worker-1'
from runs, unnest(%(tasks)s::text[], %(operators)s::text[]) with ordinality as t (task, operator, n)
where start_date > now() - interval '1 day';
