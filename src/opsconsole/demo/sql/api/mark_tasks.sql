-- Set task instances to a state by hand; one that never ran has no begin. Binds: ids, state.
update task_instance
set state = %(state)s::text, end_date = coalesce(end_date, now()), start_date = coalesce(start_date, now()), updated_at = now()
where id = any(%(ids)s::uuid[]);
