-- What the :'limit' largest tables would need if they were written anew, from the averages of pg_stats: an estimate. PostgreSQL 12 and
-- later; pg_stats shows only columns that the role may read, so `width` is null for other tables (and never analyzed
-- ones). Tables under 1 MiB are left out. No lock, no file; some 0.1 ms a table.
-- A row: 23 bytes of header, a bit a column where anything is null, rounded to 8; its columns; 4 for its line pointer.
select c.oid::text as oid, n.nspname as schema, c.relname as name, c.relpages::float8 as pages, c.reltuples::float8 as rows,
       current_setting('block_size')::float8 as block_size,
       coalesce((select max(option_value) from pg_options_to_table(c.reloptions)
                  where option_name = 'fillfactor'), '100')::float8 as fillfactor,
       w.width::float8 as width, w.nulls, c.relnatts::int4 as columns
  from (select * from pg_class
         where relkind in ('r', 'm') and relpages >= 128 and not pg_is_other_temp_schema(relnamespace)
         order by relpages desc limit :'limit'::int) c
  join pg_namespace n on n.oid = c.relnamespace and n.nspname not in ('pg_catalog', 'information_schema')
  left join lateral (
       select sum((1 - s.null_frac) * s.avg_width) as width, bool_or(s.null_frac > 0) as nulls
         from pg_stats s
        where s.schemaname = n.nspname and s.tablename = c.relname and not s.inherited) w on true
 order by c.relpages desc
