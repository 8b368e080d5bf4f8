-- Where this server is in the log, how old what it replayed is, and how its archiving goes. Shared memory only; any
-- role, PostgreSQL 12 and later.
-- A standby that has replayed all it received is not behind, however long ago the last transaction was.
select pg_is_in_recovery()                                                              as standby,
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text as position,
       case when pg_is_in_recovery() then pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')
            else pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') end::float8               as bytes,
       case when pg_is_in_recovery() then
            pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) end::float8 as unreplayed,
       case when pg_is_in_recovery() then
            case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
                 when pg_last_xact_replay_timestamp() is not null then
                      greatest(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()), 0) end
       end::float8                                                                      as replay_lag,
       case when pg_is_in_recovery() then (select w.status from pg_stat_wal_receiver w limit 1) end as receiver,
       case when pg_is_in_recovery() then pg_is_wal_replay_paused() end                 as paused,
       current_setting('archive_mode') <> 'off'                                         as archiving,
       a.archived_count as archived, a.failed_count as failed, a.last_archived_time as archived_at,
       a.last_failed_time as failed_at, coalesce(a.last_failed_wal, '') as failed_file
  from pg_stat_archiver a
