-- What has to be updated so that a DAG starts, of those that assets start; as JSON.
-- Cost: one pass over dag, one row a DAG. Versions: Airflow 2.9 to 3. Privilege: select on dag.
select d.dag_id,
       d.asset_expression::text as expression  -- if dag.asset_expression else d.dataset_expression::text as expression
  from dag d
 where d.asset_expression is not null  -- if dag.asset_expression else where d.dataset_expression is not null
 order by d.dag_id
