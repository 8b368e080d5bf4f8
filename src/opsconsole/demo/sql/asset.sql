-- One asset, written by one task, awaited by some DAGs. Binds: asset, dag_id, task_id, waiting (text[]).
with made as (
    insert into asset (name, uri, "group", extra, created_at, updated_at)
    values (%(asset)s::text, 'postgres://app/public/' || %(asset)s::text, 'asset', '{}', now(), now())
    returning id, name, uri
), active as (
    insert into asset_active (name, uri) select name, uri from made
), written as (
    insert into task_outlet_asset_reference (asset_id, dag_id, task_id, created_at, updated_at)
    select id, %(dag_id)s::text, %(task_id)s::text, now(), now() from made
)
insert into dag_schedule_asset_reference (asset_id, dag_id, created_at, updated_at)
select id, one, now(), now() from made, unnest(%(waiting)s::text[]) as one;
