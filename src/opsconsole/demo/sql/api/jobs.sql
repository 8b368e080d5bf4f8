-- The components, since they began.
select j.id, j.dag_id, j.state, j.job_type, j.start_date, j.end_date, j.latest_heartbeat, j.executor_class, j.hostname, j.unixname,
       null::text as dag_display_name
from job j
where true
