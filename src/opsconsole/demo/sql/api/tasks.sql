-- The tasks of a DAG, in order. Bind: dag.
select t.task_id, t.operator, t.upstream, t.mapped, t.retries, t.pool, d.owners
from engine.task t join dag d using (dag_id)
where t.dag_id = %(dag)s::text
order by t.position;
