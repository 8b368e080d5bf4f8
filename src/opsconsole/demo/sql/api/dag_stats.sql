-- How many runs of each DAG are in which state.
select d.dag_id, d.dag_display_name, s.state, count(r.id)::integer as count
from dag d
cross join unnest(array['queued', 'running', 'success', 'failed']) with ordinality as s (state, place)
left join dag_run r on r.dag_id = d.dag_id and r.state = s.state
group by d.dag_id, s.state, s.place
order by d.dag_id, s.place;
