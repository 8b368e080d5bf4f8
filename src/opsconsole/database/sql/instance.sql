-- One reading of the counters of this database and the server; two make rates. Any role, PostgreSQL 12 and later
-- (pg_stat_wal: 14; 17 moved checkpoints to pg_stat_checkpointer). Shared memory only, no lock.
select d.numbackends as backends, d.xact_commit as commits, d.xact_rollback as rollbacks, d.blks_read as read,
       d.blks_hit as hit, d.temp_files, d.temp_bytes, d.deadlocks, d.conflicts,
       d.tup_returned as rows_returned, d.tup_fetched as rows_fetched,
       d.checksum_failures,
       d.sessions_fatal + d.sessions_killed as sessions_lost,  -- if pg_stat_database.sessions_fatal else null::int8 as sessions_lost,
       case when d.stats_reset is not null then
            greatest(extract(epoch from clock_timestamp() - d.stats_reset), 0) end::float8 as reset_ago,
       greatest(extract(epoch from clock_timestamp() - pg_postmaster_start_time()), 0)::float8 as uptime,
       (select count(*) from pg_stat_replication) as standbys,
       c.num_timed as checkpoints_timed,                          -- if pg_stat_checkpointer.num_timed else b.checkpoints_timed,
       c.num_requested as checkpoints_requested,                  -- if pg_stat_checkpointer.num_requested else b.checkpoints_req as checkpoints_requested,
       c.write_time / 1000 as checkpoint_write_seconds,           -- if pg_stat_checkpointer.write_time else b.checkpoint_write_time / 1000 as checkpoint_write_seconds,
       c.sync_time / 1000 as checkpoint_sync_seconds,             -- if pg_stat_checkpointer.sync_time else b.checkpoint_sync_time / 1000 as checkpoint_sync_seconds,
       c.buffers_written as buffers_checkpoint,                   -- if pg_stat_checkpointer.buffers_written else b.buffers_checkpoint,
       b.buffers_clean, b.maxwritten_clean, b.buffers_alloc,
       w.wal_records,                                             -- if pg_stat_wal.wal_records else null::int8 as wal_records,
       w.wal_fpi,                                                 -- if pg_stat_wal.wal_fpi else null::int8 as wal_fpi,
       w.wal_bytes::float8 as wal_bytes,                          -- if pg_stat_wal.wal_bytes else null::float8 as wal_bytes,
       w.wal_buffers_full                                         -- if pg_stat_wal.wal_buffers_full else null::int8 as wal_buffers_full
  from pg_stat_database d
 cross join pg_stat_bgwriter b
 cross join pg_stat_checkpointer c                                -- if pg_stat_checkpointer
 cross join pg_stat_wal w                                         -- if pg_stat_wal
 where d.datname = current_database()
