-- The task instances of one run; or, without DAG_ID, those of all DAGs that failed and ended after SINCE.
-- Cost: one run by index; else the failed ones, by the index on state. Versions: Airflow 2.2 to 3.
-- Privilege: select on task_instance. Binds: DAG_ID, RUN_ID, SINCE (unix seconds), MOST.
select dag_id, run_id, task_id, map_index, state, coalesce(try_number, 0) as try_number,
       coalesce(max_tries, 0) as max_tries, operator, pool, queue, hostname,
       scheduled_dttm as scheduled_at,  -- if task_instance.scheduled_dttm else null::timestamptz as scheduled_at,
       queued_dttm as queued_at, start_date as started_at, end_date as ended_at
  from task_instance
 where (:'DAG_ID' <> '' and dag_id = :'DAG_ID' and run_id = :'RUN_ID')
    or (:'DAG_ID' = '' and state = 'failed' and end_date >= to_timestamp(:'SINCE'::float8))
 order by end_date desc nulls first, task_id, map_index
 limit :'MOST'::int
