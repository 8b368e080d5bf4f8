-- Standbys and log receivers of this server, and the slots. Shared memory only: no lock, a millisecond. Any role,
-- PostgreSQL 12 and later; positions and addresses of other roles' senders need pg_read_all_stats.
-- Bytes behind are counted from where this server is: what it wrote itself or, on a standby, what it replayed.
with here as (
    select case when pg_is_in_recovery() then coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                else pg_current_wal_lsn() end as lsn
)
select 'sender' as kind, encode(decode(replace(coalesce(nullif(r.application_name, ''), r.pid::text), E'\\', E'\\\\'), 'escape'), 'hex') as name,
       coalesce(host(r.client_addr), 'local') as client, coalesce(r.state, '') as state, coalesce(r.sync_state, '') as mode,
       pg_wal_lsn_diff(h.lsn, r.sent_lsn)::float8 as unsent, pg_wal_lsn_diff(h.lsn, r.flush_lsn)::float8 as unflushed,
       pg_wal_lsn_diff(h.lsn, r.replay_lsn)::float8 as behind,
       extract(epoch from r.replay_lag)::float8 as lag,
       null::boolean as active, '' as status, null::float8 as retained, null::float8 as room, r.pid
  from pg_stat_replication r cross join here h
union all
select 'slot', encode(decode(replace(s.slot_name::text, E'\\', E'\\\\'), 'escape'), 'hex'), coalesce(s.plugin::text, ''), '', s.slot_type,
       null, null, null, null, s.active,
       coalesce(s.wal_status, ''),  -- if pg_replication_slots.wal_status else '',
       greatest(pg_wal_lsn_diff(h.lsn, s.restart_lsn), 0)::float8,
       s.safe_wal_size::float8,  -- if pg_replication_slots.safe_wal_size else null,
       s.active_pid
  from pg_replication_slots s cross join here h
 order by 1, 2
