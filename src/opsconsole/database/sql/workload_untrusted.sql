-- Of the functions and operators called :'names' (a JSON array) those that the planner may run, and that belong to a
-- role that is neither a superuser nor this one: planning a statement with them would run somebody's code with the
-- rights of this role. Volatile ones are never run by the planner. Any role, PostgreSQL 12 and later; no lock.
with wanted as materialized (
    select jsonb_array_elements_text(:'names'::jsonb) as name
), theirs as materialized (
    select oid from pg_roles where not rolsuper and rolname <> current_user
)
select p.proname::text as name
  from pg_proc p
 where p.proname = any (array(select name from wanted)) and p.provolatile <> 'v' and p.proowner in (select oid from theirs)
union
select o.oprname::text
  from pg_operator o
 where o.oprname = any (array(select name from wanted)) and o.oprowner in (select oid from theirs)
