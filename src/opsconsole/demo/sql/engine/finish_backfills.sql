-- Backfills of which no run is left are complete.
update backfill b
set completed_at = now(), updated_at = now()
where b.completed_at is null
  and not exists (select from dag_run r where r.backfill_id = b.id and r.state in ('queued', 'running'));
