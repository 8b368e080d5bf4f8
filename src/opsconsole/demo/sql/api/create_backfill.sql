-- A backfill with a run for each of `dates`. Binds: dag, from, to, dates (timestamptz[]), conf, behavior, most, user.
with backfill as (
    insert into backfill (dag_id, from_date, to_date, dag_run_conf, is_paused, reprocess_behavior, max_active_runs, created_at, updated_at,
                          triggering_user_name)
    values (%(dag)s::text, %(from)s::timestamptz, %(to)s::timestamptz, coalesce(%(conf)s::json, 'null'), false, %(behavior)s::text,
            %(most)s::integer, now(), now(), %(user)s::text)
    returning id, dag_id
), runs as (
    insert into dag_run (dag_id, run_id, run_type, state, logical_date, data_interval_start, data_interval_end, run_after, queued_at,
                         triggered_by, triggering_user_name, conf, backfill_id, created_at, updated_at, created_dag_version_id)
    select b.dag_id, 'backfill__' || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), 'backfill', 'queued', at, at, at,
           now(), now(), 'backfill', %(user)s::text, coalesce(%(conf)s::jsonb, '{}'), b.id, now(), now(), v.id
    from backfill b
    cross join lateral (select id from dag_version where dag_id = b.dag_id order by version_number desc limit 1) v
    cross join unnest(%(dates)s::timestamptz[]) as at
    returning id, dag_id, run_id, logical_date, created_dag_version_id
), listed as (
    insert into backfill_dag_run (backfill_id, dag_run_id, logical_date, sort_ordinal)
    select b.id, r.id, r.logical_date, row_number() over (order by r.logical_date) from backfill b, runs r
), tasks as (
    insert into task_instance (id, dag_id, run_id, task_id, operator, custom_operator_name, task_display_name, state, try_number, max_tries,
                               unixname, hostname, pool, pool_slots, queue, priority_weight, updated_at, dag_version_id)
    select gen_random_uuid(), r.dag_id, r.run_id, t.task_id, t.operator, t.operator, t.task_id, null, 0, t.retries, 'airflow', '',
           t.pool, 1, 'default', 1, now(), r.created_dag_version_id
    from runs r join engine.task t using (dag_id)
)
select id from backfill;
