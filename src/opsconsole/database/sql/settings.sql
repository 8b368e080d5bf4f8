-- The settings that advice is about, and what it depends on. Any role, PostgreSQL 12 and later; a setting that the
-- version does not have brings no row. reset_val, for the console sets some of them for itself. Shared memory and catalogs, no lock.
select s.name, s.reset_val as setting, coalesce(s.unit, '') as unit, s.source, s.context, s.pending_restart
  from pg_settings s
 where s.name in ('autovacuum', 'autovacuum_max_workers', 'autovacuum_vacuum_cost_delay', 'autovacuum_vacuum_cost_limit',
                  'vacuum_cost_limit', 'checkpoint_completion_target', 'checkpoint_timeout', 'checkpoint_warning',
                  'effective_cache_size', 'effective_io_concurrency', 'fsync', 'full_page_writes',
                  'idle_in_transaction_session_timeout', 'idle_session_timeout', 'jit', 'lock_timeout',
                  'log_autovacuum_min_duration', 'log_checkpoints', 'log_lock_waits', 'log_min_duration_statement',
                  'log_temp_files', 'maintenance_work_mem', 'max_connections', 'max_wal_size', 'random_page_cost',
                  'seq_page_cost', 'shared_buffers', 'shared_preload_libraries', 'statement_timeout',
                  'synchronous_commit', 'track_counts', 'track_io_timing', 'wal_compression', 'work_mem',
                  'max_slot_wal_keep_size', 'hot_standby_feedback')
union all
select '(database bytes)', (sum(greatest(relpages, 0)) * current_setting('block_size')::float8)::text, 'B', '', '', false
  from pg_class where relkind in ('r', 'i', 'm', 't')
 order by 1
