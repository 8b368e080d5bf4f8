-- Of the tables :'tables' (oids) the columns called :'names' (a JSON array): how many values each has (negative: a share
-- of the rows; null: not known, or not for this role), and whether a B-tree can hold it. Any role, PostgreSQL 12 and
-- later; catalogs only, no lock.
select a.attrelid::text as oid, a.attname as name, s.n_distinct::float8 as n_distinct,
       coalesce(s.avg_width, 0) <= 500
         and (y.typtype in ('e', 'r') or y.typcategory = 'A'
              or exists (select from pg_opclass o
                          where o.opcdefault and o.opcmethod = (select oid from pg_am where amname = 'btree')
                            and (o.opcintype in (y.oid, y.typbasetype)
                                 or exists (select from pg_cast x where x.castsource in (y.oid, nullif(y.typbasetype, 0))
                                               and x.casttarget = o.opcintype and x.castmethod = 'b'
                                               and x.castcontext = 'i')))) as indexable
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_type y on y.oid = a.atttypid
  left join lateral (select n_distinct, avg_width from pg_stats s
                      where s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname
                        and s.inherited = (c.relkind = 'p')) s on true
 where a.attrelid::bigint = any (string_to_array(:'tables', ',')::bigint[])
   and a.attname = any (array(select jsonb_array_elements_text(:'names'::jsonb))) and a.attnum > 0 and not a.attisdropped
