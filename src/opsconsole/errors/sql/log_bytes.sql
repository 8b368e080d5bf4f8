-- A part of a file of the log, as base64 in pieces that fit into a cell. Cost: reads LENGTH bytes (a megabyte at most).
-- Versions: 10 and later. Privilege: execute on pg_read_binary_file(text, bigint, bigint), and pg_read_server_files
-- where the folder is outside the data directory. Binds: FILE, OFFSET, LENGTH.
with part as materialized (
    select pg_read_binary_file(:'FILE', :'OFFSET'::bigint, :'LENGTH'::bigint) as bytes
)
select encode(substring(bytes from at for 7000), 'base64') as piece
  from part, generate_series(1, length(bytes), 7000) as at
 order by at
