-- A new run of a DAG with all its tasks, queued; gives run_id, or nothing where there is no such DAG.
-- Binds: dag, run (id; null: made up), type, triggered_by, logical_date, start, end (of the data interval), run_after
-- (null: now), conf (JSON), user, job, note; each but dag, type and triggered_by may be null.
with run as (
    insert into dag_run (dag_id, run_id, run_type, state, logical_date, data_interval_start, data_interval_end, run_after,
                         queued_at, triggered_by, triggering_user_name, conf, creating_job_id, created_at, updated_at,
                         created_dag_version_id)
    select d.dag_id,
           coalesce(%(run)s::text, %(type)s::text || '__' || to_char(
               coalesce(%(run_after)s::timestamptz, now()) at time zone 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
               || case when %(type)s::text = 'asset_triggered' then '_' || substr(md5(random()::text), 1, 8) else '' end),
           %(type)s::text, 'queued', %(logical_date)s::timestamptz, coalesce(%(start)s::timestamptz, %(logical_date)s::timestamptz),
           coalesce(%(end)s::timestamptz, %(logical_date)s::timestamptz), coalesce(%(run_after)s::timestamptz, now()), now(),
           %(triggered_by)s::text, %(user)s::text, coalesce(%(conf)s::text, '{}')::jsonb, %(job)s::integer, now(), now(), v.id
    from dag d
    cross join lateral (select id from dag_version where dag_id = d.dag_id order by version_number desc limit 1) v
    where d.dag_id = %(dag)s::text
    returning id, dag_id, run_id, created_dag_version_id
), noted as (
    insert into dag_run_note (dag_run_id, user_id, content, created_at, updated_at)
    select id, %(user)s::text, %(note)s::text, now(), now() from run where %(note)s::text is not null
), events as (
    insert into dagrun_asset_event (dag_run_id, event_id)
    select run.id, e.id
    from run
    join dag_schedule_asset_reference a using (dag_id)
    join asset_event e using (asset_id)
    where %(type)s::text = 'asset_triggered' and not exists (select from dagrun_asset_event used where used.event_id = e.id)
), tasks as (
    insert into task_instance (id, dag_id, run_id, task_id, operator, custom_operator_name, task_display_name, state, try_number,
                               max_tries, unixname, hostname, pool, pool_slots, queue, priority_weight, updated_at, dag_version_id)
    select gen_random_uuid(), run.dag_id, run.run_id, t.task_id, t.operator, t.operator, t.task_id, null, 0, t.retries, 'airflow', '',
           t.pool, 1, 'default', 1, now(), run.created_dag_version_id
    from run join engine.task t using (dag_id)
)
select run_id from run;
