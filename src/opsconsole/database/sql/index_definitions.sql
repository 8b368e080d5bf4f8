-- The statements that would create the indexes :'oids' (with commas between) again. pg_get_indexdef waits for locks:
-- an index is left out where ACCESS EXCLUSIVE is held or waited for on it or its table. Any role, PostgreSQL 12 and later.
with locked as materialized (
    select distinct l.relation from pg_locks l where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
), asked as materialized (
    select i.indexrelid from pg_index i
     where i.indexrelid = any (string_to_array(:'oids', ',')::oid[])
       and not exists (select from locked l where l.relation in (i.indexrelid, i.indrelid))
)
select a.indexrelid::text as oid, pg_get_indexdef(a.indexrelid) as definition
  from asked a
 where (select set_config('lock_timeout', '50ms', true)) is not null
