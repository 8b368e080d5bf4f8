-- Updates of assets that wait for the others that the same DAG needs.
-- Cost: one small table. Versions: Airflow 2.4 to 3. Privilege: select on asset_dag_run_queue, asset (in 2: dataset…).
select q.target_dag_id as dag_id, a.uri, q.created_at as since_at
  from asset_dag_run_queue q join asset a on a.id = q.asset_id  -- if asset.id else from dataset_dag_run_queue q join dataset a on a.id = q.dataset_id
 order by q.created_at
