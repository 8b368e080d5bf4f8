-- What the :'limit' largest B-tree indexes would need if they were built anew, from the averages of pg_stats: an
-- estimate, high for many equal keys (13 and later keep those once). PostgreSQL 12 and later; `width` is null where
-- the role may not read a column, or nobody analyzed. Indexes under 1 MiB are left out. No lock, no file.
-- An entry: 8 bytes of header, its columns rounded to 8, 4 for its line pointer.
select c.oid::text as oid, n.nspname as schema, c.relname as name, t.relname as table_name,
       c.relpages::float8 as pages, c.reltuples::float8 as rows, current_setting('block_size')::float8 as block_size,
       coalesce((select max(option_value) from pg_options_to_table(c.reloptions)
                  where option_name = 'fillfactor'), '90')::float8 as fillfactor,
       case when w.known = cardinality(i.indkey::int2[]) then w.width end::float8 as width, w.nulls
  from (select * from pg_class
         where relkind = 'i' and relpages >= 128 and not pg_is_other_temp_schema(relnamespace)
           and relam = (select oid from pg_am where amname = 'btree')
         order by relpages desc limit :'limit'::int) c
  join pg_index i on i.indexrelid = c.oid and i.indisvalid
  join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  left join lateral (
       select sum((1 - s.null_frac) * s.avg_width) as width, bool_or(s.null_frac > 0) as nulls, count(*) as known
         from pg_attribute k
         left join pg_attribute a on a.attrelid = t.oid and a.attnum = (i.indkey::int2[])[k.attnum - 1] and a.attnum > 0
         join pg_stats s on s.schemaname = n.nspname and not s.inherited
          and ((s.tablename = t.relname and s.attname = a.attname) or (s.tablename = c.relname and s.attname = k.attname))
        where k.attrelid = c.oid and k.attnum > 0) w on true
 order by c.relpages desc
