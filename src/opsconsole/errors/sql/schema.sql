-- What was seen of errors, by environment. Version 1 (pragma user_version). Not a record that anything relies on: it
-- may be deleted, and what is new is then not known for a day.
create table kind (
    environment text not null,
    fingerprint text not null,
    first_at    real not null,
    last_at     real not null,
    primary key (environment, fingerprint)
) without rowid;

create index kind_last on kind (environment, last_at);

-- Since when each source is looked at.
create table watched (
    environment text not null,
    source      text not null,
    from_at     real not null,
    primary key (environment, source)
) without rowid;

create table mute (
    environment text not null,
    fingerprint text not null,
    by          text not null,
    at          real not null,
    until       real,
    note        text not null,
    primary key (environment, fingerprint)
) without rowid;

-- The latest value of each counter that only says how many there ever were, and by how much it grew when.
create table counter (
    environment text not null,
    name        text not null,
    value       real not null,
    reset_at    real not null,
    taken_at    real not null,
    primary key (environment, name)
) without rowid;

create table growth (
    environment text not null,
    name        text not null,
    at          real not null,
    count       integer not null,
    primary key (environment, name, at)
) without rowid;

pragma user_version = 1;
