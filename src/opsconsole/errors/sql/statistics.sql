-- What each database counted since its statistics were reset, as the columns of pg_stat_database that there are.
-- Cost: one row per database. Versions: 9.5 and later. Privilege: none.
select d.datname as database, to_jsonb(s)::text as counted,
       coalesce(extract(epoch from s.stats_reset), 0)::float8 as reset_at,
       extract(epoch from clock_timestamp())::float8 as taken_at,
       -- The databases of one server have this in common.
       current_setting('port') || ' since ' || extract(epoch from pg_postmaster_start_time()) as server
  from pg_stat_database s
  join pg_database d on d.oid = s.datid
 where d.datname = current_database()
