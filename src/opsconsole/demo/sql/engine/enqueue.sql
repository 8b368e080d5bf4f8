-- Scheduled tasks go to the workers, as far as their pool has slots; those that wait longest first.
update task_instance t
set state = 'queued', queued_dttm = now(), queued_by_job_id = %(job)s::integer, executor = 'CeleryExecutor', updated_at = now()
from (select id, pool, row_number() over (partition by pool order by priority_weight desc, scheduled_dttm) as place
      from task_instance where state = 'scheduled') waiting
join slot_pool p using (pool)
where waiting.id = t.id
  and (p.slots < 0 or waiting.place <= p.slots - (select coalesce(sum(b.pool_slots), 0) from task_instance b
                                                  where b.pool = p.pool and b.state in ('running', 'queued')));
