-- The runs of one DAG, the newest first; with RUN_ID just that one.
-- Cost: the runs of one DAG, by index. Versions: Airflow 2.2 to 3. Privilege: select on dag_run.
-- Binds: DAG_ID, RUN_ID (empty: all), MOST.
select dag_id, run_id, state, run_type as kind, queued_at, start_date as started_at, end_date as ended_at,
       run_after as run_after_at,  -- if dag_run.run_after else coalesce(data_interval_end, execution_date) as run_after_at,
       logical_date as logical_at,  -- if dag_run.logical_date else execution_date as logical_at,
       clear_number as cleared,  -- if dag_run.clear_number else 0 as cleared,
       case when conf::text <> '{}' then conf::text end as conf  -- if dag_run.run_after else null as conf
  from dag_run
 where dag_id = :'DAG_ID'
   and (:'RUN_ID' = '' or run_id = :'RUN_ID')
 order by run_after_at desc nulls last
 limit :'MOST'::int
