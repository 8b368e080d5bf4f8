-- The DAGs whose next run is due and that have none under way, and the one that is `forced`; their next moment moves on.
update dag d
set next_dagrun = now() + make_interval(secs => e.every), next_dagrun_create_after = now() + make_interval(secs => e.every),
    next_dagrun_data_interval_start = now() + make_interval(secs => e.every),
    next_dagrun_data_interval_end = now() + make_interval(secs => e.every)
from engine.dag e
where e.dag_id = d.dag_id
  and (d.dag_id = %(forced)s::text
       or (not d.is_paused and d.next_dagrun_create_after <= now()
           and not exists (select from dag_run r where r.dag_id = d.dag_id and r.state in ('running', 'queued'))))
returning d.dag_id;
