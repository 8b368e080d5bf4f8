-- Indexes with something to them: never used (and not unique), or invalid.
-- Any role, PostgreSQL 12 and later. pg_class, pg_index and counters in shared memory: no lock, no file; sizes are
-- relpages. 20,000 indexes: some 0.2 s. `protected` says why an index is no candidate for dropping, whatever its use.
with progress as materialized (
    select p.index_relid, p.relid from pg_stat_progress_create_index p
), foreign_key as materialized (
    select x.conrelid, x.conname, (select array_agg(k order by k) from unnest(x.conkey) k) as columns
      from pg_constraint x where x.contype = 'f'
), backed as materialized (
    select distinct conindid from pg_constraint where conindid <> 0 and contype <> 'f'
), referenced as materialized (
    select distinct conindid from pg_constraint where conindid <> 0 and contype = 'f'
), supporting as materialized (
    select i.indexrelid, min(f.conname) as conname
      from foreign_key f join pg_index i on i.indrelid = f.conrelid
     where f.columns = (select array_agg(k order by k) from unnest(i.indkey::int2[]) with ordinality u (k, o)
                         where o <= cardinality(f.columns))
     group by i.indexrelid
), ix as (
    select i.*, c.relname, c.relnamespace, c.relpages, c.relkind, c.relispartition, c.relam,
           pg_stat_get_numscans(i.indexrelid) as scans
      from pg_index i
      join pg_class c on c.oid = i.indexrelid
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and not pg_is_other_temp_schema(n.oid)
)
select i.indexrelid::text as oid, n.nspname as schema, i.relname as name, t.relname as table_name, t.oid::text as table_oid,
       a.amname as method, i.relkind = 'I' as partitioned, i.relpages * current_setting('block_size')::float8 as bytes,
       t.relpages * current_setting('block_size')::float8 as table_bytes, greatest(t.reltuples, 0)::float8 as table_rows,
       i.scans, i.indisvalid and i.indisready as valid, i.indisunique as is_unique,
       exists (select from progress p where i.indexrelid = p.index_relid or (p.index_relid = 0 and p.relid = t.oid)) as building,
       i.indexprs is not null as expression,
       pg_stat_get_lastscan(i.indexrelid) as last_scan_at,  -- if pg_stat_all_indexes.last_idx_scan else null::timestamptz as last_scan_at,
       to_json(array_remove(array[
           case when i.indisprimary then 'primary key' end,
           case when i.indisunique and not i.indisprimary then 'unique' end,
           case when i.indisexclusion then 'exclusion constraint' end,
           case when i.indisreplident then 'replica identity' end,
           case when i.indisclustered then 'the table is clustered by it' end,
           case when b.conindid is not null and not i.indisprimary and not i.indisunique and not i.indisexclusion then 'constraint' end,
           case when r.conindid is not null then 'a foreign key refers to it' end,
           case when i.relispartition or i.relkind = 'I' then 'part of a partitioned index' end,
           case when f.conname is not null then 'supports foreign key ' || f.conname end], null))::text as protected
  from ix i
  join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = i.relnamespace
  join pg_am a on a.oid = i.relam
  left join backed b on b.conindid = i.indexrelid
  left join referenced r on r.conindid = i.indexrelid
  left join supporting f on f.indexrelid = i.indexrelid
 where not i.indisvalid or not i.indisready or (i.scans = 0 and not i.indisunique)
 order by (i.indisvalid and i.indisready), i.relpages desc, n.nspname, i.relname
 limit :'limit'::int
