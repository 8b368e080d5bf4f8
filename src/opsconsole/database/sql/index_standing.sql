-- One index before and after maintenance; no row: there is none of that name. By name, through the syscache: no lock
-- but for the definition, which takes ACCESS SHARE on its table for a moment. Any role, PostgreSQL 12 and later.
select c.oid::text as oid, c.relkind::text as kind, t.oid::text as table_oid, n.nspname as schema, t.relname as table_name,
       n.nspname ~ '^pg_(toast|catalog)' or n.nspname = 'information_schema'            as system,
       pg_catalog.pg_is_in_recovery()                                                   as standby,
       pg_catalog.pg_has_role(current_user, c.relowner, 'usage')
         or coalesce((select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user), false) as may,
       pg_catalog.pg_get_userbyid(c.relowner)                                           as owner,
       i.indisvalid and i.indisready                                                    as valid,
       pg_catalog.pg_relation_filenode(c.oid)::text                                     as file,
       c.relpages * current_setting('block_size')::float8                               as bytes,
       pg_catalog.pg_get_indexdef(c.oid)                                                as definition,
       to_json(array_remove(array[
           case when i.indisprimary then 'it is the primary key' end,
           case when i.indisexclusion then 'it enforces an exclusion constraint' end,
           case when i.indisunique and not i.indisprimary then 'it keeps values unique' end,
           case when i.indisreplident then 'it is the replica identity' end,
           case when x.conname is not null then 'constraint ' || x.conname || ' needs it' end,
           case when c.relispartition then 'it is part of a partitioned index' end], null))::text as protected
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_index i on i.indexrelid = c.oid
  join pg_catalog.pg_class t on t.oid = i.indrelid
  left join lateral (select conname from pg_catalog.pg_constraint where conindid = c.oid limit 1) x on true
 where n.nspname = :'schema'::text and c.relname = :'index'::text
