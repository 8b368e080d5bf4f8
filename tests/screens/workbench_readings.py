"""Readings of a small database in trouble, made by hand, for pictures and for what the pages say of them."""

from dataclasses import fields, replace
from typing import Any

from opsconsole.core.state import State
from opsconsole.database.blocking import BlockingGraph, Waiter, blocking_graph
from opsconsole.database.connections import Connections, Limits
from opsconsole.database.finding import Coverage, Finding, Fix
from opsconsole.database.instance import Counters as Counters_
from opsconsole.database.instance import Instance
from opsconsole.database.pooler import Pool, PooledDatabase, Pooler
from opsconsole.database.progress import Progress, Work
from opsconsole.database.replication import LogPosition, Replication, Slot, Standby
from opsconsole.database.sessions import Activity, Session
from opsconsole.database.statements import Counters, Entry, Key, Snapshot
from opsconsole.database.tables import Sizes, Tables
from tests.unit.database.made import table

NOW = 1795269731.0
STARTED = "2026-11-21 13:40:00.123456+00:00"
HOSTILE = 'we"ird [/oops][@click=app.quit]'
HIDDEN = "statements of other roles are hidden: grant pg_monitor to bare;"


def session(pid: int, **given: Any) -> Session:
    """An idle session of the application."""
    fields: dict[str, Any] = {
        "pid": pid, "backend_start": STARTED, "kind": "client backend", "leader": None, "state": "idle",
        "wait_type": "Client", "wait": "ClientRead", "database": "app", "role": "api", "application": "energy-service",
        "client": "10.0.0.7", "query": "select 1", "query_id": "42", "query_seconds": 3.0,
        "transaction_seconds": None, "state_seconds": 3.0, "xmin_age": None, "ours": False,
    }  # fmt: skip
    return Session(**{**fields, **given})


HOLDER = session(
    8123, state="idle in transaction", role="etl", application="airflow-task", transaction_seconds=754.0,
    query="update meters set firmware = '7' where meter_id = 17", xmin_age=1200,
)  # fmt: skip
WAITER = session(
    8124, state="active", wait_type="Lock", wait="transactionid", query_seconds=181.0, transaction_seconds=181.0,
    query="update meters set status = 'ok' where meter_id = 17",
)  # fmt: skip
BEHIND = session(
    8125, state="active", wait_type="Lock", wait="relation", role="dba", application="psql", query_seconds=42.0,
    transaction_seconds=42.0, query="alter table meters add column installed_on date",
)  # fmt: skip
BUSY = session(
    8130, state="active", wait_type="IO", wait="DataFileRead", query_seconds=12.4, transaction_seconds=12.4,
    query="select * from readings where note = '[/oops]'", application=HOSTILE,
    workers=(session(8131, leader=8130, kind="parallel worker", state="active"),),
)  # fmt: skip
ACTIVITY = Activity((HOLDER, WAITER, BEHIND, BUSY, session(8140), session(8141, role="ops", ours=True)), NOW)
BLOCKING: BlockingGraph = blocking_graph(
    (
        Waiter(8124, ("8123",), 181.0, "ShareLock on transactionid"),
        Waiter(8125, ("8124", "8123"), 42.0, "AccessExclusiveLock on meters"),
    ),
    ACTIVITY,
)
PREPARED: BlockingGraph = blocking_graph(
    (Waiter(8124, ("2PC order-7",), 181.0, "ShareLock on transactionid"),), ACTIVITY
)
DEADLOCK: BlockingGraph = blocking_graph(
    (Waiter(8124, ("8125",), 1.0, "ShareLock"), Waiter(8125, ("8124",), 1.0, "ShareLock")), ACTIVITY
)


def entry(number: int, calls: float, total: float, **more: Any) -> Entry:
    """One statement's counters."""
    return Entry(
        Key(10, 5, number, True), "api", "app", Counters(calls=calls, total=total, rows=calls, shared_hit=calls * 3),
        min=total / calls / 2, max=total / calls * 2, mean=total / calls, stddev=0.0, **more,
    )  # fmt: skip


SNAPSHOT = Snapshot(
    NOW, (entry(1, 100, 250.0), entry(2, 500_000, 100.0), entry(3, 10, 0.5)), system="1", database="app",
    reset_at=NOW - 3600, coverage=Coverage(),
)  # fmt: skip
TEXTS = {
    (10, 5, 1): "select * from readings where meter_id = $1 and note = '[/oops]'",
    (10, 5, 2): "select name from customers where customer_id = $1",
    (10, 5, 3): "insert into readings values ($1, $2, $3)",
}
TABLES = Tables(
    (
        table(oid="1", name="readings", sizes=Sizes(6e9, 1e6, 2e9, 8.001e9, exact=True), rows=6e7, live=60_000_000,
              dead=25_000_000, vacuum_at=NOW - 90_000, analyze_at=NOW - 3600, xid_age=190_000_000, indexes=3),
        table(oid="2", name=HOSTILE, sizes=Sizes(8192.0, 0.0, 8192.0, 16384.0), rows=12.0, live=12,
              xid_age=1_900_000_000),
    ),
    NOW, False, Coverage((HIDDEN,)),
)  # fmt: skip
FINDINGS = (
    Finding(
        "dead-rows", State.WARN, "app.readings", "29 % of its rows are dead", "25,000,000 of 85,000,000 rows are dead",
        "", 2.0e9, "bytes", {"dead": 25_000_000},
        Fix("postgres.vacuum", {"schema": "app", "table": "readings"}, 'VACUUM "app"."readings";',
            "SHARE UPDATE EXCLUSIVE on app.readings", "none is needed"),
        ("the counts are estimates",),
    ),
    Finding("setting", State.OK, "random_page_cost", "random_page_cost is 4", "the disk is an SSD", "set it to 1.1"),
)  # fmt: skip
PROGRESS = Progress(
    (
        Work("vacuum", 901, STARTED, "scanning heap", 3_000, 12_000, "blocks", "0", "app", "readings", "16384", "", "",
             True, 30.0, 100.0),
        Work("create index concurrently", 902, STARTED, "waiting for writers before build", 0, 1, "sessions", "8123",
             "app", "meters", "16385", "meters_new", "dba", False, 42.0),
    ),
    NOW,
)  # fmt: skip
CONNECTIONS = Connections(Limits(100, 3, {"etl": 1}, {}), 88, ACTIVITY, 2.5, 7200.0, 60.0, NOW, 4)
_POOL = Pool("app", "api", "transaction", 2, 3, 2, 0, 0, 0, 0, 0, 4.2, 2, 1, False, False)
_AT_REST = replace(_POOL, clients_waiting=0, servers_active=0, servers_idle=3, longest_wait=0.0)
_ENTRY = PooledDatabase("app", "db", 5432, "other", "", 2, 1, None, 5, False, False)
POOLED = replace(
    CONNECTIONS, database="app",
    pooler=Pooler(
        "1.18.0",
        (_POOL, replace(_AT_REST, database="etl", paused=True, size=10),
         replace(_AT_REST, database=f"\x1b[31m{HOSTILE}", user=HOSTILE, servers_idle=0, size=None)),
        (_ENTRY, replace(_ENTRY, name="etl", paused=True)), clients=12, most_clients=100, taken_at=NOW,
    ),
)  # fmt: skip
SILENT = replace(CONNECTIONS, pooler=Pooler(failed="connection refused at db:6432"))
_COUNTED = dict.fromkeys((one.name for one in fields(Counters_)), None)
INSTANCE = Instance(
    Counters_(**{**_COUNTED, "hit": 18_000, "read": 900, "commits": 2_400, "rollbacks": 12, "deadlocks": 2}), 12, 1,
    9_000.0, 1_000.0, NOW,
)  # fmt: skip
LATER = replace(
    INSTANCE, taken_at=NOW + 5,
    counters=replace(INSTANCE.counters, hit=18_050, read=950, commits=2_500, deadlocks=3),
)  # fmt: skip
_LOG = LogPosition(False, "0/4A000000", 1.0e9, None, None, "", False, True, True, "00000001000000000000004A")
REPLICATION = Replication(
    _LOG,
    (Standby("second", "10.0.0.9", "streaming", "async", 0.0, 0.0, 4.2e7, 41.0, 77),),
    (Slot("forgotten", "physical", "", False, "extended", 2.1e10, None),),
    NOW, 1.5e6,
)  # fmt: skip
STANDBY = replace(
    REPLICATION, standbys=(), slots=(),
    log=replace(_LOG, standby=True, unreplayed_bytes=4.2e7, replay_lag_seconds=41.0, receiver="streaming", paused=True,
                archive_failing=False),
)  # fmt: skip
