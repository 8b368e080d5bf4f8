-- Who is connected and what each does. One pass over pg_stat_activity: about 2 ms for 1,000 sessions, no lock taken.
-- Any role, PostgreSQL 12 and later; without pg_read_all_stats the statements of others are hidden.
-- Texts come as the digits of their bytes: a database of another encoding shows them as they are there, and one byte
-- that does not convert would lose the whole answer; no longer than a cell may be. By decode(), for textsend() converts
-- from the encoding of this database; by textsend() where there is nothing to convert, which is faster. `asked` is the
-- server's own clock, so that no other can skew a duration.
select a.pid,
       a.backend_start,
       a.backend_type,
       a.leader_pid,  -- if pg_stat_activity.leader_pid else null::int as leader_pid,
       a.state,
       a.wait_event_type,
       a.wait_event,
       encode(case when u.unconverted then textsend(a.datname::text) else decode(replace(a.datname::text, E'\\', E'\\\\'), 'escape') end, 'hex') as database,
       encode(case when u.unconverted then textsend(a.usename::text) else decode(replace(a.usename::text, E'\\', E'\\\\'), 'escape') end, 'hex') as role,
       encode(case when u.unconverted then textsend(a.application_name) else decode(replace(a.application_name, E'\\', E'\\\\'), 'escape') end, 'hex') as application,
       host(a.client_addr)                                                              as client,
       encode(substring(case when u.unconverted then textsend(a.query)
                             else decode(replace(a.query, E'\\', E'\\\\'), 'escape') end for 4900), 'hex') as query,
       a.query_id::text as query_id,  -- if pg_stat_activity.query_id else null::text as query_id,
       pg_encoding_to_char(d.encoding)                                                  as encoding,
       extract(epoch from clock_timestamp())::float8                                    as asked,
       extract(epoch from a.query_start)::float8                                        as query_start,
       extract(epoch from a.xact_start)::float8                                         as transaction_start,
       extract(epoch from a.state_change)::float8                                       as state_change,
       greatest(age(a.backend_xid), age(a.backend_xmin))                                as xmin_age,
       a.pid = pg_backend_pid()                                                         as own
  from pg_catalog.pg_stat_activity a
  left join pg_catalog.pg_database d on d.oid = a.datid
  cross join (select getdatabaseencoding() in ('UTF8', 'SQL_ASCII') as unconverted) u
