-- Assets, who writes them, who waits for them.
select a.id, a.name, a.uri, a."group", a.extra, a.created_at, a.updated_at,
       (select coalesce(json_agg(json_build_object('dag_id', s.dag_id, 'created_at', s.created_at, 'updated_at', s.updated_at)), '[]')
        from dag_schedule_asset_reference s where s.asset_id = a.id) as scheduled_dags,
       (select coalesce(json_agg(json_build_object('dag_id', o.dag_id, 'task_id', o.task_id, 'created_at', o.created_at,
                                                   'updated_at', o.updated_at)), '[]')
        from task_outlet_asset_reference o where o.asset_id = a.id) as producing_tasks,
       '[]'::json as consuming_tasks, '[]'::json as aliases, '[]'::json as watchers,
       (select json_build_object('id', e.id, 'timestamp', e.timestamp) from asset_event e where e.asset_id = a.id
        order by e.id desc limit 1) as last_asset_event
from asset a
where true
