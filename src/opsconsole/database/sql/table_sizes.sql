-- Exact bytes of the tables :'oids' (with commas between). Size functions open the relation and wait for whoever
-- has it in AccessExclusiveLock: a table is left out (`locked`) where that lock is held or waited for on it, on its
-- TOAST table or on an index of either. Should one come in between, lock_timeout ends the statement after 50 ms.
-- Any role, PostgreSQL 12 and later; a stat() for each file of what is asked for.
with locked as materialized (
    select l.relation
      from pg_locks l
     where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
       and l.database in (0, (select oid from pg_database where datname = current_database()))
), asked as materialized (
    select c.oid, c.reltoastrelid
      from unnest(string_to_array(:'oids', ',')::oid[]) as given (oid)
      join pg_class c on c.oid = given.oid
     where c.relkind in ('r', 'm', 't')
), guarded as materialized (
    select a.oid, a.reltoastrelid,
           exists (select from locked l
                    where l.relation in (a.oid, a.reltoastrelid)
                       or l.relation in (select i.indexrelid from pg_index i
                                          where i.indrelid in (a.oid, a.reltoastrelid))) as locked
      from asked a
)
select g.oid::text as oid, g.locked,
       case when not g.locked then pg_relation_size(g.oid) end as heap_bytes,
       case when not g.locked and g.reltoastrelid <> 0 then pg_total_relation_size(g.reltoastrelid) end as toast_bytes,
       case when not g.locked then pg_indexes_size(g.oid) end as index_bytes,
       case when not g.locked then pg_total_relation_size(g.oid) end as total_bytes
  from guarded g
 where (select set_config('lock_timeout', '50ms', true)) is not null
