-- Somebody did something. Binds: event, dag, task, run, user, extra.
insert into log (dttm, dag_id, task_id, event, run_id, owner, owner_display_name, extra)
values (now(), %(dag)s::text, %(task)s::text, %(event)s::text, %(run)s::text, %(user)s::text, %(user)s::text, %(extra)s::text);
