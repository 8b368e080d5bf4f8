-- A task that runs ends; one that was cleared or marked meanwhile is another by now, and stays. Gives its seconds.
with ended as (
    update task_instance
    set state = %(state)s::text, end_date = now(), updated_at = now(), duration = extract(epoch from now() - start_date)
    where id = %(id)s and state = 'running'
    returning *
), outlet as (
    insert into asset_event (asset_id, extra, source_task_id, source_dag_id, source_run_id, source_map_index, timestamp)
    select o.asset_id, '{}', t.task_id, t.dag_id, t.run_id, t.map_index, now()
    from ended t join task_outlet_asset_reference o using (dag_id, task_id)
    where t.state = 'success'
    returning asset_id
), waiting as (
    insert into asset_dag_run_queue (asset_id, target_dag_id, created_at)
    select r.asset_id, r.dag_id, now() from outlet join dag_schedule_asset_reference r using (asset_id)
    on conflict do nothing
)
select duration from ended;
