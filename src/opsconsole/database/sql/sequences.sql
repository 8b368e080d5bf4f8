-- Sequences by how much of them is used up, the type of the owning column included (an int4 column on a bigint
-- sequence ends with the column). PostgreSQL 12 and later. `last` is null where nobody drew from it, or the role has neither USAGE nor
-- SELECT (`readable` says which). Reading one locks it: where ACCESS EXCLUSIVE is held or waited for it is left unread
-- (`locked`). A page read for each sequence: 10,000 take some 0.1 s.
with locked as materialized (
    select distinct l.relation from pg_locks l where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
), given as materialized (
    select c.oid, n.nspname, c.relname, s.*, exists (select from locked l where l.relation = c.oid) as locked,
           has_sequence_privilege(c.oid, 'usage, select')
           and (c.relpersistence = 'p' or not pg_is_in_recovery()) as readable
      from pg_sequence s
      join pg_class c on c.oid = s.seqrelid
      join pg_namespace n on n.oid = c.relnamespace
     where not pg_is_other_temp_schema(n.oid) and (select set_config('lock_timeout', '50ms', true)) is not null
), found as materialized (
    select g.*, case when g.readable and not g.locked then pg_sequence_last_value(g.oid) end as last from given g
), owned as (
    select f.*, t.relname as table_name, a.attname, a.atttypid,
           case a.atttypid when 21 then 32767 when 23 then 2147483647 else 9223372036854775807 end::numeric as most,
           case a.atttypid when 21 then -32768 when 23 then -2147483648 else -9223372036854775808 end::numeric as least
      from found f
      left join lateral (select d.refobjid, d.refobjsubid from pg_depend d
            where d.classid = 'pg_class'::regclass and d.objid = f.oid and d.refclassid = 'pg_class'::regclass
              and d.deptype in ('a', 'i') and d.refobjsubid > 0 limit 1) d on true
      left join pg_class t on t.oid = d.refobjid
      left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
), bounded as (
    select o.*, case when seqincrement > 0 then least(seqmax, most) - greatest(seqmin, 0)
                     else least(seqmax, 0) - greatest(seqmin, least) end as room,
           case when seqincrement > 0 then last - greatest(seqmin, 0) else least(seqmax, 0) - last end as gone,
           case when seqincrement > 0 then least(seqmax, most) - last else last - greatest(seqmin, least) end as rest
      from owned o
)
select oid::text as oid, nspname as schema, relname as name, coalesce(table_name, '') as table_name,
       coalesce(attname, '') as column_name, coalesce(format_type(atttypid, null), '') as column_type,
       format_type(seqtypid, null) as type, seqincrement as increment, seqcycle as cycles, last, readable, locked,
       (gone / nullif(room, 0))::float8 as used, floor(rest / abs(seqincrement))::float8 as remaining,
       case when seqincrement > 0 then seqmax > most else seqmin < least end and atttypid in (21, 23) as column_ends_first
  from bounded
 order by used desc nulls last, nspname, relname
 limit :'limit'::int
