-- Exact free and dead space of the table :'table' (an oid), by pgstattuple in schema SCHEMA. Needs EXECUTE (part of
-- pg_stat_scan_tables, which pg_monitor has). Reads every page that is not all-visible: seconds to minutes on a large
-- table, under ACCESS SHARE. Not asked while somebody holds or waits for ACCESS EXCLUSIVE (no row then).
select p.table_len::float8 as total_bytes, p.dead_tuple_len::float8 as dead_bytes, p.dead_tuple_count::int8 as dead,
       p.approx_free_space::float8 as free_bytes, p.scanned_percent::float8 as scanned
  from pg_class c
 cross join lateral :"SCHEMA".pgstattuple_approx(c.oid) p
 where c.oid = :'table'::oid and c.relkind in ('r', 'm')
   and not exists (select from pg_locks l where l.relation = c.oid and l.mode = 'AccessExclusiveLock')
   and (select set_config('lock_timeout', '50ms', true)) is not null
