-- The tries of one task instance that are over but for the latest, which the task instance itself has.
-- Cost: a few rows by index. Versions: Airflow 2.10 to 3, which have the table. Privilege: select on
-- task_instance_history. Binds: DAG_ID, RUN_ID, TASK_ID, MAP_INDEX.
select try_number, state, queued_dttm as queued_at, start_date as started_at, end_date as ended_at, hostname
  from task_instance_history
 where dag_id = :'DAG_ID' and run_id = :'RUN_ID' and task_id = :'TASK_ID' and map_index = :'MAP_INDEX'::int
 order by try_number
