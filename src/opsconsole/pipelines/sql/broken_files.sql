-- Files of DAGs that cannot be imported.
-- Cost: a few rows. Versions: Airflow 2.2 to 3. Privilege: select on import_error.
select filename as file, "timestamp" as seen_at, left(stacktrace, 20000) as trace
  from import_error
 order by "timestamp" desc nulls last
