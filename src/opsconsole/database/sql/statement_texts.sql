-- The beginnings of the texts of some statements, 4,900 bytes each: twice as many digits still are one cell.
-- Reads the file of all texts, whatever is asked for: for those that are shown, only.
-- pg_stat_statements of any version; any role, others' statements with pg_read_all_stats; no lock.
-- The extension converts them from the encodings of their databases to this one's; what has no encoding (SQL_ASCII)
-- comes as it is, so that they are taken as bytes.
select distinct on (s.userid, s.dbid, s.queryid)
       s.userid::bigint                                                  as user_id,
       s.dbid::bigint                                                    as database_id,
       s.queryid,
       encode(substring(textsend(s.query) from 1 for 4900), 'hex')       as query,
       octet_length(s.query) > 4900                                      as more
  from :"SCHEMA".pg_stat_statements(true) s
 where s.queryid = any (string_to_array(:'QUERYIDS', ',')::bigint[])
