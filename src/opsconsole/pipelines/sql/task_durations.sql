-- The task instances of one DAG that began after SINCE, the newest first.
-- Cost: those of one DAG, by index. Versions: Airflow 2.2 to 3.
-- Privilege: select on task_instance. Binds: DAG_ID, SINCE (unix seconds), MOST.
select dag_id, run_id, task_id, map_index, state, coalesce(try_number, 0) as try_number,
       coalesce(max_tries, 0) as max_tries, operator, pool, queue, hostname,
       scheduled_dttm as scheduled_at,  -- if task_instance.scheduled_dttm else null::timestamptz as scheduled_at,
       queued_dttm as queued_at, start_date as started_at, end_date as ended_at
  from task_instance
 where dag_id = :'DAG_ID'
   and start_date >= to_timestamp(:'SINCE'::float8)
 order by start_date desc, task_id, map_index
 limit :'MOST'::int
