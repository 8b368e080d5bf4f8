-- The application database of the demo, and enough rows for it to look lived in. Run once, by the superuser.
create schema ingest;

create table customers (
    customer_id integer primary key,
    name text not null,
    email text,
    city text,
    loaded_at timestamptz not null default now()
);
create table meters (
    meter_id integer primary key,
    customer_id integer not null references customers,
    model text not null,
    firmware text not null,
    status text not null default 'ok'
);
create table readings (
    id bigserial primary key,
    meter_id integer not null,
    read_at timestamptz not null,
    kwh numeric(9, 3) not null,
    status text not null default 'new',
    loaded_at timestamptz not null default now()
);
create table tariffs (
    tariff_id integer primary key,
    supplier text not null,
    cents_per_kwh numeric(6, 3) not null,
    valid_from date not null,
    loaded_at timestamptz not null default now()
);
create table consumption_hourly (
    customer_id integer not null,
    hour timestamptz not null,
    kwh numeric(12, 3) not null,
    loaded_at timestamptz not null default now(),
    primary key (customer_id, hour)
);
create table weather (
    station text not null,
    forecast_for timestamptz not null,
    celsius numeric(4, 1) not null,
    loaded_at timestamptz not null default now(),
    primary key (station, forecast_for)
);
create table ingest.queue (
    id bigserial primary key,
    payload jsonb not null,
    received_at timestamptz not null default now()
);
create table ingest.loads (
    id bigserial primary key,
    table_name text not null,
    rows integer not null,
    loaded_at timestamptz not null default now()
);

insert into customers
select n, 'Customer ' || n, 'customer' || n || '@example.com', (array['Ghent', 'Utrecht', 'Aachen', 'Lille'])[1 + n % 4], now()
from generate_series(1, 500) n;
insert into meters
select n, 1 + n % 500, (array['E350', 'T210', 'ZMD4'])[1 + n % 3], '2.' || n % 7, 'ok' from generate_series(1, 1000) n;
insert into readings (meter_id, read_at, kwh, status, loaded_at)
select 1 + n % 1000, at, round((0.2 + random())::numeric, 3), 'ok', at
from (select n, now() - make_interval(secs => (60000 - n) * 1.44) as at from generate_series(1, 60000) n) history;
insert into tariffs
select n, 'Supplier ' || n % 12, 18 + n % 15, current_date - n % 90, now() from generate_series(1, 240) n;
insert into consumption_hourly
select c, date_trunc('hour', now()) - make_interval(hours => h), round((random() * 3)::numeric, 3), now()
from generate_series(1, 500) c, generate_series(1, 24) h;
insert into weather
select s, date_trunc('hour', now()) + make_interval(hours => h), 12 + h % 9, now()
from unnest(array['EHBK', 'EBBR', 'EDDK']) s, generate_series(0, 48) h;
insert into ingest.queue (payload) select jsonb_build_object('meter_id', n, 'kwh', 0.5) from generate_series(1, 12) n;

create index readings_meter on readings (meter_id, read_at);
create index readings_loaded on readings (loaded_at);
create index readings_status on readings (status);
