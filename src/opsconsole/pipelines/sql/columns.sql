-- Which tables and columns this metadata database has: Airflow 2 and 3, and versions between, differ.
-- Cost: a few rows of the catalog. Versions: Airflow 2.2 to 3. Privilege: any.
select c.relname::text as "table", to_json(array_agg(a.attname::text))::text as columns
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relname in ('dag', 'dag_run', 'dag_tag', 'task_instance', 'task_instance_history', 'job', 'import_error',
                     'slot_pool', 'serialized_dag', 'asset', 'dataset')
   and pg_catalog.pg_table_is_visible(c.oid)
 group by c.relname
