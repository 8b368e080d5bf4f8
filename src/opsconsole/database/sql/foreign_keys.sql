-- Foreign keys whose columns no index leads with (in any order; partial indexes do not count), largest table first.
-- Any role, PostgreSQL 12 and later. Catalogs only, no lock; milliseconds.
select c.conrelid::text as table_oid, n.nspname as schema, t.relname as table_name, c.conname as name,
       rn.nspname as target_schema, r.relname as target, t.relpages * current_setting('block_size')::float8 as table_bytes,
       greatest(t.reltuples, 0)::float8 as table_rows, t.relkind = 'p' as partitioned,
       pg_stat_get_tuples_deleted(r.oid) + pg_stat_get_tuples_updated(r.oid) as target_changes,
       (select to_json(array_agg(a.attname order by k.o))::text
          from unnest(c.conkey) with ordinality k (attnum, o)
          join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum) as columns
  from pg_constraint c
  join pg_class t on t.oid = c.conrelid
  join pg_namespace n on n.oid = t.relnamespace
  join pg_class r on r.oid = c.confrelid
  join pg_namespace rn on rn.oid = r.relnamespace
 where c.contype = 'f' and c.conparentid = 0
   and not exists (
       select from pg_index i
        where i.indrelid = c.conrelid and i.indisvalid and i.indpred is null
          and (select array_agg(k order by k) from unnest(i.indkey::int2[]) with ordinality u (k, o)
                where o <= cardinality(c.conkey)) = (select array_agg(k order by k) from unnest(c.conkey) k))
 order by t.relpages desc, n.nspname, t.relname, c.conname
 limit :'limit'::int
