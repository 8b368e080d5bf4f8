-- The latest sign of life of each kind of component, and whether it is recent. Its age limit is Airflow's.
select distinct on (job_type) job_type, latest_heartbeat, state = 'running' and latest_heartbeat > now() - interval '30 s' as alive
from job
order by job_type, latest_heartbeat desc;
