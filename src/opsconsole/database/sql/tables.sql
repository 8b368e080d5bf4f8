-- The tables that rank first by :'sort', with what the statistics know of them; a partitioned table is one row with
-- the sums of its partitions, unless :'apart'. Any role, PostgreSQL 12 and later. Reads pg_class, pg_index, pg_inherits
-- and counters in shared memory: no lock that anybody could hold, no file touched (sizes are relpages, as of the last
-- vacuum or analyze; a table that nobody counted yet is guessed at 100 bytes a row). 50,000 tables: some 0.3 s.
-- pg_partition_tree would be shorter; it locks every partition and waits for that.
with recursive setting as materialized (
    select current_setting('block_size')::float8 as block_size,
           current_setting('autovacuum_freeze_max_age')::float8 as freeze_age,
           current_setting('autovacuum_vacuum_threshold')::float8 as vacuum_base,
           current_setting('autovacuum_vacuum_scale_factor')::float8 as vacuum_scale,
           current_setting('autovacuum_vacuum_max_threshold', true)::float8 as vacuum_most,
           current_setting('autovacuum_vacuum_insert_threshold', true)::float8 as insert_base,
           current_setting('autovacuum_vacuum_insert_scale_factor', true)::float8 as insert_scale,
           current_setting('autovacuum_analyze_threshold')::float8 as analyze_base,
           current_setting('autovacuum_analyze_scale_factor')::float8 as analyze_scale,
           (current_setting('autovacuum') = 'on' and current_setting('track_counts') = 'on') as running
), part (root, oid) as (
    select c.oid, i.inhrelid
      from pg_class c join pg_inherits i on i.inhparent = c.oid
     where c.relkind = 'p' and not c.relispartition
    union all
    select p.root, i.inhrelid from part p join pg_inherits i on i.inhparent = p.oid
), indexed as materialized (  -- only the order by size needs it of every table; an index of one page moves none by more than a page
    select i.indrelid, sum(greatest(x.relpages, 0))::float8 as pages
      from pg_index i join pg_class x on x.oid = i.indexrelid
     where :'sort' = 'size' and x.relpages > 1
     group by i.indrelid
), valued as (  -- what ranks, and nothing else: most tables are never shown
    select coalesce(case when not :'apart'::bool then p.root end, c.oid) as shown,
           case :'sort'
               when 'size' then sum((case when c.relkind = 'p' then 0
                                          when c.relpages = 0 then ceil(pg_stat_get_live_tuples(c.oid) * 100.0 / s.block_size)
                                          else c.relpages end)::float8
                                    + coalesce(t.relpages, 0) + coalesce(x.pages, 0) + coalesce(tx.pages, 0))
               when 'dead' then sum(pg_stat_get_dead_tuples(c.oid))::float8
               when 'dead-share' then case when sum(pg_stat_get_dead_tuples(c.oid)) > 1000 then
                    sum(pg_stat_get_dead_tuples(c.oid)) / sum(pg_stat_get_live_tuples(c.oid) + pg_stat_get_dead_tuples(c.oid))::float8 end
               when 'age' then max(case when c.relkind in ('r', 'm', 't') then
                                        greatest(age(c.relfrozenxid), age(t.relfrozenxid)) end)::float8
               when 'seq' then sum(pg_stat_get_tuples_returned(c.oid))::float8
               when 'modified' then sum(pg_stat_get_mod_since_analyze(c.oid))::float8 end as value
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      cross join setting s
      left join part p on p.oid = c.oid
      left join pg_class t on t.oid = c.reltoastrelid and (:'sort' = 'age' or t.relpages > 0)
      left join indexed x on x.indrelid = c.oid
      left join indexed tx on tx.indrelid = t.oid
     where c.relkind in ('r', 'p', 'm') and not pg_is_other_temp_schema(c.relnamespace)
       and (n.nspname not in ('pg_catalog', 'information_schema') or :'schema' = n.nspname)
       and (:'schema' = '' or n.nspname = :'schema')
       and (:'table' = '' or nullif(:'table', '')::oid in (c.oid, p.root))
     group by 1
), ranked as materialized (
    select v.shown from valued v join pg_class c on c.oid = v.shown join pg_namespace n on n.oid = c.relnamespace
     order by v.value desc nulls last, n.nspname, c.relname
     limit case when :'sort' <> 'due' then :'limit'::int end  -- what is due follows from everything
), member as materialized (
    select r.shown, r.shown as oid from ranked r
    union all
    select r.shown, p.oid from ranked r join part p on p.root = r.shown where not :'apart'::bool
), counted as (
    select c.oid, m.shown,
           (case when c.relkind = 'p' then 0  /* -1 once analyzed */
                 when c.relpages = 0 then ceil(pg_stat_get_live_tuples(c.oid) * 100.0 / s.block_size)
                 else c.relpages end)::float8 as pages,
           coalesce(t.relpages, 0)::float8 + coalesce(tx.pages, 0) as toast_pages,
           coalesce(x.pages, 0) as index_pages, coalesce(x.indexes, 0) as indexes,
           case when c.relkind = 'p' then null else greatest(c.reltuples, 0)::float8 end as reltuples,
           c.relkind <> 'p' and c.reltuples < 0 and pg_stat_get_live_tuples(c.oid) > 0 as never_counted,
           pg_stat_get_live_tuples(c.oid) as live, pg_stat_get_dead_tuples(c.oid) as dead,
           pg_stat_get_mod_since_analyze(c.oid) as modified,
           pg_stat_get_ins_since_vacuum(c.oid) as inserted_since,  -- if pg_stat_all_tables.n_ins_since_vacuum else null::int8 as inserted_since,
           pg_stat_get_tuples_inserted(c.oid) as inserted, pg_stat_get_tuples_updated(c.oid) as updated,
           pg_stat_get_tuples_hot_updated(c.oid) as hot, pg_stat_get_tuples_deleted(c.oid) as deleted,
           pg_stat_get_numscans(c.oid) as seq_scans, pg_stat_get_tuples_returned(c.oid) as seq_rows,
           coalesce(x.scans, 0) as index_scans,
           pg_stat_get_last_vacuum_time(c.oid) as vacuum_at, pg_stat_get_last_autovacuum_time(c.oid) as autovacuum_at,
           pg_stat_get_last_analyze_time(c.oid) as analyze_at, pg_stat_get_last_autoanalyze_time(c.oid) as autoanalyze_at,
           pg_stat_get_vacuum_count(c.oid) as vacuums, pg_stat_get_autovacuum_count(c.oid) as autovacuums,
           pg_stat_get_analyze_count(c.oid) as analyzes, pg_stat_get_autoanalyze_count(c.oid) as autoanalyzes,
           case when c.relkind in ('r', 'm', 't') then greatest(age(c.relfrozenxid), age(t.relfrozenxid)) end as xid_age,
           case when c.relkind in ('r', 'm', 't') then mxid_age(c.relminmxid) end as mxid_age,
           least(coalesce(o.freeze_age, s.freeze_age), s.freeze_age) as freeze_age,
           coalesce(o.enabled, true) and s.running as autovacuum,
           least(coalesce(o.vacuum_base, s.vacuum_base) + coalesce(o.vacuum_scale, s.vacuum_scale)
                 * greatest(c.reltuples, 0), s.vacuum_most) as vacuum_after,
           case when coalesce(o.insert_base, s.insert_base) >= 0 then
                coalesce(o.insert_base, s.insert_base) + coalesce(o.insert_scale, s.insert_scale)
                * greatest(c.reltuples, 0) end as insert_after,
           coalesce(o.analyze_base, s.analyze_base) + coalesce(o.analyze_scale, s.analyze_scale)
                * greatest(c.reltuples, 0) as analyze_after
      from member m
      join pg_class c on c.oid = m.oid
      cross join setting s
      left join pg_class t on t.oid = c.reltoastrelid
      left join lateral (
           select count(*) as indexes, sum(greatest(i.relpages, 0))::float8 as pages, sum(pg_stat_get_numscans(i.oid))::int8 as scans
             from pg_index d join pg_class i on i.oid = d.indexrelid where d.indrelid = c.oid) x on true
      left join lateral (
           select sum(greatest(i.relpages, 0))::float8 as pages
             from pg_index d join pg_class i on i.oid = d.indexrelid where d.indrelid = t.oid) tx on true
      left join lateral (
           select max(option_value) filter (where option_name = 'autovacuum_enabled')::bool as enabled,
                  max(option_value) filter (where option_name = 'autovacuum_freeze_max_age')::float8 as freeze_age,
                  max(option_value) filter (where option_name = 'autovacuum_vacuum_threshold')::float8 as vacuum_base,
                  max(option_value) filter (where option_name = 'autovacuum_vacuum_scale_factor')::float8 as vacuum_scale,
                  max(option_value) filter (where option_name = 'autovacuum_vacuum_insert_threshold')::float8 as insert_base,
                  max(option_value) filter (where option_name = 'autovacuum_vacuum_insert_scale_factor')::float8 as insert_scale,
                  max(option_value) filter (where option_name = 'autovacuum_analyze_threshold')::float8 as analyze_base,
                  max(option_value) filter (where option_name = 'autovacuum_analyze_scale_factor')::float8 as analyze_scale
             from pg_options_to_table(c.reloptions)) o on c.reloptions is not null
), summed as (
    select shown, count(*) filter (where oid <> shown) as partitions, sum(pages) as pages, sum(toast_pages) as toast_pages,
           sum(index_pages) as index_pages, max(indexes) as indexes, sum(reltuples) as reltuples,
           bool_or(never_counted) as never_counted, sum(live)::int8 as live, sum(dead)::int8 as dead,
           sum(modified)::int8 as modified, sum(inserted)::int8 as inserted, sum(updated)::int8 as updated,
           sum(hot)::int8 as hot, sum(deleted)::int8 as deleted, sum(seq_scans)::int8 as seq_scans,
           sum(seq_rows)::int8 as seq_rows, sum(index_scans)::int8 as index_scans,
           max(vacuum_at) as vacuum_at, max(autovacuum_at) as autovacuum_at, max(analyze_at) as analyze_at,
           max(autoanalyze_at) as autoanalyze_at, sum(vacuums)::int8 as vacuums, sum(autovacuums)::int8 as autovacuums,
           sum(analyzes)::int8 as analyzes, sum(autoanalyzes)::int8 as autoanalyzes,
           max(xid_age) as xid_age, max(mxid_age) as mxid_age, min(freeze_age) as freeze_age,
           bool_and(autovacuum) as autovacuum, sum(vacuum_after) as vacuum_after,
           max(dead / nullif(vacuum_after, 0)) as vacuum_due, max(inserted_since / nullif(insert_after, 0)) as insert_due,
           max(modified / nullif(analyze_after, 0)) as analyze_due, max(xid_age / nullif(freeze_age, 0)) as freeze_due
      from counted group by shown
)
select c.oid::text as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind, c.relpersistence::text as persistence,
       pg_get_userbyid(c.relowner) as owner, coalesce(array_to_string(c.reloptions, ', '), '') as options,
       (select block_size from setting) as block_size, s.*
  from summed s
  join pg_class c on c.oid = s.shown
  join pg_namespace n on n.oid = c.relnamespace
 order by case :'sort' when 'size' then s.pages + s.toast_pages + s.index_pages
                       when 'dead' then s.dead
                       when 'dead-share' then case when s.dead > 1000 then s.dead / (s.live + s.dead)::float8 end
                       when 'age' then s.xid_age
                       when 'seq' then s.seq_rows
                       when 'modified' then s.modified
                       when 'due' then greatest(s.vacuum_due, s.insert_due, s.freeze_due) end desc nulls last,
          n.nspname, c.relname
 limit :'limit'::int
