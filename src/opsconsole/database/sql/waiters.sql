-- Who waits for a lock, and for whom. pg_blocking_pids() holds all lock partitions for a moment: it is asked for those
-- that wait, never for everybody. Any role, PostgreSQL 12 and later; under a millisecond where nobody waits.
-- Pid 0 is a prepared transaction; `holders` names those that stand in the way of the same lock, each as the digits of
-- its name's bytes and the encoding of its database: a name of another encoding would lose the whole answer.
select a.pid,
       to_json(pg_catalog.pg_blocking_pids(a.pid))::text                                as blocked_by,
       w.seconds,
       w.wanted,
       to_json(w.holders)::text                                                         as holders
  from pg_catalog.pg_stat_activity a
  left join lateral (
       select case when max(l.waitstart) is not null then greatest(extract(epoch from clock_timestamp() - max(l.waitstart)), 0) end::float8 as seconds,  -- if pg_locks.waitstart else select null::float8 as seconds,
              max(l.mode || ' on ' || coalesce(case when l.database = (select oid from pg_catalog.pg_database
                                                                       where datname = current_database())
                                                    then l.relation::regclass::text end,
                      case l.locktype when 'transactionid' then 'transaction ' || l.transactionid::text
                                      when 'advisory' then 'advisory ' || case l.objsubid when 1 then ((l.classid::int8 << 32) | l.objid::int8)::text
                                                                                         else l.classid || ', ' || l.objid end
                      end, l.locktype))  as wanted,
              array_agg(distinct array[encode(decode(replace(x.gid, E'\\', E'\\\\'), 'escape'), 'hex'), coalesce(pg_encoding_to_char(d.encoding), '')])
                filter (where x.gid is not null)                                        as holders
         from pg_catalog.pg_locks l
         left join pg_catalog.pg_locks h
           on h.pid is null and h.granted and h.locktype = l.locktype
          and h.transactionid is not distinct from l.transactionid
          and h.database is not distinct from l.database and h.relation is not distinct from l.relation
          and h.page is not distinct from l.page and h.tuple is not distinct from l.tuple
          and h.classid is not distinct from l.classid and h.objid is not distinct from l.objid
         left join pg_catalog.pg_locks t  -- the lock that every prepared transaction has on its own number
           on t.pid is null and t.locktype = 'transactionid' and t.virtualtransaction = h.virtualtransaction
         left join pg_catalog.pg_prepared_xacts x on x.transaction = t.transactionid
         left join pg_catalog.pg_database d on d.datname = x.database
        where l.pid = a.pid and not l.granted) w on true
 where a.wait_event_type = 'Lock'
    -- What sessions of others wait for is hidden without pg_read_all_stats; their locks are not.
    or (a.backend_type is null and a.pid in (select n.pid from pg_catalog.pg_locks n where not n.granted))
