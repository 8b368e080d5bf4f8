-- The storage parameters of one table. By name: no lock, any role, PostgreSQL 12 and later.
select coalesce(array_to_string(c.reloptions, ', '), '') as options
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = :'schema'::text and c.relname = :'table'::text and c.relkind in ('r', 'p', 'm')
