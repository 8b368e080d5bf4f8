-- Runs. Binds: dag and run; null: any.
select r.run_id as dag_run_id, r.dag_id, r.logical_date, r.queued_at, r.start_date, r.end_date,
       extract(epoch from r.end_date - r.start_date)::float8 as duration, r.data_interval_start, r.data_interval_end, r.run_after,
       r.last_scheduling_decision, r.run_type, r.state, r.triggered_by, r.triggering_user_name, r.conf, n.content as note,
       v.id as version_id, v.version_number, v.bundle_name as version_bundle, v.bundle_version as version_bundle_version,
       v.created_at as version_created, r.bundle_version, d.dag_display_name, r.partition_key, r.partition_date
from dag_run r
join dag d using (dag_id)
left join dag_version v on v.id = r.created_dag_version_id
left join dag_run_note n on n.dag_run_id = r.id
where (%(dag)s::text is null or r.dag_id = %(dag)s::text) and (%(run)s::text is null or r.run_id = %(run)s::text)
