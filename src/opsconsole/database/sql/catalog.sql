-- What this server has: the columns of the views that differ between versions, extensions, and what the role may see.
-- Any role, PostgreSQL 12 and later; some hundred rows of pg_attribute by index, about a millisecond, no lock.
select 'column' as kind, c.relname as name, a.attname as detail, n.nspname as place
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where (n.nspname = 'pg_catalog' and c.relkind = 'v' and c.relname ~ '^pg_(stat_|locks|replication_slots|prepared)')
    or c.oid in (select d.objid
                   from pg_depend d
                   join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
                  where d.classid = 'pg_class'::regclass and d.deptype = 'e'
                    and e.extname in ('pg_stat_statements', 'hypopg', 'pg_buffercache'))
union all
select 'extension', e.extname, e.extversion, n.nspname
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace
union all
select 'available', name, default_version, ''
  from pg_available_extensions
 where name in ('pg_stat_statements', 'pgstattuple', 'hypopg', 'pg_buffercache', 'amcheck')
union all
select 'role', rolname, '', ''
  from pg_roles
 where rolname like 'pg\_%' and pg_has_role(current_user, oid, 'usage')
union all
select 'setting', name, setting, ''
  from pg_settings
 where name in ('server_version', 'server_version_num', 'server_encoding', 'block_size', 'max_connections',
                'superuser_reserved_connections', 'track_activities', 'track_counts', 'track_io_timing',
                'track_activity_query_size', 'deadlock_timeout', 'pg_stat_statements.max', 'pg_stat_statements.track',
                'autovacuum')
union all
select 'fact', 'superuser', rolsuper::text, '' from pg_roles where rolname = current_user
union all
select 'fact', 'role', current_user::text, ''
union all
select 'fact', 'database', current_database()::text, ''
union all
select 'fact', 'database_oid', oid::text, '' from pg_database where datname = current_database()
