-- Queued runs begin, as far as their DAG is not paused (or `forced`) and may have so many at once.
update dag_run r
set state = 'running', start_date = now(), updated_at = now()
from (select q.id, q.dag_id, row_number() over (partition by q.dag_id order by q.run_after) as place
      from dag_run q where q.state = 'queued' and q.run_after <= now()) waiting
join dag d using (dag_id)
where waiting.id = r.id and (not d.is_paused or d.dag_id = %(forced)s::text)
  and waiting.place + (select count(*) from dag_run b where b.dag_id = d.dag_id and b.state = 'running') <= d.max_active_runs
returning r.id;
