-- Pools, and how many slots are taken.
-- Cost: the task instances that are going on, by index. Versions: Airflow 2.2 to 3.
-- Privilege: select on slot_pool, task_instance.
select p.pool as name, p.slots, coalesce(p.description, '') as description,
       coalesce(p.include_deferred, false) as counts_deferred,  -- if slot_pool.include_deferred else false as counts_deferred,
       coalesce(sum(t.pool_slots) filter (where t.state = 'running'), 0)::int as running,
       coalesce(sum(t.pool_slots) filter (where t.state = 'queued'), 0)::int as queued,
       coalesce(sum(t.pool_slots) filter (where t.state = 'scheduled'), 0)::int as scheduled,
       coalesce(sum(t.pool_slots) filter (where t.state = 'deferred'), 0)::int as deferred
  from slot_pool p
  left join task_instance t on t.pool = p.pool and t.state in ('running', 'queued', 'scheduled', 'deferred')
 group by p.id
 order by p.pool
