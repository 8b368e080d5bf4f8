-- What the details of a DAG say besides. Bind: dag.
select d.asset_expression, d.last_parsed_time as last_parsed,
       (select count(*)::integer from dag_run r where r.dag_id = d.dag_id and r.state = 'running') as active_runs_count,
       v.id as version_id, v.version_number, v.bundle_name as version_bundle, v.bundle_version as version_bundle_version, v.created_at as version_created
from dag d
left join lateral (select * from dag_version where dag_id = d.dag_id order by version_number desc limit 1) v on true
where d.dag_id = %(dag)s::text;
