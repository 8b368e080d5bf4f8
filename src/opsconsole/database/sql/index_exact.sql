-- Exact fill of the B-tree indexes of the table :'table' (an oid), by pgstattuple in schema SCHEMA. Needs EXECUTE
-- (part of pg_stat_scan_tables). Reads the whole index, under ACCESS SHARE. Not asked while somebody holds or waits
-- for ACCESS EXCLUSIVE on the index or its table (no row then).
select c.oid::text as oid, n.nspname as schema, c.relname as name, p.index_size::float8 as total_bytes,
       nullif(p.avg_leaf_density, 'NaN')::float8 as density, p.leaf_pages::int8 as leaf_pages,
       p.deleted_pages::int8 + p.empty_pages::int8 as unused_pages,
       coalesce((select max(option_value) from pg_options_to_table(c.reloptions)
                  where option_name = 'fillfactor'), '90')::float8 as fillfactor
  from pg_index i
  join pg_class c on c.oid = i.indexrelid and c.relkind = 'i' and c.relam = (select oid from pg_am where amname = 'btree')
  join pg_namespace n on n.oid = c.relnamespace
 cross join lateral :"SCHEMA".pgstatindex(c.oid) p
 where i.indrelid = :'table'::oid and i.indisvalid
   and not exists (select from pg_locks l
                    where l.relation in (i.indexrelid, i.indrelid) and l.mode = 'AccessExclusiveLock')
   and (select set_config('lock_timeout', '50ms', true)) is not null
