-- What this server is and what this role may see: one row of text.
-- Any role, PostgreSQL 12 and later; reads a handful of catalog rows, well under a millisecond.
select current_setting('server_version_num')                                            as version_num,
       current_setting('server_version')                                                as version,
       current_setting('server_encoding')                                               as encoding,
       current_setting('track_activities')                                              as track_activities,
       pg_is_in_recovery()::text                                                        as in_recovery,
       current_database()                                                               as database,
       current_user                                                                     as role,
       (select rolsuper::text from pg_roles where rolname = current_user)               as superuser,
       -- The predefined roles whose rights this one has; new versions bring new ones.
       (select string_agg(rolname, ',' order by rolname)
          from pg_roles
         where rolname like 'pg\_%' and pg_has_role(current_user, oid, 'usage'))        as memberships,
       -- The extension's own version decides its columns: after pg_upgrade it stays the old one.
       (select extversion from pg_extension where extname = 'pg_stat_statements')       as statements_version,
       (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
         where e.extname = 'pg_stat_statements')                                        as statements_schema,
       (select 'true' from pg_settings where name = 'pg_stat_statements.max')           as statements_loaded
