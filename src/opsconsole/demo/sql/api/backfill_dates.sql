-- The moments from `from` to `to` at which a DAG would have run and did not. Binds: dag, from, to.
select at
from engine.dag e,
     generate_series(to_timestamp(ceil(extract(epoch from %(from)s::timestamptz) / e.every) * e.every), %(to)s::timestamptz,
                     make_interval(secs => e.every)) as at
where e.dag_id = %(dag)s::text and e.every > 0
  and not exists (select from dag_run r where r.dag_id = e.dag_id and r.logical_date = at)
order by at
limit 500;
