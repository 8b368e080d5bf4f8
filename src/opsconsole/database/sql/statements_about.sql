-- Which cluster this is, and since when its statements are counted. pg_stat_statements_info came with 1.9 (14).
-- Any role; two rows of memory and the control file, no lock.
select c.system_identifier::text                                             as system,
       pg_catalog.current_setting('server_version')                          as version,
       pg_catalog.current_database()::text                                   as database_name,
       i.dealloc,                                 -- if pg_stat_statements_info else null::bigint as dealloc,
       i.stats_reset                              -- if pg_stat_statements_info else null::timestamptz as stats_reset
  from pg_catalog.pg_control_system() c
 cross join :"SCHEMA".pg_stat_statements_info i   -- if pg_stat_statements_info
