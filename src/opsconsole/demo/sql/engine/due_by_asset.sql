-- The DAGs for which an asset was written since their last run, and that have none under way; the events count as taken.
delete from asset_dag_run_queue q
using dag d
where d.dag_id = q.target_dag_id and not d.is_paused
  and not exists (select from dag_run r where r.dag_id = d.dag_id and r.state in ('running', 'queued'))
returning q.target_dag_id;
