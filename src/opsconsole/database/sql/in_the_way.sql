-- The transactions of this database that maintenance of one table may have to wait for: those with a snapshot, and
-- those with a lock on the table. Shared memory only: no lock is taken, a millisecond. Any role, PostgreSQL 12 and
-- later; without pg_read_all_stats neither the snapshots of other roles nor their times are shown.
-- Vacuums and index builds are left out: builds do not wait for the snapshots of vacuums, nor (14 and later) of each
-- other; on the same table their locks show.
select 'session' as kind, a.pid::text as id,
       encode(decode(replace(a.usename::text, E'\\', E'\\\\'), 'escape'), 'hex') as owner,
       encode(decode(replace(a.application_name, E'\\', E'\\\\'), 'escape'), 'hex') as application,
       a.backend_type                                                                   as backend_type,
       coalesce(a.state, '')                                                            as state,
       a.backend_xmin is not null and not exists (select from pg_stat_progress_vacuum v where v.pid = a.pid)
         and not exists (select from pg_stat_progress_create_index p where p.pid = a.pid) as snapshot,
       to_json(l.modes)::text                                                           as modes,
       case when a.xact_start is not null then
            greatest(extract(epoch from clock_timestamp() - a.xact_start), 0) end::float8 as seconds
  from pg_catalog.pg_stat_activity a
  left join lateral (select array_agg(distinct h.mode) as modes from pg_catalog.pg_locks h
                      where h.pid = a.pid and h.granted and h.relation = :'table'::oid
                        and h.database = (select oid from pg_catalog.pg_database where datname = current_database())) l on true
 where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type is distinct from 'parallel worker'
   and (a.backend_xmin is not null or l.modes is not null)
union all
select 'prepared', encode(decode(replace(x.gid, E'\\', E'\\\\'), 'escape'), 'hex'),
       encode(decode(replace(x.owner::text, E'\\', E'\\\\'), 'escape'), 'hex'), '', '', 'prepared', false,
       to_json(array_agg(distinct h.mode))::text,
       greatest(extract(epoch from clock_timestamp() - min(x.prepared)), 0)::float8
  from pg_catalog.pg_prepared_xacts x
  join pg_catalog.pg_locks t on t.pid is null and t.locktype = 'transactionid' and t.transactionid = x.transaction
  join pg_catalog.pg_locks h on h.pid is null and h.granted and h.virtualtransaction = t.virtualtransaction
   and h.relation = :'table'::oid
 where x.database = current_database()
 group by x.gid, x.owner
 order by seconds desc nulls last
