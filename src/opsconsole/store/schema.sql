-- The journal of one machine. Version 1 (pragma user_version). Cost: one insert and one fsync per record.
-- `body` is the record itself, canonical JSON; the columns before it repeat a part of it for searching, and
-- `audit verify` proves that they agree. `autoincrement` makes SQLite remember the highest number ever given out,
-- so that records cut off the end are missed too.
create table record (
    seq      integer primary key autoincrement,
    kind     text not null check (kind in ('intent', 'conclusion')),
    attempt  text not null,
    at       real not null,
    body     text not null,
    previous text not null,
    hash     text not null
);

create unique index record_attempt on record (attempt, kind);
create index record_at on record (kind, at);

create trigger record_is_never_updated before update on record
begin
    select raise(abort, 'the journal is append-only');
end;

create trigger record_is_never_deleted before delete on record
begin
    select raise(abort, 'the journal is append-only');
end;

-- `insert or replace` deletes without firing the trigger above.
create trigger record_is_only_appended before insert on record
when new.seq <= (select coalesce(max(seq), 0) from record)
begin
    select raise(abort, 'the journal is append-only');
end;

pragma user_version = 1;
