-- The latest sign of life of each kind of job; alive as Airflow itself judges it: running, and a heartbeat that is not
-- older than 30 s (triggerer and DAG processor, too, by default).
-- Cost: the rows of `job` that are not tasks'. Versions: Airflow 2.2 to 3. Privilege: select on job.
select distinct on (job_type) job_type, latest_heartbeat as seen_at, hostname as host,
       state = 'running' and latest_heartbeat > now() - interval '30 seconds' as alive,
       state
  from job
 where job_type in ('SchedulerJob', 'TriggererJob', 'DagProcessorJob')
 order by job_type, state = 'running' desc, latest_heartbeat desc nulls last
