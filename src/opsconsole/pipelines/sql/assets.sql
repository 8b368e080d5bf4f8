-- Assets (3) or datasets (2) with the tasks that update them, the DAGs that they start, and when they were updated last.
-- Cost: the tables of assets, small; the latest event of each by index. Versions: Airflow 2.4 to 3.
-- Privilege: select on asset, asset_event, dag_schedule_asset_reference, task_outlet_asset_reference (in 2: …dataset…).
select a.uri,
       a.name as name,  -- if asset.id else a.uri as name,
       (select coalesce(json_agg(json_build_array(t.dag_id, t.task_id) order by t.dag_id, t.task_id), '[]')::text
          from task_outlet_asset_reference t where t.asset_id = a.id  -- if asset.id else from task_outlet_dataset_reference t where t.dataset_id = a.id
       ) as producers,
       (select coalesce(json_agg(d.dag_id order by d.dag_id), '[]')::text
          from dag_schedule_asset_reference d where d.asset_id = a.id  -- if asset.id else from dag_schedule_dataset_reference d where d.dataset_id = a.id
       ) as consumers,
       (select e."timestamp"
          from asset_event e where e.asset_id = a.id  -- if asset.id else from dataset_event e where e.dataset_id = a.id
         order by e."timestamp" desc limit 1) as updated_at
  from asset a  -- if asset.id else from dataset a
 order by a.uri
