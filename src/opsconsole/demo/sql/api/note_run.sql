-- Write down a note on a run. Binds: dag, run, note, user.
insert into dag_run_note (dag_run_id, user_id, content, created_at, updated_at)
select id, %(user)s::text, %(note)s::text, now(), now() from dag_run where dag_id = %(dag)s::text and run_id = %(run)s::text
on conflict (dag_run_id) do update set content = excluded.content, user_id = excluded.user_id, updated_at = now();
