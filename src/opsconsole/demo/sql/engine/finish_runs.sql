-- Runs of which no task is left end. Gives dag_id, state, how long it took and how late it began, in seconds.
update dag_run r
set state = done.state, end_date = now(), last_scheduling_decision = now(), updated_at = now()
from (select q.id, case when bool_or(t.state in ('failed', 'upstream_failed')) then 'failed' else 'success' end as state
      from dag_run q
      join task_instance t using (dag_id, run_id)
      where q.state = 'running'
      group by q.id
      having bool_and(coalesce(t.state, '') in ('success', 'failed', 'upstream_failed', 'skipped', 'removed'))) done
where done.id = r.id
returning r.dag_id, r.state, extract(epoch from now() - r.start_date)::float8, extract(epoch from r.start_date - r.run_after)::float8;
