-- Backfills of one DAG. Bind: dag.
select b.id, b.dag_id, b.from_date, b.to_date, b.dag_run_conf, b.is_paused, b.reprocess_behavior, b.max_active_runs, b.created_at,
       b.completed_at, b.updated_at, d.dag_display_name
from backfill b join dag d using (dag_id)
where b.dag_id = %(dag)s::text
