-- The table called :'name', written SCHEMA.TABLE as lists show it, or TABLE alone. Any role, PostgreSQL 12 and later.
-- Compared as text, so that no name needs quoting and none is an error.
select c.oid::text as oid, n.nspname as schema, c.relname as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'm') and :'name'::text in (n.nspname || '.' || c.relname, c.relname::text)
 order by n.nspname || '.' || c.relname <> :'name'::text, n.nspname
 limit 2
