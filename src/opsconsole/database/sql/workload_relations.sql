-- The tables and views called :'names' (a JSON array), in whatever schema; none of the server's own, none that is
-- temporary. Any role, PostgreSQL 12 and later; pg_class, pg_inherits and counters in shared memory: no lock, no file.
-- A partitioned table has the sums of its partitions. `trusted`: planning it runs no function of a role that is neither a
-- superuser nor this one; the planner runs what is not volatile in index expressions, defaults, checks, policies, views.
with recursive named as materialized (
    select c.oid, c.relname, n.nspname, c.relkind, c.relowner, c.relispartition
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where c.relname = any (array(select jsonb_array_elements_text(:'names'::jsonb)))
       and c.relkind in ('r', 'p', 'm', 'v', 'f') and c.relpersistence <> 't'
       and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
), member (root, oid) as (
    select oid, oid from named
    union all
    select m.root, i.inhrelid from member m join pg_inherits i on i.inhparent = m.oid
      join pg_class p on p.oid = i.inhparent and p.relkind = 'p'
), summed as materialized (
    select m.root, sum(greatest(c.reltuples, 0))::float8 as rows, bool_and(c.reltuples < 0 or c.relpages = 0) as unknown,
           sum(c.relpages * current_setting('block_size')::float8) as bytes,
           sum(pg_stat_get_numscans(c.oid))::float8 as seq_scans, sum(pg_stat_get_tuples_returned(c.oid))::float8 as seq_rows,
           sum(pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)
               - pg_stat_get_tuples_hot_updated(c.oid))::float8 as writes
      from member m join pg_class c on c.oid = m.oid and c.relkind <> 'p'
     group by m.root
), planned (root, classid, objid) as (
    select m.root, 'pg_class'::regclass::oid, i.indexrelid from member m join pg_index i on i.indrelid = m.oid
     where i.indexprs is not null or i.indpred is not null
    union all
    select m.root, 'pg_attrdef'::regclass::oid, d.oid from member m join pg_attrdef d on d.adrelid = m.oid
    union all
    select m.root, 'pg_policy'::regclass::oid, p.oid from member m join pg_policy p on p.polrelid = m.oid
    union all
    select m.root, 'pg_constraint'::regclass::oid, x.oid from member m join pg_constraint x on x.conrelid = m.oid and x.contype = 'c'
    union all
    select m.root, 'pg_rewrite'::regclass::oid, w.oid from member m join pg_rewrite w on w.ev_class = m.oid
), foreign_code as materialized (
    select distinct l.root
      from planned l
      join pg_depend d on d.classid = l.classid and d.objid = l.objid and d.refclassid = 'pg_proc'::regclass
      join pg_proc p on p.oid = d.refobjid and p.provolatile <> 'v'
      join pg_roles o on o.oid = p.proowner and not o.rolsuper and o.rolname <> current_user
)
select n.oid::text as oid, n.nspname as schema, n.relname as name, n.relkind::text as kind, s.rows, s.unknown, s.bytes,
       s.seq_scans, s.seq_rows, s.writes,
       (n.relkind <> 'v' or n.relowner = r.oid or o.rolsuper) and f.root is null as trusted
  from named n
  left join summed s on s.root = n.oid
  left join foreign_code f on f.root = n.oid
  join pg_roles o on o.oid = n.relowner
  join pg_roles r on r.rolname = current_user
 order by n.nspname, n.relname
