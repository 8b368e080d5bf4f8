-- What somebody did.
select l.id as event_log_id, l.dttm as "when", l.dag_id, l.task_id, l.run_id, l.map_index, l.try_number, l.event, l.logical_date, l.owner,
       l.extra, d.dag_display_name, null::text as task_display_name
from log l left join dag d using (dag_id)
where true
