-- Work on whole tables that is under way, of every kind that reports itself. Shared memory only: no lock, below a
-- millisecond. Any role, PostgreSQL 12 and later; of other roles' sessions without pg_read_all_stats the pid alone.
-- `done` and `total` are of the present phase, in `unit`; a total of 0 is not known.
with work as (
    select 'vacuum' as kind, p.pid, p.datname, p.relid, null::oid as index_relid, p.phase,
           case when p.phase = 'vacuuming heap' then p.heap_blks_vacuumed else p.heap_blks_scanned end as done,
           p.heap_blks_total as total, 'blocks' as unit, p.index_vacuum_count::text as detail
      from pg_stat_progress_vacuum p
    union all
    select lower(p.command), p.pid, p.datname, p.relid, p.index_relid, p.phase,
           case when p.lockers_total > 0 then p.lockers_done when p.blocks_total > 0 then p.blocks_done
                when p.tuples_total > 0 then p.tuples_done else p.partitions_done end,
           case when p.lockers_total > 0 then p.lockers_total when p.blocks_total > 0 then p.blocks_total
                when p.tuples_total > 0 then p.tuples_total else p.partitions_total end,
           case when p.lockers_total > 0 then 'sessions' when p.blocks_total > 0 then 'blocks'
                when p.tuples_total > 0 then 'rows' else 'partitions' end,
           case when p.current_locker_pid > 0 then p.current_locker_pid::text end
      from pg_stat_progress_create_index p
    union all
    select lower(p.command), p.pid, p.datname, p.relid, p.cluster_index_relid, p.phase,
           p.heap_blks_scanned, p.heap_blks_total, 'blocks', null
      from pg_stat_progress_cluster p
    union all select 'analyze', p.pid, p.datname, p.relid, null, p.phase, p.sample_blks_scanned, p.sample_blks_total, 'blocks', null from pg_stat_progress_analyze p  -- if pg_stat_progress_analyze
    union all select lower(p.command), p.pid, p.datname, p.relid, null, lower(p.type), p.bytes_processed, p.bytes_total, 'bytes', p.tuples_processed::text from pg_stat_progress_copy p  -- if pg_stat_progress_copy
    union all select 'base backup', p.pid, null, null, null, p.phase, p.backup_streamed, p.backup_total, 'bytes', null from pg_stat_progress_basebackup p  -- if pg_stat_progress_basebackup
)
select w.kind, w.pid, a.backend_start, w.phase, w.done, w.total, w.unit, w.detail,
       encode(decode(replace(w.datname::text, E'\\', E'\\\\'), 'escape'), 'hex') as database,
       case when w.datname = current_database() then w.relid::regclass::text else w.relid::text end as relation,
       case when w.datname = current_database() and w.index_relid > 0 then w.index_relid::regclass::text end as index,
       w.relid::text as relation_oid,
       encode(decode(replace(a.usename::text, E'\\', E'\\\\'), 'escape'), 'hex') as role,
       a.backend_type = 'autovacuum worker' as automatic,
       case when a.query_start is not null then
            greatest(extract(epoch from clock_timestamp() - a.query_start), 0) end::float8 as seconds
  from work w
  left join pg_catalog.pg_stat_activity a on a.pid = w.pid
 order by w.pid
