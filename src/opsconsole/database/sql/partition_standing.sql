-- The partitions with rows of the table :'table' (an oid), at whatever depth, before and after maintenance. Partitions that
-- are foreign tables are none of this server's. Any role, PostgreSQL 12 and later; pg_inherits and counters in shared
-- memory: no lock (pg_partition_tree would take one of each). Counts of statistics may lag by a second.
with recursive part (oid) as (
    select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = :'table'::oid
    union all
    select i.inhrelid from part p join pg_catalog.pg_inherits i on i.inhparent = p.oid
)
select c.oid::text                                    as oid,
       n.nspname                                      as schema,
       c.relname                                      as name,
       coalesce(s.vacuum_count, 0)                    as vacuums,
       coalesce(s.analyze_count, 0)                   as analyzes,
       s.last_vacuum                                  as vacuum_at,
       s.last_analyze                                 as analyze_at,
       coalesce(s.n_dead_tup, 0)                      as dead,
       coalesce(s.n_live_tup, 0)                      as live,
       c.relpages                                     as pages,
       pg_catalog.pg_relation_filenode(c.oid)::text   as file
  from part p
  join pg_catalog.pg_class c on c.oid = p.oid and c.relkind = 'r'
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_stat_all_tables s on s.relid = c.oid
