-- Pairs of indexes of which the first (`oid`) can do nothing that the second (`keeper`) cannot: same method, key columns
-- a prefix of the other's with the same operator class, collation and direction, same predicate, included columns
-- there as well; unique only against a unique one with the same keys. Any role, PostgreSQL 12 and later.
-- The text of an expression or a predicate may wait for locks: an index with one is left out where
-- ACCESS EXCLUSIVE is held or waited for on its table or itself. 20,000 indexes: some 0.2 s.
with locked as materialized (
    select distinct l.relation from pg_locks l where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
), backed as materialized (
    select conindid from pg_constraint where conindid <> 0
), alike as (
    select i.*, c.relam, c.relname, c.relnamespace, c.relpages, c.relispartition,
           count(*) over (partition by i.indrelid, c.relam, (i.indkey::int2[])[0]) as alike
      from pg_index i
      join pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
      join pg_namespace n on n.oid = c.relnamespace
     where i.indisvalid and i.indisready and i.indislive and not pg_is_other_temp_schema(n.oid)
       and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
), ix as materialized (
    select i.indexrelid, i.indrelid, i.relam, i.relname, i.relnamespace, i.relpages, i.indisunique,
           (select array_agg(row(k.attnum, i.indclass[k.o - 1], i.indcollation[k.o - 1], i.indoption[k.o - 1],
                   case when k.attnum = 0 then pg_get_indexdef(i.indexrelid, k.o::int, false) end)::text order by k.o)
              from unnest(i.indkey::int2[]) with ordinality k (attnum, o) where k.o <= i.indnkeyatts) as keys,
           (select coalesce(array_agg(k.attnum order by k.attnum), '{}')
              from unnest(i.indkey::int2[]) with ordinality k (attnum, o) where k.o > i.indnkeyatts) as included,
           i.indkey::int2[] as columns, pg_get_expr(i.indpred, i.indrelid) as predicate,
           i.indisprimary or i.indisreplident or i.indisclustered or i.indisexclusion or i.relispartition
           or i.indexrelid in (select conindid from backed) as protected
      from alike i
     where i.alike > 1
       and (i.indexprs is null and i.indpred is null
            or not exists (select from locked l where l.relation in (i.indexrelid, i.indrelid)))
       and (select set_config('lock_timeout', '50ms', true)) is not null
)
select b.indexrelid::text as oid, n.nspname as schema, b.relname as name, t.relname as table_name,
       b.relpages * current_setting('block_size')::float8 as bytes,
       a.indexrelid::text as keeper_oid, a.relname as keeper, a.keys = b.keys and a.included = b.included as equal,
       greatest(t.reltuples, 0)::float8 as table_rows, pg_stat_get_numscans(b.indexrelid) as scans
  from ix b
  join ix a on a.indrelid = b.indrelid and a.indexrelid <> b.indexrelid and a.relam = b.relam
  join pg_class t on t.oid = b.indrelid
  join pg_namespace n on n.oid = b.relnamespace
 where not b.protected and (not b.indisunique or (a.indisunique and a.keys = b.keys))
   and a.keys[1:cardinality(b.keys)] = b.keys and b.included <@ a.columns
   and a.predicate is not distinct from b.predicate
   and (a.keys <> b.keys or a.included <> b.included or (a.indisunique and not b.indisunique) or a.protected
        or a.indexrelid < b.indexrelid)
   and (a.keys = b.keys or (select amname from pg_am where oid = a.relam) = 'btree')
 order by b.relpages desc, b.indexrelid, a.indexrelid
 limit :'limit'::int
