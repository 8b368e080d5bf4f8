"""Pools as PgBouncer tells them, in the columns of its versions, and what follows from them."""

from dataclasses import replace
from typing import Any

import pytest

from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Table
from opsconsole.database.asking import Database
from opsconsole.database.connections import Connections, Limits
from opsconsole.database.finding import Finding
from opsconsole.database.pooler import Pool, PooledDatabase, Pooler, Traffic, own_sizes, pooler_of, read_pooler
from opsconsole.database.pooler_findings import pooler_findings, reach
from opsconsole.database.sessions import Activity

# The columns of each version, from `src/admin.c` and `src/stats.c` of its release.
POOLS = {
    "1.12": "database user cl_active cl_waiting sv_active sv_idle sv_used sv_tested sv_login maxwait "
    "maxwait_us pool_mode",
    "1.16": "database user cl_active cl_waiting cl_cancel_req sv_active sv_idle sv_used sv_tested sv_login maxwait "
    "maxwait_us pool_mode",
    "1.18": "database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req sv_active sv_active_cancel "
    "sv_being_canceled sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode",
    "1.24": "database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req sv_active sv_active_cancel "
    "sv_being_canceled sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode load_balance_hosts",
}
DATABASES = {
    "1.12": "name host port database force_user pool_size reserve_pool pool_mode max_connections current_connections "
    "paused disabled",
    "1.16": "name host port database force_user pool_size min_pool_size reserve_pool pool_mode max_connections "
    "current_connections paused disabled",
    "1.23": "name host port database force_user pool_size min_pool_size reserve_pool server_lifetime pool_mode "
    "max_connections current_connections paused disabled",
    "1.24": "name host port database force_user pool_size min_pool_size reserve_pool_size server_lifetime pool_mode "
    "load_balance_hosts max_connections current_connections max_client_connections current_client_connections paused "
    "disabled",
}
STATS = {
    "1.12": "database total_xact_count total_query_count total_received total_sent total_xact_time total_query_time "
    "total_wait_time avg_xact_count avg_query_count avg_recv avg_sent avg_xact_time avg_query_time avg_wait_time",
    "1.23": "database total_server_assignment_count total_xact_count total_query_count total_received total_sent "
    "total_xact_time total_query_time total_wait_time avg_server_assignment_count avg_xact_count avg_query_count "
    "avg_recv avg_sent avg_xact_time avg_query_time avg_wait_time",
}
VERSIONS = [
    ("1.12", "1.12", "1.12", "1.12"),
    ("1.16", "1.16", "1.16", "1.12"),
    ("1.18", "1.18", "1.16", "1.12"),
    ("1.23", "1.18", "1.23", "1.23"),
    ("1.24", "1.24", "1.24", "1.23"),
]
"""Version, and which columns it has for pools, databases and statistics."""
VALUES: dict[str, Any] = {
    "database": "app", "user": "api", "cl_active": 7, "cl_waiting": 3, "sv_active": 2, "sv_idle": 1, "sv_used": 1,
    "sv_tested": 0, "sv_login": 1, "sv_active_cancel": 1, "sv_being_canceled": 1, "maxwait": 4, "maxwait_us": 250_000,
    "pool_mode": "session", "name": "app", "host": "db", "port": 5432, "force_user": None, "pool_size": 20,
    "reserve_pool": 5, "reserve_pool_size": 5, "max_connections": 0, "current_connections": 6, "paused": 0,
    "disabled": 1, "avg_xact_count": 12.0, "avg_query_time": 1500.0, "avg_wait_time": 250_000.0,
}  # fmt: skip
CONFIG = {
    "pool_mode": "transaction",
    "max_client_conn": "100",
    "max_user_connections": "0",
    "query_wait_timeout": "120",
}


def row(columns: str, **given: Any) -> dict[str, Any]:
    values = {**VALUES, **given}
    return {name: values.get(name) for name in columns.split()}


def recorded(version: str, pools: str, databases: str, stats: str) -> dict[str, list[dict[str, Any]]]:
    """What a pooler of that version answers, its own console included."""
    own = {"database": "pgbouncer", "name": "pgbouncer", "user": "pgbouncer", "sv_active": 99}
    return {
        "VERSION": [{"version": f"PgBouncer {version}.0"}],
        "CONFIG": [{"key": key, "value": value} for key, value in CONFIG.items()],
        "LISTS": [{"list": "used_clients", "items": 11}],
        "POOLS": [row(POOLS[pools], **own), row(POOLS[pools])],
        "DATABASES": [row(DATABASES[databases]), row(DATABASES[databases], **own)],
        "STATS": [row(STATS[stats]), row(STATS[stats], **own)],
    }


@pytest.mark.parametrize(("version", "pools", "databases", "stats"), VERSIONS)
def test_every_version_gives_the_same_reading(version: str, pools: str, databases: str, stats: str) -> None:
    found = pooler_of(recorded(version, pools, databases, stats), 1000.0)
    assert (found.version, found.clients, found.most_clients, found.wait_timeout) == (f"{version}.0", 11, 100, 120.0)
    assert found.most_per_user is None, "0 is no limit"
    (pool,) = found.pools
    assert (pool.name, pool.mode, pool.clients_active, pool.clients_waiting) == ("app / api", "session", 7, 3)
    assert (pool.longest_wait, pool.size, pool.reserve) == (4.25, 20, 5)
    assert (pool.paused, pool.disabled) == (False, True)
    cancelling = 2 if pools in ("1.18", "1.24") else None
    assert pool.servers_cancelling == cancelling
    assert pool.servers == 5 + (cancelling or 0)
    (database,) = found.databases
    assert (database.server, database.database, database.user, database.most) == (("db", 5432), "app", "", None)
    (traffic,) = found.traffic
    assert traffic.query_seconds == 0.0015
    each = 0.25 if stats == "1.23" else None
    assert (traffic.wait_seconds, traffic.waits_per_second) == (each, None if each else 0.25)
    assert not found.coverage.notes


def test_a_column_that_is_not_there_is_unknown_and_said() -> None:
    asked = recorded(*VERSIONS[2])
    for one in asked["POOLS"]:
        del one["maxwait_us"], one["sv_login"]
    for one in asked["DATABASES"]:
        del one["pool_size"]
    found = pooler_of(asked, 1000.0)
    (pool,) = found.pools
    assert (pool.longest_wait, pool.servers_login, pool.size, pool.full) == (4.0, None, None, False)
    assert found.coverage.notes == (
        "this version of PgBouncer does not tell, in SHOW POOLS: sv_login, maxwait_us",
        "this version of PgBouncer does not tell, in SHOW DATABASES: pool_size",
    )
    assert reach(found, "app").unknown == "the size of a pool is not told, so what all may take is not known"


def test_the_size_of_a_user_counts_only_where_it_is_certain() -> None:
    users = [
        {"name": "ann", "pool_size": ""},
        {"name": "api", "pool_size": "        3"},
        {"name": "bob", "pool_size": "        3"},
        {"name": "etl", "pool_size": "        7"},
    ]
    assert own_sizes(users) == {"api": 3, "bob": None, "etl": 7}
    asked = recorded(*VERSIONS[3])
    asked["POOLS"] = [row(POOLS["1.18"], user=user) for user in ("ann", "api", "bob")]
    found = pooler_of({**asked, "USERS": users}, 1000.0)
    assert {pool.user: pool.size for pool in found.pools} == {"ann": 20, "api": 3, "bob": None}
    assert "the pools of bob is not known" in found.coverage.notes[-1]


def pool(**given: Any) -> Pool:
    """A pool of two, at rest."""
    fields: dict[str, Any] = {
        "database": "app", "user": "api", "mode": "transaction", "clients_active": 2, "clients_waiting": 0,
        "servers_active": 0, "servers_idle": 2, "servers_used": 0, "servers_tested": 0, "servers_login": 0,
        "servers_cancelling": 0, "longest_wait": 0.0, "size": 2, "reserve": 0, "paused": False, "disabled": False,
    }  # fmt: skip
    return Pool(**{**fields, **given})


def entry(**given: Any) -> PooledDatabase:
    fields: dict[str, Any] = {
        "name": "app", "host": "db", "port": 5432, "database": "app", "user": "", "size": 2, "reserve": 0, "most": None,
        "current": 2, "paused": False, "disabled": False,
    }  # fmt: skip
    return PooledDatabase(**{**fields, **given})


FULL = pool(clients_waiting=3, longest_wait=4.25, servers_active=2, servers_idle=0)
LIMITS = Limits(most=40, reserved=3, roles={}, databases={})


def connections(*pools: Pool, databases: tuple[PooledDatabase, ...] = (entry(),), **given: Any) -> Connections:
    pooler = Pooler(
        "1.18.0", pools, databases, clients=10, most_clients=100, mode="transaction", wait_timeout=120.0, taken_at=1.0
    )
    pooler = replace(pooler, **given.pop("pooler", {}))
    whole: dict[str, Any] = {
        "limits": LIMITS, "used": 30, "activity": Activity((), 1.0), "busy_mean": None, "counted_seconds": 0.0,
        "session_mean": None, "taken_at": 1.0, "database": "app", "pooler": pooler,
    }  # fmt: skip
    return Connections(**{**whole, **given})


def the(kind: str, reading: Connections) -> Finding:
    (found,) = [one for one in pooler_findings(reading) if one.id == kind]
    return found


def kinds(reading: Connections) -> list[str]:
    return [one.id for one in pooler_findings(reading)]


def test_a_pool_at_rest_is_no_finding() -> None:
    assert kinds(connections(pool())) == []
    assert kinds(replace(connections(FULL), pooler=None)) == []
    assert kinds(connections(FULL, pooler={"taken_at": None, "failed": "gone"})) == []


def test_a_full_pool_says_who_waits_and_what_room_the_server_has() -> None:
    found = the("pool-full", connections(FULL))
    assert (found.state, found.subject) == (State.WARN, "app / api")
    assert found.why == "3 clients wait, the first for 4.2 s; 2 of 2 servers are busy"
    assert "the server has room for 7 (37 usable - 30 used = 7): raise pool_size" in found.advice
    assert "query_wait_timeout, 2m" in found.caveats[0]
    longer = the("pool-full", connections(replace(FULL, longest_wait=10.0), used=37))
    assert longer.state is State.CRIT
    assert "no room (37 usable - 37 used = 0)" in longer.advice
    session = the("pool-full", connections(replace(FULL, mode="session")))
    assert "transaction mode needs fewer" in session.advice


def test_a_burst_is_what_a_pool_is_for() -> None:
    assert kinds(connections(replace(FULL, longest_wait=0.9))) == []


def test_servers_that_stand_idle_before_the_same_server_are_named() -> None:
    etl = pool(database="etl", user="etl", servers_idle=3, servers_used=1)
    other = pool(database="far", user="far", servers_idle=9)
    entries = (entry(), entry(name="etl", database="etl"), entry(name="far", host="elsewhere", database="far"))
    found = the("pool-full", connections(FULL, etl, other, databases=entries))
    assert "4 of etl / etl = 4 servers stand idle before the same server" in found.advice
    assert "far" not in found.advice


def test_a_pool_below_its_size_says_what_holds_it_back() -> None:
    starved = pool(clients_waiting=1, longest_wait=2.0, servers_active=1, servers_idle=0)
    by_database = the("pool-starved", connections(starved, databases=(entry(most=1, current=1),)))
    assert by_database.why.endswith("its database has 1 of max_db_connections 1")
    by_user = the("pool-starved", connections(starved, pooler={"most_per_user": 1}))
    assert by_user.why.endswith("its user has 1 of max_user_connections 1")
    opening = replace(starved, servers_active=0, servers_login=2)
    assert "2 are being opened" in the("pool-starved", connections(opening)).why
    assert "is not told" in the("pool-starved", connections(starved)).why


def test_paused_disabled_and_the_reserve() -> None:
    paused = connections(replace(FULL, paused=True), databases=(entry(paused=True, disabled=True),))
    assert kinds(paused) == ["pool-paused", "pool-disabled"]
    assert the("pool-paused", paused).why.startswith("3 clients wait; ")
    assert "RESUME app;" in the("pool-paused", paused).advice
    found = the("pool-reserve", connections(pool(servers_active=3, servers_idle=0, reserve=5)))
    assert found.why.startswith("3 servers - 2 of its size = 1 of a reserve of 5")


def test_what_all_pools_may_take_is_set_against_the_server() -> None:
    entries = (
        entry(size=20, reserve=5),
        entry(name="etl", most=8),
        entry(name="far", host="elsewhere", database="far"),
    )
    pools = (
        pool(size=20, reserve=5), pool(user="web", size=20, reserve=5), pool(database="etl", size=10),
        pool(database="far", size=500),
    )  # fmt: skip
    reading = connections(*pools, databases=entries)
    found = the("pool-sum", reading)
    assert found.why == (
        "app: 25 + 25 = 50; etl: 10, no more than max_db_connections 8; together 58 > 37 usable "
        "(40 max_connections - 3 reserved); 6 are open now"
    )
    one_user = connections(*pools, databases=entries, pooler={"most_per_user": 15})
    assert "50, no more than 2 x max_user_connections 15 = 30; etl: 10" in the("pool-sum", one_user).why
    assert kinds(replace(reading, limits=replace(LIMITS, most=80))) == []


def test_whose_server_it_is_may_not_be_known() -> None:
    reading = connections(FULL, databases=(entry(database="other"),))
    assert reading.pooler is not None
    assert reach(reading.pooler, "app").unknown.endswith("none leads to app")
    assert "is not known: it is not the one that was asked" in the("pool-full", reading).advice
    twice = (entry(), entry(name="copy", host="replica"))
    assert "entries for 2 servers lead" in reach(replace(reading.pooler, databases=twice), "app").unknown


def test_a_pool_larger_than_its_role_may_be() -> None:
    roles = replace(LIMITS, roles={"api": 1, "etl": 1})
    assert (
        "pool_size 2 > 1, the connection limit of role api"
        in the("pool-role-limit", connections(pool(), limits=roles)).why
    )
    forced = connections(pool(user="anybody"), databases=(entry(user="etl"),), limits=roles)
    assert "role etl" in the("pool-role-limit", forced).why


@pytest.mark.parametrize(("clients", "state"), [(80, State.WARN), (95, State.CRIT)])
def test_a_pooler_that_is_nearly_full(clients: int, state: State) -> None:
    found = the("pooler-clients", connections(pool(), pooler={"clients": clients}))
    assert (found.state, found.why.partition(" (")[0]) == (state, f"{clients} clients of max_client_conn 100")
    assert kinds(connections(pool(), pooler={"clients": 79})) == []
    assert kinds(connections(pool(), pooler={"clients": None})) == []


def test_waiting_on_average_is_told_in_the_way_of_the_version() -> None:
    new = Traffic("app", 10.0, 0.002, 0.25, None)
    told = the("pool-waits", connections(pooler={"traffic": (new,)})).why
    assert "waits 250 ms for a server connection each time" in told
    old = Traffic("app", 10.0, 0.002, None, 1.5)
    assert "waited 1.5 s in each second" in the("pool-waits", connections(pooler={"traffic": (old,)})).why
    calm = (Traffic("app", 10.0, 0.002, 0.01, None), Traffic("etl", 1.0, None, None, 0.2))
    assert kinds(connections(pooler={"traffic": calm})) == []


async def test_a_pooler_that_stops_answering_keeps_what_it_said() -> None:
    silent = False

    async def ask(query: Query) -> Answer:
        if silent:
            raise SourceError(query.source, "unreachable", "connection refused at db:6432", hint="start it")
        rows = recorded(*VERSIONS[2]).get(query.text.removeprefix("SHOW "), [])
        columns = tuple(rows[0]) if rows else ()
        return Answer(Table(columns, tuple(tuple(one.values()) for one in rows)), 1000.0, 0.01)

    database = Database("postgres/app", ask, pooler="pgbouncer/app")
    first = await read_pooler(database)
    assert first is not None
    assert (first.state, first.failed, first.taken_at) == (State.WARN, "", 1000.0)
    silent = True
    second = await read_pooler(database, first)
    assert second is not None
    assert (second.state, second.pools, second.taken_at) == (State.STALE, first.pools, 1000.0)
    assert second.failed == "connection refused at db:6432 (start it)"
    never = await read_pooler(database)
    assert never is not None
    assert (never.state, never.pools) == (State.UNKNOWN, ())
    assert await read_pooler(Database("postgres/app", ask)) is None
