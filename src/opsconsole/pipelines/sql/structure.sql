-- Which tasks of a DAG follow which, from its latest serialization; null where that is compressed.
-- Cost: one serialized DAG, up to megabytes, of which the server sends only the ids. Versions: Airflow 2.2 to 3.
-- Privilege: select on serialized_dag. Bind: DAG_ID.
select coalesce(t -> '__var' ->> 'task_id', t ->> 'task_id') as task_id,
       coalesce(t -> '__var' -> 'downstream_task_ids', t -> 'downstream_task_ids', '[]')::text as downstream
  from (select data::jsonb as data
          from serialized_dag
         where dag_id = :'DAG_ID'
         order by last_updated desc
         limit 1) s,
       jsonb_array_elements(s.data -> 'dag' -> 'tasks') t
