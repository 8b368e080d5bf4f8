-- The parameters of a DAG, from its latest serialization; null where that is compressed.
-- Cost: one serialized DAG, up to megabytes, of which the server sends only the parameters. Versions: Airflow 2.2 to 3.
-- Privilege: select on serialized_dag. Bind: DAG_ID.
select (data::json -> 'dag' -> 'params')::text as params
  from serialized_dag
 where dag_id = :'DAG_ID'
 order by last_updated desc
 limit 1
