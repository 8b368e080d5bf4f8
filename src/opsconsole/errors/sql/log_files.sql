-- The files of the log that were written to after SINCE, the latest first. Cost: a look into the folder.
-- Versions: 10 and later. Privilege: pg_monitor. Binds: SINCE (unix seconds).
select current_setting('log_directory') || '/' || name as file, size,
       extract(epoch from modification)::float8 as written_at
  from pg_ls_logdir()
 where modification >= to_timestamp(:'SINCE'::float8)
 order by modification desc
 limit 50
