-- The tables of an Airflow 3 metadata database that operators read, with its column names and types. Run once.
create table alembic_version (version_num varchar(32) primary key);
insert into alembic_version values ('29ce7909c52b');

create table job (
    id serial primary key, dag_id varchar(250), state varchar(20), job_type varchar(30), start_date timestamptz,
    end_date timestamptz, latest_heartbeat timestamptz, executor_class varchar(500), hostname varchar(500),
    unixname varchar(1000)
);
create table dag (
    dag_id varchar(250) primary key, is_paused boolean, is_stale boolean, last_parsed_time timestamptz,
    last_expired timestamptz, fileloc varchar(2000), relative_fileloc varchar(2000), bundle_name varchar(250),
    bundle_version varchar(200), owners varchar(2000), dag_display_name varchar(2000), description text,
    timetable_summary text, timetable_description varchar(1000), max_active_tasks integer not null default 16,
    max_active_runs integer default 1, max_consecutive_failed_dag_runs integer not null default 0,
    has_task_concurrency_limits boolean not null default false, has_import_errors boolean default false,
    next_dagrun timestamptz, next_dagrun_data_interval_start timestamptz, next_dagrun_data_interval_end timestamptz,
    next_dagrun_create_after timestamptz
);
create table dag_tag (name varchar(100), dag_id varchar(250) references dag on delete cascade, primary key (name, dag_id));
create table dag_run (
    id serial primary key, dag_id varchar(250) not null, queued_at timestamptz, logical_date timestamptz,
    start_date timestamptz, end_date timestamptz, state varchar(50) default 'queued', run_id varchar(250) not null,
    creating_job_id integer, run_type varchar(50) not null, triggered_by varchar(50), triggering_user_name varchar(512),
    conf jsonb, data_interval_start timestamptz, data_interval_end timestamptz, run_after timestamptz not null,
    last_scheduling_decision timestamptz, updated_at timestamptz default now(), clear_number integer not null default 0,
    backfill_id integer, bundle_version varchar(250), scheduled_by_job_id integer,
    unique (dag_id, run_id)
);
create index idx_dag_run_dag_id on dag_run (dag_id);
create index dag_id_state on dag_run (dag_id, state);
create index idx_dag_run_running_dags on dag_run (state, dag_id) where state = 'running';
create index idx_dag_run_run_after on dag_run (run_after);
create table task_instance (
    id uuid primary key default gen_random_uuid(), task_id varchar(250) not null, dag_id varchar(250) not null,
    run_id varchar(250) not null, map_index integer not null default -1, start_date timestamptz, end_date timestamptz,
    duration double precision, state varchar(20), try_number integer not null default 0, max_tries integer default 2,
    hostname varchar(1000) default '', unixname varchar(1000) default 'airflow', pool varchar(256) default 'default_pool',
    pool_slots integer not null default 1, queue varchar(256) default 'default', priority_weight integer default 1,
    operator varchar(1000), custom_operator_name varchar(1000) default '', queued_dttm timestamptz,
    scheduled_dttm timestamptz, queued_by_job_id integer, last_heartbeat_at timestamptz, pid integer,
    executor varchar(1000), updated_at timestamptz default now(), rendered_map_index varchar(250),
    task_display_name varchar(2000),
    unique (dag_id, task_id, run_id, map_index),
    foreign key (dag_id, run_id) references dag_run (dag_id, run_id) on delete cascade
);
create index ti_state on task_instance (state);
create index ti_dag_run on task_instance (dag_id, run_id);
create table task_instance_history (
    task_instance_id uuid primary key default gen_random_uuid(), task_id varchar(250) not null,
    dag_id varchar(250) not null, run_id varchar(250) not null, map_index integer not null default -1,
    try_number integer not null, start_date timestamptz, end_date timestamptz, duration double precision,
    state varchar(20), max_tries integer, hostname varchar(1000), pool varchar(256), queue varchar(256),
    operator varchar(1000), queued_dttm timestamptz, updated_at timestamptz default now()
);
create table slot_pool (
    id serial primary key, pool varchar(256) unique, slots integer, description text,
    include_deferred boolean not null default false
);
insert into slot_pool (pool, slots, description) values ('default_pool', 16, 'Default pool'), ('database', 4, 'Heavy SQL');
create table import_error (
    id serial primary key, timestamp timestamptz, filename varchar(1024), bundle_name varchar(250), stacktrace text
);
create table dag_warning (
    dag_id varchar(250) references dag on delete cascade, warning_type varchar(50), message text not null,
    timestamp timestamptz not null, primary key (dag_id, warning_type)
);
create table log (
    id serial primary key, dttm timestamptz, dag_id varchar(250), task_id varchar(250), map_index integer,
    event varchar(60), logical_date timestamptz, run_id varchar(250), owner varchar(500),
    owner_display_name varchar(500), extra text, try_number integer
);
create table serialized_dag (
    id uuid primary key default gen_random_uuid(), dag_id varchar(250) not null, data jsonb, dag_hash varchar(32),
    created_at timestamptz not null default now(), last_updated timestamptz not null default now()
);
create table deadline (
    id uuid primary key default gen_random_uuid(), dag_id varchar(250), dagrun_id integer,
    deadline_time timestamptz not null, callback varchar(500)
);
