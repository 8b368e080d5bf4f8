-- The DAGs that are not stale, each with its latest run to filter by.
select d.dag_id, d.dag_display_name, d.is_paused, d.is_stale, d.last_parsed_time, d.last_parse_duration, d.last_expired,
       d.bundle_name, d.bundle_version, d.relative_fileloc, d.fileloc, d.description, d.timetable_summary,
       d.timetable_description, d.timetable_partitioned, d.timetable_periodic,
       array(select t.name::text from dag_tag t where t.dag_id = d.dag_id order by t.name) as tags, d.max_active_tasks,
       d.max_active_runs, d.max_consecutive_failed_dag_runs, d.has_task_concurrency_limits, d.has_import_errors,
       d.next_dagrun as next_dagrun_logical_date, d.next_dagrun_data_interval_start, d.next_dagrun_data_interval_end,
       d.next_dagrun_create_after as next_dagrun_run_after, d.allowed_run_types, d.owners
from dag d
left join lateral (select state, start_date from dag_run r where r.dag_id = d.dag_id order by r.run_after desc limit 1) last on true
where not d.is_stale
