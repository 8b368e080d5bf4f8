-- The tables of an Airflow 3.3 metadata database that are read: columns, types, keys and indexes as `airflow db migrate`
-- makes them (revision d2f4e1b3c5a7), without the keys into tables that are not here. What the demo's own engine needs
-- besides stands in a schema of its own, at the end. Run once.
create table alembic_version (version_num varchar(32) primary key);
insert into alembic_version values ('d2f4e1b3c5a7');

create table dag_bundle (
    name varchar(250) not null, active boolean, version varchar(200), last_refreshed timestamptz,
    signed_url_template text, template_params json, primary key (name)
);
create table job (
    id serial, dag_id varchar(250), state varchar(20), job_type varchar(30), start_date timestamptz,
    end_date timestamptz, latest_heartbeat timestamptz, executor_class varchar(500), hostname varchar(500),
    unixname varchar(1000), primary key (id)
);
create index idx_job_dag_id on job (dag_id);
create index idx_job_state_heartbeat on job (state, latest_heartbeat);
create index job_type_heart on job (job_type, latest_heartbeat);
create table dag (
    dag_id varchar(250) not null, is_paused boolean not null, is_stale boolean not null,
    exceeds_max_non_backfill boolean default false not null, last_parsed_time timestamptz, last_parse_duration float8,
    last_expired timestamptz, fileloc varchar(2000), relative_fileloc varchar(2000),
    bundle_name varchar(250) not null, bundle_version varchar(200), owners varchar(2000),
    dag_display_name varchar(2000), description text, timetable_type varchar(255) not null, timetable_summary text,
    timetable_description varchar(1000), timetable_partitioned boolean default false not null,
    timetable_periodic boolean default false not null, partition_mapper_info json not null, asset_expression json,
    deadline json, max_active_tasks integer not null, max_active_runs integer,
    max_consecutive_failed_dag_runs integer not null, has_task_concurrency_limits boolean not null,
    has_import_errors boolean default false, fail_fast boolean default false not null, allowed_run_types json,
    next_dagrun timestamptz, next_dagrun_data_interval_start timestamptz, next_dagrun_data_interval_end timestamptz,
    next_dagrun_partition_key varchar(255), next_dagrun_partition_date timestamptz,
    next_dagrun_create_after timestamptz, primary key (dag_id), foreign key (bundle_name) references dag_bundle(name)
);
create index idx_next_dagrun_create_after on dag (next_dagrun_create_after);
create table dag_tag (
    name varchar(100) not null, dag_id varchar(250) not null, primary key (name, dag_id),
    foreign key (dag_id) references dag(dag_id) on delete cascade
);
create index idx_dag_tag_dag_id on dag_tag (dag_id);
create table dag_version (
    id uuid not null, version_number integer not null, dag_id varchar(250) not null, bundle_name varchar(250),
    bundle_version varchar(250), version_data json, created_at timestamptz not null,
    last_updated timestamptz not null, unique (dag_id, version_number), primary key (id),
    foreign key (dag_id) references dag(dag_id) on delete cascade
);
create table backfill (
    id serial, dag_id varchar(250) not null, from_date timestamptz not null, to_date timestamptz not null,
    dag_run_conf json not null, is_paused boolean, reprocess_behavior varchar(250) not null,
    max_active_runs integer not null, created_at timestamptz not null, completed_at timestamptz,
    updated_at timestamptz not null, triggering_user_name varchar(512), primary key (id)
);
create table dag_run (
    id serial, dag_id varchar(250) not null, queued_at timestamptz, logical_date timestamptz, start_date timestamptz,
    end_date timestamptz, state varchar(50), run_id varchar(250) not null, creating_job_id integer,
    run_type varchar(50) not null, triggered_by varchar(50), triggering_user_name varchar(512), conf jsonb,
    data_interval_start timestamptz, data_interval_end timestamptz, run_after timestamptz not null,
    last_scheduling_decision timestamptz, log_template_id integer, created_at timestamptz, updated_at timestamptz,
    clear_number integer default 0 not null, backfill_id integer, bundle_version varchar(250),
    scheduled_by_job_id integer, context_carrier jsonb, span_status varchar(250) default 'not_started' not null,
    created_dag_version_id uuid, partition_key varchar(250), partition_date timestamptz,
    unique (dag_id, logical_date), unique (dag_id, run_id), primary key (id),
    foreign key (created_dag_version_id) references dag_version(id) on delete set null,
    foreign key (backfill_id) references backfill(id)
);
create index dag_id_state on dag_run (dag_id, state);
create index idx_dag_run_created_dag_version_id on dag_run (created_dag_version_id);
create index idx_dag_run_dag_id on dag_run (dag_id);
create index idx_dag_run_queued_dags on dag_run (state, dag_id) where (state = 'queued');
create index idx_dag_run_run_after on dag_run (run_after);
create index idx_dag_run_running_dags on dag_run (state, dag_id) where (state = 'running');
create table dag_run_note (
    user_id varchar(128), dag_run_id integer not null, content varchar(1000), created_at timestamptz not null,
    updated_at timestamptz not null, primary key (dag_run_id),
    foreign key (dag_run_id) references dag_run(id) on delete cascade
);
create table backfill_dag_run (
    id serial, backfill_id integer not null, dag_run_id integer, exception_reason varchar(250),
    logical_date timestamptz, partition_key varchar(250), sort_ordinal integer not null, primary key (id),
    unique (backfill_id, dag_run_id), foreign key (backfill_id) references backfill(id) on delete cascade,
    foreign key (dag_run_id) references dag_run(id) on delete set null
);
create table task_instance (
    id uuid not null, task_id varchar(250) not null, dag_id varchar(250) not null, run_id varchar(250) not null,
    map_index integer default '-1'::integer not null, start_date timestamptz, end_date timestamptz, duration float8,
    state varchar(20), try_number integer not null, max_tries integer default '-1'::integer not null,
    hostname varchar(1000), unixname varchar(1000), pool varchar(256) not null, pool_slots integer not null,
    queue varchar(256), priority_weight integer, operator varchar(1000), custom_operator_name varchar(1000),
    queued_dttm timestamptz, scheduled_dttm timestamptz, queued_by_job_id integer, last_heartbeat_at timestamptz,
    pid integer, executor varchar(1000), executor_config bytea, updated_at timestamptz,
    rendered_map_index varchar(250), context_carrier jsonb, span_status varchar(250) default 'not_started' not null,
    external_executor_id text, trigger_id integer, trigger_timeout timestamptz, next_method varchar(1000),
    next_kwargs jsonb, task_display_name varchar(2000), dag_version_id uuid, retry_delay_override float8,
    retry_reason varchar(500), unique (dag_id, task_id, run_id, map_index), primary key (id),
    foreign key (dag_id, run_id) references dag_run(dag_id, run_id) on delete cascade,
    foreign key (dag_version_id) references dag_version(id) on delete restrict
);
create index ti_dag_run on task_instance (dag_id, run_id);
create index ti_dag_state on task_instance (dag_id, state);
create index ti_dag_version_id on task_instance (dag_version_id);
create index ti_heartbeat on task_instance (last_heartbeat_at);
create index ti_pool on task_instance (pool, state, priority_weight);
create index ti_state on task_instance (state);
create index ti_state_lkp on task_instance (dag_id, task_id, run_id, state);
create index ti_trigger_id on task_instance (trigger_id);
create table task_instance_history (
    task_instance_id uuid not null, task_id varchar(250) not null, dag_id varchar(250) not null,
    run_id varchar(250) not null, map_index integer default '-1'::integer not null, try_number integer not null,
    start_date timestamptz, end_date timestamptz, duration float8, state varchar(20),
    max_tries integer default '-1'::integer, hostname varchar(1000), unixname varchar(1000),
    pool varchar(256) not null, pool_slots integer not null, queue varchar(256), priority_weight integer,
    operator varchar(1000), custom_operator_name varchar(1000), queued_dttm timestamptz, scheduled_dttm timestamptz,
    queued_by_job_id integer, pid integer, executor varchar(1000), executor_config bytea, updated_at timestamptz,
    rendered_map_index varchar(250), context_carrier jsonb, span_status varchar(250) default 'not_started' not null,
    external_executor_id text, trigger_id integer, trigger_timeout timestamp without time zone,
    next_method varchar(1000), next_kwargs jsonb, task_display_name varchar(2000), dag_version_id uuid,
    retry_delay_override float8, retry_reason varchar(500), unique (dag_id, task_id, run_id, map_index, try_number),
    primary key (task_instance_id),
    foreign key (dag_id, task_id, run_id, map_index) references task_instance(dag_id, task_id, run_id, map_index) on update cascade on delete cascade
);
create index idx_tih_dag_run on task_instance_history (dag_id, run_id);
create table task_instance_note (
    ti_id uuid not null, user_id varchar(128), content varchar(1000), created_at timestamptz not null,
    updated_at timestamptz not null, primary key (ti_id),
    foreign key (ti_id) references task_instance(id) on update cascade on delete cascade
);
create table rendered_task_instance_fields (
    dag_id varchar(250) not null, task_id varchar(250) not null, run_id varchar(250) not null,
    map_index integer default '-1'::integer not null, rendered_fields json not null, k8s_pod_yaml json,
    primary key (dag_id, task_id, run_id, map_index),
    foreign key (dag_id, task_id, run_id, map_index) references task_instance(dag_id, task_id, run_id, map_index) on delete cascade
);
create table slot_pool (
    id serial, pool varchar(256), slots integer not null, description text, include_deferred boolean not null,
    team_name varchar(50), primary key (id), unique (pool)
);
create table import_error (
    id serial, timestamp timestamptz, filename varchar(1024), bundle_name varchar(250), stacktrace text,
    primary key (id)
);
create table dag_warning (
    dag_id varchar(250) not null, warning_type varchar(50) not null, message text not null,
    timestamp timestamptz not null, primary key (dag_id, warning_type),
    foreign key (dag_id) references dag(dag_id) on delete cascade
);
create index idx_dag_warning_dag_id on dag_warning (dag_id);
create table log (
    id serial, dttm timestamptz, dag_id varchar(250), task_id varchar(250), map_index integer,
    event varchar(60) not null, logical_date timestamptz, run_id varchar(250), owner varchar(500),
    owner_display_name varchar(500), extra text, try_number integer, primary key (id)
);
create index idx_log_dttm on log (dttm);
create index idx_log_event on log (event);
create index idx_log_task_instance on log (dag_id, task_id, run_id, map_index, try_number);
create table asset (
    id serial, name varchar(1500) not null, uri varchar(1500) not null, "group" varchar(1500) not null,
    extra json not null, created_at timestamptz not null, updated_at timestamptz not null, primary key (id)
);
create unique index idx_asset_name_uri_unique on asset (name, uri);
create table asset_active (
    name varchar(1500) not null, uri varchar(1500) not null, primary key (name, uri),
    foreign key (name, uri) references asset(name, uri) on delete cascade
);
create unique index idx_asset_active_name_unique on asset_active (name);
create unique index idx_asset_active_uri_unique on asset_active (uri);
create table asset_event (
    id serial, asset_id integer not null, extra json not null, source_task_id varchar(250),
    source_dag_id varchar(250), source_run_id varchar(250), source_map_index integer default '-1'::integer,
    timestamp timestamptz not null, partition_key varchar(250), primary key (id)
);
create index idx_asset_id_timestamp on asset_event (asset_id, timestamp);
create table dagrun_asset_event (
    dag_run_id integer not null, event_id integer not null, primary key (dag_run_id, event_id),
    foreign key (dag_run_id) references dag_run(id) on delete cascade,
    foreign key (event_id) references asset_event(id) on delete cascade
);
create index idx_dagrun_asset_events_dag_run_id on dagrun_asset_event (dag_run_id);
create index idx_dagrun_asset_events_event_id on dagrun_asset_event (event_id);
create table dag_schedule_asset_reference (
    asset_id integer not null, dag_id varchar(250) not null, allow_producer_teams json,
    allow_global_producers boolean default true not null, created_at timestamptz not null,
    updated_at timestamptz not null, primary key (asset_id, dag_id),
    foreign key (asset_id) references asset(id) on delete cascade,
    foreign key (dag_id) references dag(dag_id) on delete cascade
);
create index idx_dag_schedule_asset_reference_dag_id on dag_schedule_asset_reference (dag_id);
create table task_outlet_asset_reference (
    asset_id integer not null, dag_id varchar(250) not null, task_id varchar(250) not null, allow_consumer_teams json,
    allow_global_consumers boolean default true not null, created_at timestamptz not null,
    updated_at timestamptz not null, primary key (asset_id, dag_id, task_id),
    foreign key (asset_id) references asset(id) on delete cascade,
    foreign key (dag_id) references dag(dag_id) on delete cascade
);
create index idx_task_outlet_asset_reference_dag_id on task_outlet_asset_reference (dag_id);
create table task_inlet_asset_reference (
    asset_id integer not null, dag_id varchar(250) not null, task_id varchar(250) not null,
    created_at timestamptz not null, updated_at timestamptz not null, primary key (asset_id, dag_id, task_id),
    foreign key (asset_id) references asset(id) on delete cascade,
    foreign key (dag_id) references dag(dag_id) on delete cascade
);
create index idx_task_inlet_asset_reference_dag_id on task_inlet_asset_reference (dag_id);
create table asset_dag_run_queue (
    asset_id integer not null, target_dag_id varchar(250) not null, created_at timestamptz not null,
    primary key (asset_id, target_dag_id), foreign key (asset_id) references asset(id) on delete cascade,
    foreign key (target_dag_id) references dag(dag_id) on delete cascade
);
create index idx_asset_dag_run_queue_target_dag_id on asset_dag_run_queue (target_dag_id);
create table deadline (
    id uuid not null, created_at timestamptz not null, last_updated_at timestamptz not null, dagrun_id integer,
    deadline_time timestamptz not null, missed boolean not null, callback_id uuid not null, deadline_alert_id uuid,
    primary key (id), foreign key (dagrun_id) references dag_run(id) on delete cascade
);
create index deadline_callback_id_idx on deadline (callback_id);
create index deadline_missed_deadline_time_idx on deadline (missed, deadline_time);
create table serialized_dag (
    id uuid not null, dag_id varchar(250) not null, data jsonb, data_compressed bytea,
    created_at timestamptz not null, last_updated timestamptz not null, dag_hash varchar(32) not null,
    dag_version_id uuid not null, unique (dag_version_id), primary key (id),
    foreign key (dag_version_id) references dag_version(id) on delete cascade
);

-- What the engine knows of the DAGs, where Airflow has their files.
create schema engine;
create table engine.dag (dag_id varchar(250) primary key, every float8 not null);
create table engine.task (
    dag_id varchar(250) not null, task_id varchar(250) not null, position integer not null, operator varchar(1000) not null,
    upstream text[] not null, mapped integer not null, retries integer not null, pool varchar(256) not null,
    seconds float8 not null, flaky float8 not null, outlet text not null, primary key (dag_id, task_id)
);

insert into dag_bundle (name, active) values ('dags-folder', true);
insert into slot_pool (pool, slots, description, include_deferred)
values ('default_pool', 16, 'Default pool', false), ('database', 4, 'Heavy SQL', false);
insert into import_error (timestamp, filename, bundle_name, stacktrace)
values (now() - interval '3 hours', 'export_invoices.py', 'dags-folder', $$Traceback (most recent call last):
  File "/opt/airflow/dags/export_invoices.py", line 2, in <module>
    BUCKET = os.environ["INVOICE_BUCKET"]
KeyError: 'INVOICE_BUCKET'
$$);
