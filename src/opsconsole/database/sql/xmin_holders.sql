-- Everything that keeps vacuum from removing dead rows, of all four kinds, oldest first. PostgreSQL 12 and later; any
-- role sees that there are holders, pg_read_all_stats what other roles' sessions do. Shared memory only, no lock.
-- Sessions of other databases hold nothing back here (they are left out), but for walsenders, slots and prepared
-- transactions of this database. A vacuum's own snapshot is ignored by the others, and here.
-- What a client names as it likes comes as the digits of its bytes: an application, a prepared transaction.
select 'session' as kind, a.pid::text as id, encode(decode(replace(a.application_name, E'\\', E'\\\\'), 'escape'), 'hex') as detail,
       coalesce(a.usename, '') as owner, coalesce(a.state, a.backend_type, '') as state,
       greatest(age(a.backend_xmin), age(a.backend_xid)) as age,
       greatest(extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.backend_start)), 0)::float8 as seconds,
       a.backend_start::text as started, false as catalogs_only
  from pg_stat_activity a
 where (a.backend_xmin is not null or a.backend_xid is not null)
   and a.pid <> pg_backend_pid() and a.datname = current_database()
   and not exists (select from pg_stat_progress_vacuum v where v.pid = a.pid)
union all
select 'prepared', encode(decode(replace(x.gid, E'\\', E'\\\\'), 'escape'), 'hex'), '', x.owner, 'prepared', age(x.transaction),
       greatest(extract(epoch from clock_timestamp() - x.prepared), 0)::float8, '', false
  from pg_prepared_xacts x where x.database = current_database()
union all
select 'slot', s.slot_name, coalesce(s.plugin, s.slot_type), '', case when s.active then 'active' else 'inactive' end,
       coalesce(age(s.xmin), age(s.catalog_xmin)), null, '', s.xmin is null
  from pg_replication_slots s
 where s.xmin is not null or (s.catalog_xmin is not null and s.database = current_database())
union all
select 'standby', coalesce(nullif(r.application_name, ''), r.client_addr::text, r.pid::text), coalesce(host(r.client_addr), ''),
       coalesce(r.usename, ''), coalesce(r.state, ''), age(r.backend_xmin), null, r.backend_start::text, false
  from pg_stat_replication r where r.backend_xmin is not null
 order by 6 desc nulls last
 limit 100
