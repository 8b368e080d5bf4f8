-- Pools, and what occupies them.
select p.pool as name, p.slots, p.description, p.include_deferred, (b.running + b.queued)::integer as occupied_slots,
       b.running::integer as running_slots, b.queued::integer as queued_slots, b.scheduled::integer as scheduled_slots,
       case when p.slots < 0 then -1 else p.slots - b.running - b.queued end::integer as open_slots, b.deferred::integer as deferred_slots, p.team_name
from slot_pool p
cross join lateral (select coalesce(sum(t.pool_slots) filter (where t.state = 'running'), 0) as running,
                           coalesce(sum(t.pool_slots) filter (where t.state = 'queued'), 0) as queued,
                           coalesce(sum(t.pool_slots) filter (where t.state = 'scheduled'), 0) as scheduled,
                           coalesce(sum(t.pool_slots) filter (where t.state = 'deferred'), 0) as deferred
                    from task_instance t
                    where t.pool = p.pool and t.state in ('running', 'queued', 'scheduled', 'deferred')) b
where true
