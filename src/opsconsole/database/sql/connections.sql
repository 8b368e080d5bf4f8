-- The limits on connections, and how busy sessions were on average. Shared memory and shared catalogs: no lock, a
-- millisecond. Any role, PostgreSQL 12 and later; times of sessions from 14 on.
select current_setting('max_connections')::int                                          as most,
       current_setting('superuser_reserved_connections')::int                           as reserved,
       coalesce(current_setting('reserved_connections', true), '0')::int                as reserved_role,
       -- Without pg_read_all_stats the kind of others' sessions is hidden; role and database tell those of clients.
       (select count(*) from pg_stat_activity
         where backend_type = 'client backend'
            or (backend_type is null and usesysid is not null and datid is not null))   as used,
       (select count(*) from pg_stat_replication)                                       as senders,
       d.active_time / 1000.0 as active_seconds,  -- if pg_stat_database.active_time else null::float8 as active_seconds,
       d.session_time / 1000.0 as session_seconds,  -- if pg_stat_database.session_time else null::float8 as session_seconds,
       d.sessions,  -- if pg_stat_database.sessions else null::int8 as sessions,
       greatest(extract(epoch from clock_timestamp() - coalesce(r.reset, pg_postmaster_start_time())), 0)::float8 as counted_seconds,
       (select to_json(array_agg(array[x.rolname::text, x.rolconnlimit::text]))::text
          from pg_roles x where x.rolconnlimit >= 0)                                    as role_limits,
       (select to_json(array_agg(array[x.datname::text, x.datconnlimit::text]))::text
          from pg_database x where x.datconnlimit >= 0 and x.datallowconn)              as database_limits
  from (select sum(active_time) as active_time, sum(session_time) as session_time, sum(sessions) as sessions from pg_stat_database) d  -- if pg_stat_database.active_time else from (select 1) d
 cross join (select min(stats_reset) as reset from pg_stat_database where datname is not null) r
