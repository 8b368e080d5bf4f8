-- One table before and after maintenance; no row: there is none of that name. By name, through the syscache: no lock,
-- below a millisecond. Any role, PostgreSQL 12 and later. Counts of statistics may lag by a second.
select c.oid::text                                                                      as oid,
       c.relkind::text                                                                  as kind,
       n.nspname ~ '^pg_(toast|catalog)' or n.nspname = 'information_schema'            as system,
       pg_catalog.pg_is_in_recovery()                                                   as standby,
       pg_catalog.pg_has_role(current_user, c.relowner, 'usage')
         or coalesce((select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user), false)
         or (d.datdba <> 0 and pg_catalog.pg_has_role(current_user, d.datdba, 'usage'))
         or pg_catalog.has_table_privilege(c.oid, 'MAINTAIN')  -- if pg_stat_checkpointer
                                                                                        as may,
       pg_catalog.pg_get_userbyid(c.relowner)                                           as owner,
       coalesce(s.vacuum_count, 0)                                                      as vacuums,
       coalesce(s.analyze_count, 0)                                                     as analyzes,
       coalesce(s.n_dead_tup, 0)                                                        as dead,
       coalesce(s.n_live_tup, 0)                                                        as live,
       c.relpages                                                                       as pages,
       (c.relpages + coalesce((select sum(x.relpages) from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
                                where i.indrelid = c.oid), 0)) * current_setting('block_size')::float8 as bytes,
       c.relpages * current_setting('block_size')::float8                               as own_bytes,
       pg_catalog.pg_relation_filenode(c.oid)::text                                     as file,
       pg_catalog.age(c.relfrozenxid)                                                   as xid_age,
       s.last_vacuum                                                                    as vacuum_at,
       s.last_analyze                                                                   as analyze_at,
       pg_catalog.clock_timestamp()                                                     as server_at
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_database d on d.datname = current_database()
  left join pg_catalog.pg_stat_all_tables s on s.relid = c.oid
 where n.nspname = :'schema'::text and c.relname = :'table'::text
