-- The whole text of one statement that ran in this database, in pieces of 4,900 bytes as hexadecimal digits.
-- As statement_texts.sql: reads the file of all texts; any role, others' statements with pg_read_all_stats; no lock.
select encode(substring(t.bytes from piece * 4900 + 1 for 4900), 'hex') as query
  from (select textsend(s.query) as bytes
          from :"SCHEMA".pg_stat_statements(true) s
          join pg_catalog.pg_database d on d.oid = s.dbid and d.datname = current_database()
         where s.queryid = :'QUERYID'::bigint and s.query is not null
         limit 1) t
 cross join lateral generate_series(0, (length(t.bytes) - 1) / 4900) piece
 order by piece
