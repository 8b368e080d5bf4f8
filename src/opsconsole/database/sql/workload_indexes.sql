-- The B-tree indexes of the tables :'tables' (oids) that find rows for any query: valid, of columns only, not partial.
-- Any role, PostgreSQL 12 and later; catalogs only, no lock.
select i.indrelid::text as oid,
       (select to_json(array_agg(a.attname order by k.o))::text
          from unnest(i.indkey::int2[]) with ordinality k (attnum, o)
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
         where k.o <= i.indnkeyatts) as columns
  from pg_index i
  join pg_class c on c.oid = i.indexrelid and c.relam = (select oid from pg_am where amname = 'btree')
 where i.indrelid::bigint = any (string_to_array(:'tables', ',')::bigint[])
   and i.indisvalid and i.indpred is null and i.indexprs is null
