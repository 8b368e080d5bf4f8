-- Set a run to a state by hand: with success so are its tasks, with failed those that run fail and those that wait are
-- skipped. Binds: dag, run, state.
with run as (
    update dag_run
    set state = %(state)s::text, updated_at = now(),
        end_date = case when %(state)s::text = 'queued' then null when state in ('success', 'failed') then end_date else now() end,
        start_date = case when %(state)s::text = 'queued' then null else start_date end,
        queued_at = case when %(state)s::text = 'queued' then now() else queued_at end
    where dag_id = %(dag)s::text and run_id = %(run)s::text
    returning dag_id, run_id
)
update task_instance t
set state = case when %(state)s::text = 'success' then 'success' when t.state = 'running' then 'failed' else 'skipped' end,
    end_date = coalesce(t.end_date, now()), updated_at = now()
from run
where t.dag_id = run.dag_id and t.run_id = run.run_id
  and case %(state)s::text when 'success' then t.state is distinct from 'success'
           when 'failed' then coalesce(t.state, '') not in ('success', 'failed', 'upstream_failed', 'skipped', 'removed')
           else false end;
