-- The search_path that each of the roles :'users' (oids) begins with in the connected database, as it is set: for the
-- role here, for the role, for the database, or for the server (as this session knows it). What a session says itself
-- nobody can see. Any role, PostgreSQL 12 and later; catalogs only, no lock.
select r.oid::bigint as user_id, r.rolname::text as user_name,
       coalesce((select substring(c.setting from length('search_path=') + 1)
                   from pg_catalog.pg_db_role_setting s
                  cross join lateral unnest(s.setconfig) c (setting)
                  where c.setting like 'search\_path=%' and s.setrole in (0, r.oid)
                    and s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
                  order by s.setrole = 0, s.setdatabase = 0
                  limit 1),
                (select p.reset_val from pg_catalog.pg_settings p where p.name = 'search_path')) as search_path
  from pg_catalog.pg_roles r
 where r.oid::bigint = any (string_to_array(:'users', ',')::bigint[])
