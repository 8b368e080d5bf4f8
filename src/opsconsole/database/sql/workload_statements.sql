-- The dearest statements of the connected database by the time they took, with their texts in pieces of 4,900 bytes as
-- hexadecimal digits (one cell each), 21 at most: what is longer is `cut`. As statement_texts.sql it reads the file of
-- all texts, once. pg_stat_statements of any version; any role, others' statements with pg_read_all_stats; no lock.
with dearest as materialized (
    select s.userid, s.queryid, min(s.query) as query, sum(s.calls) as calls,
           sum(s.total_exec_time) / 1000 as total    -- if pg_stat_statements.total_exec_time else sum(s.total_time) / 1000 as total
      from :"SCHEMA".pg_stat_statements(true) s
      join pg_catalog.pg_database d on d.oid = s.dbid and d.datname = current_database()
     where s.queryid is not null and s.query is not null
     group by s.userid, s.queryid
     order by total desc
     limit :'limit'::int
)
select t.userid::bigint as user_id, pg_catalog.pg_get_userbyid(t.userid)::text as user_name, t.queryid,
       t.calls::float8 as calls, t.total::float8 as total, length(t.bytes) > 21 * 4900 as cut,
       encode(substring(t.bytes from piece * 4900 + 1 for 4900), 'hex') as query
  from (select d.*, textsend(d.query) as bytes from dearest d) t
 cross join lateral generate_series(0, least(20, greatest(0, length(t.bytes) - 1) / 4900)) piece
 order by t.total desc, t.userid, t.queryid, piece
