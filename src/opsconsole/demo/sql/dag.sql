-- One DAG with 30 days of hourly runs, those of the last three days with their tasks. About 1 run in 250 failed, at its
-- last task; a task that is unsteady failed its first try now and then. Takes 0.1 s for a DAG.
-- Binds: dag_id, description, timetable, every (seconds), paused, owner, tags (text[]), asset, length (seconds),
-- tasks (JSON: task_id, operator, upstream, seconds, mapped, retries, pool, flaky, outlet, begins: seconds after the run's begin).
with told as (
    insert into engine.dag (dag_id, every) values (%(dag_id)s::text, %(every)s::float8)
), tasks as (
    insert into engine.task (dag_id, task_id, position, operator, upstream, mapped, retries, pool, seconds, flaky, outlet)
    select %(dag_id)s::text, t.task_id, t.position, t.operator, t.upstream, t.mapped, t.retries, t.pool, t.seconds, t.flaky, t.outlet
    from jsonb_to_recordset(%(tasks)s::jsonb) as t (task_id text, position integer, operator text, upstream text[], mapped integer,
                                             retries integer, pool text, seconds float8, flaky float8, outlet text)
), inserted as (
    insert into dag (dag_id, is_paused, is_stale, last_parsed_time, last_parse_duration, fileloc, relative_fileloc, bundle_name,
                     owners, dag_display_name, description, timetable_type, timetable_summary, timetable_description,
                     timetable_periodic, partition_mapper_info, asset_expression, max_active_tasks, max_active_runs,
                     max_consecutive_failed_dag_runs, has_task_concurrency_limits, next_dagrun, next_dagrun_create_after)
    values (%(dag_id)s::text, %(paused)s::boolean, false, now(), 0.05, '/opt/airflow/dags/demo_dags.py', 'demo_dags.py', 'dags-folder',
            %(owner)s::text, %(dag_id)s::text, %(description)s::text,
            case when %(asset)s::text = '' then 'airflow.timetables.trigger.CronTriggerTimetable' else 'airflow.timetables.simple.AssetTriggeredTimetable' end,
            %(timetable)s::text, case when %(asset)s::text = '' then %(timetable)s::text else 'Triggered by assets' end,
            %(asset)s::text = '', '{}',
            case when %(asset)s::text <> '' then
                json_build_object('all', json_build_array(json_build_object('asset', json_build_object(
                    'uri', 'postgres://app/public/' || %(asset)s::text, 'name', %(asset)s::text, 'group', 'asset')))) end,
            16, 3, 0, false, case when %(asset)s::text = '' then now() end,
            case when %(asset)s::text = '' then now() + random() * interval '4 seconds' end)
    returning dag_id
), version as (
    insert into dag_version (id, version_number, dag_id, bundle_name, created_at, last_updated)
    select gen_random_uuid(), 1, dag_id, 'dags-folder', now() - interval '40 days', now() - interval '40 days' from inserted
    returning id, dag_id
), tagged as (
    insert into dag_tag (name, dag_id) select name, dag_id from inserted, unnest(%(tags)s::text[]) as name
), serialized as (
    insert into serialized_dag (id, dag_id, data, dag_hash, created_at, last_updated, dag_version_id)
    select gen_random_uuid(), v.dag_id, jsonb_build_object('dag', jsonb_build_object('tasks', listed.tasks)), md5(listed.tasks::text),
           now() - interval '40 days', now() - interval '40 days', v.id
    from version v, lateral (
        select jsonb_agg(jsonb_build_object('__var', jsonb_build_object('task_id', t.task_id, 'downstream_task_ids',
                   coalesce((select jsonb_agg(f ->> 'task_id') from jsonb_array_elements(%(tasks)s::jsonb) f
                              where f -> 'upstream' ? t.task_id), '[]')))) as tasks
        from jsonb_to_recordset(%(tasks)s::jsonb) as t (task_id text)) listed
), runs as (
    insert into dag_run (dag_id, run_id, run_type, state, logical_date, data_interval_start, data_interval_end, run_after,
                         queued_at, start_date, end_date, last_scheduling_decision, triggered_by, conf, created_at, updated_at,
                         created_dag_version_id)
    select v.dag_id, kind || '__' || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), kind,
           case when (h + hashtext(v.dag_id)) %% 251 = 0 then 'failed' else 'success' end,
           case when kind = 'scheduled' then at end, case when kind = 'scheduled' then at end,
           case when kind = 'scheduled' then at end, at, at, at + interval '1 second',
           at + make_interval(secs => 1.5 + %(length)s::float8 * (0.8 + 0.5 * random())), at, case kind when 'scheduled' then 'timetable' else 'asset' end,
           '{}', at, at, v.id
    from version v, generate_series(1, 720) h,
         lateral (select date_trunc('hour', now()) - make_interval(hours => h) as at,
                         case when %(asset)s::text = '' then 'scheduled' else 'asset_triggered' end as kind) t
    where not %(paused)s::boolean and h > 1
    returning dag_id, run_id, state, start_date, end_date, created_dag_version_id
), past as (
    select r.*, t.*, index as map_index, extract(epoch from r.end_date - r.start_date) / %(length)s::float8 as pace,
           t.flaky > 0 and abs(hashtext(r.run_id || t.task_id) %% 100) < 100 * t.flaky as retried,
           r.state = 'failed' and t.position = jsonb_array_length(%(tasks)s::jsonb) as failed
    from runs r,
         jsonb_to_recordset(%(tasks)s::jsonb) as t (task_id text, position integer, operator text, seconds float8, mapped integer, retries integer,
                                             pool text, flaky float8, begins float8),
         generate_series(case t.mapped when 0 then -1 else 0 end, t.mapped - 1) as index
    where r.start_date > now() - interval '3 days'
), instances as (
    insert into task_instance (id, dag_id, run_id, task_id, map_index, operator, task_display_name, state, try_number, max_tries,
                               start_date, end_date, duration, hostname, unixname, pool, pool_slots, queue, priority_weight,
                               queued_dttm, scheduled_dttm, custom_operator_name, updated_at, dag_version_id)
    select gen_random_uuid(), dag_id, run_id, task_id, map_index, operator, task_id, case when failed then 'failed' else 'success' end,
           case when failed then retries + 1 when retried then 2 else 1 end, retries, began, began + make_interval(secs => took), took,
           'worker-1', 'airflow', pool, 1, 'default', 1, began - interval '0.3 s', began - interval '0.5 s', operator, began, created_dag_version_id
    from past, lateral (select start_date + make_interval(secs => begins * pace) as began,
                               seconds * pace * (0.7 + 0.6 * random()) as took) as at
    returning dag_id, run_id, task_id, map_index, operator, try_number, max_tries, start_date, pool, dag_version_id, hostname
)
insert into task_instance_history (task_instance_id, dag_id, run_id, task_id, map_index, operator, task_display_name, state,
                                   try_number, max_tries, start_date, end_date, duration, hostname, unixname, pool, pool_slots,
                                   queue, priority_weight, queued_dttm, scheduled_dttm, custom_operator_name, updated_at, dag_version_id)
select gen_random_uuid(), dag_id, run_id, task_id, map_index, operator, task_id, 'failed', try, max_tries,
       start_date - interval '3 s' * (try_number - try), start_date - interval '3 s' * (try_number - try) + interval '0.4 s', 0.4,
       hostname, 'airflow', pool, 1, 'default', 1, start_date, start_date, operator, start_date, dag_version_id
from instances, generate_series(1, try_number - 1) as try;
