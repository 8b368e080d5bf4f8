-- Write down a note on task instances. Binds: ids, note, user.
insert into task_instance_note (ti_id, user_id, content, created_at, updated_at)
select id, %(user)s::text, %(note)s::text, now(), now() from task_instance where id = any(%(ids)s::uuid[])
on conflict (ti_id) do update set content = excluded.content, user_id = excluded.user_id, updated_at = now();
