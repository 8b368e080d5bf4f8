-- Claims the maintenance of one relation for this session, and says who has it where that fails. A session's advisory
-- lock, in the database's own space, by the oids of database and relation: nobody waits for it, no transaction is held
-- open, and it ends with the session. Any role, PostgreSQL 12 and later. $1: the relation's oid.
with tried as materialized (
    select pg_catalog.pg_try_advisory_lock(d.oid::int4, $1::oid::int4) as mine, d.oid as database
      from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
select t.mine, a.pid::text as pid, pg_catalog.encode(pg_catalog.textsend(a.usename::text), 'hex') as role,
       pg_catalog.encode(pg_catalog.textsend(a.application_name), 'hex') as application,
       pg_catalog.host(a.client_addr) as client,
       (greatest(extract(epoch from pg_catalog.clock_timestamp() - a.backend_start), 0))::int8::text as seconds
  from tried t
  left join pg_catalog.pg_locks l
    on not t.mine and l.locktype = 'advisory' and l.granted and l.objsubid = 2
   and l.database = t.database and l.classid = t.database and l.objid = $1::oid
  left join pg_catalog.pg_stat_activity a on a.pid = l.pid
 limit 1
