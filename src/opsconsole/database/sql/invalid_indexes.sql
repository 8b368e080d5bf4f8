-- The invalid indexes of one table that nobody is building: what a build that broke off leaves. No lock, any role,
-- PostgreSQL 12 and later.
select n.nspname as schema, c.relname as name
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where i.indrelid = :'table'::oid and not i.indisvalid
   and not exists (select from pg_catalog.pg_stat_progress_create_index p
                    where p.index_relid = i.indexrelid or (p.index_relid = 0 and p.relid = i.indrelid))
 order by c.relname
