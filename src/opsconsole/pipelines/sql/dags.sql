-- Every DAG that is in a file.
-- Cost: one row a DAG, and their tags. Versions: Airflow 2.2 to 3. Privilege: select on dag, dag_tag.
select d.dag_id,
       d.dag_display_name as title,  -- if dag.dag_display_name else d.dag_id as title,
       coalesce(d.is_paused, false) as paused,
       d.timetable_summary as schedule,  -- if dag.timetable_summary else d.schedule_interval as schedule,
       d.next_dagrun_create_after as next_run_at,
       d.owners,
       d.description,
       d.fileloc as file,
       coalesce(d.has_import_errors, false) as broken,  -- if dag.has_import_errors else false as broken,
       coalesce(d.max_active_runs, 0) as most_runs,
       (select json_agg(t.name order by t.name)::text from dag_tag t where t.dag_id = d.dag_id) as tags
  from dag d
 where not coalesce(d.is_stale, false)  -- if dag.is_stale else where coalesce(d.is_active, false)
 order by d.dag_id
