"""Stand-ins for exporters that this machine may not have: /redis, and where needed /postgres and /node; and the webhook
that alerts are sent to.

A target that is down answers 503, so that its `up` is 0.
"""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from opsconsole.demo.host_counters import cpu_seconds
from opsconsole.demo.simulation import airflow_exporter, webhook
from opsconsole.demo.simulation.metadata import Database
from opsconsole.demo.simulation.metrics import Metrics
from opsconsole.demo.simulation.service import Answer, Request, Simulation, run

_REDIS = {
    "connected_clients": "redis_connected_clients",
    "used_memory": "redis_memory_used_bytes",
    "maxmemory": "redis_memory_max_bytes",
    "keyspace_hits": "redis_keyspace_hits_total",
    "keyspace_misses": "redis_keyspace_misses_total",
    "total_commands_processed": "redis_commands_processed_total",
    "evicted_keys": "redis_evicted_keys_total",
    "expired_keys": "redis_expired_keys_total",
    "uptime_in_seconds": "redis_uptime_in_seconds",
}
_DATABASE = """
select datname, numbackends, xact_commit, xact_rollback, blks_hit, blks_read, tup_fetched, tup_returned, tup_inserted,
       tup_updated, tup_deleted, deadlocks, temp_bytes
from pg_stat_database where datname not like 'template%'
"""
_GAUGES = ("numbackends",)
_ACTIVITY = """
select d.datname, s.state, count(a.pid), coalesce(max(extract(epoch from now() - a.xact_start)), 0)::float8
from pg_database d
cross join unnest(array['active', 'idle', 'idle in transaction', 'idle in transaction (aborted)', 'disabled',
                        'fastpath function call']) s(state)
left join pg_stat_activity a on a.datname = d.datname and a.state = s.state
where d.datname not like 'template%' group by 1, 2
"""
WAITS = """
select d.datname, count(a.pid)::float8 as sessions,
       coalesce(max(extract(epoch from now() - a.query_start)), 0)::float8 as longest_seconds
from pg_database d
left join pg_stat_activity a on a.datname = d.datname and a.wait_event_type = 'Lock' and a.state = 'active'
where not d.datistemplate group by 1
"""
"""Also what postgres-exporter is told to ask."""


async def main(simulation: Simulation) -> None:
    """Serve the exporters until stopped."""
    postgres = Database(simulation.plan["exporter_dsn"], "exporter")
    pages: dict[str, Callable[[], Awaitable[str]]] = {
        "/redis": lambda: _redis(simulation.plan["ports"]["redis"]),
        "/postgres": lambda: _postgres(postgres),
        "/node": lambda: asyncio.to_thread(_node, Path(simulation.plan["node_textfiles"])),
    }
    if simulation.plan.get("airflow_is_real"):
        metadata = Database(simulation.plan["airflow_dsn"], "exporter")
        ports = simulation.plan["ports"]
        for service in ("airflow-api-server", *airflow_exporter.JOBS):
            pages[f"/{service}"] = partial(airflow_exporter.page, metadata, service, ports[f"{service}/airflow-1"])
    warm_up_redis = asyncio.create_task(_use_redis(simulation.plan["ports"].get("redis")))

    notifications = Path(simulation.plan["notifications"])

    async def handle(request: Request) -> Answer:
        if request.method == "POST" and request.path.startswith(f"{webhook.PATH}/"):
            return webhook.receive(request, notifications)
        if request.method != "GET" or request.path not in pages:
            return Answer(404, "not found\n")
        try:
            return Answer(200, await pages[request.path]())
        except Exception as error:  # whatever it is, the target is down
            return Answer(503, f"{type(error).__name__}: {error}\n")

    try:
        await simulation.serve(handle)
    finally:
        warm_up_redis.cancel()


async def _ask_redis(port: int, *words: str) -> bytes:
    async with asyncio.timeout(1.0):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            request = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
            writer.write(request.encode())
            head = await reader.readline()
            if head.startswith(b"$") and not head.startswith(b"$-1"):
                return await reader.readexactly(int(head[1:]))
            return head
        finally:
            writer.close()


async def _redis(port: int) -> str:
    info = (await _ask_redis(port, "INFO")).decode()
    metrics = Metrics()
    metrics.set("redis_up", 1)
    for key, value in re.findall(r"^(\w+):([\d.]+)\r?$", info, re.MULTILINE):
        if key in _REDIS:
            metrics.set(_REDIS[key], float(value))
    uptime = re.search(r"uptime_in_seconds:(\d+)", info)
    metrics.started = time.time() - float(uptime[1]) if uptime else 0.0
    return metrics.render()


async def _use_redis(port: int | None) -> None:
    """Some use of the cache, so that it has a hit ratio."""
    turn = 0
    while port:
        with contextlib.suppress(OSError, ValueError):
            await _ask_redis(port, "SET", f"tariff:{turn % 40}", "0.31", "EX", "120")
            for number in range(4):
                await _ask_redis(port, "GET", f"tariff:{(turn * 7 + number * 11) % 44}")
        turn += 1
        await asyncio.sleep(2.0)


async def _postgres(database: Database) -> str:
    metrics = Metrics()
    for datname, *values in await database.rows(_DATABASE):
        names = re.findall(r"\w+", _DATABASE.split("from")[0])[2:]
        for name, value in zip(names, values, strict=True):
            put = metrics.set if name in _GAUGES else metrics.add
            put(f"pg_stat_database_{name}", float(value), datname=datname)
    for datname, state, count, longest in await database.rows(_ACTIVITY):
        metrics.set("pg_stat_activity_count", count, datname=datname, state=state)
        metrics.set("pg_stat_activity_max_tx_duration", longest, datname=datname, state=state)
    for datname, sessions, longest in await database.rows(WAITS):
        metrics.set("pg_lock_waits_sessions", sessions, datname=datname)
        metrics.set("pg_lock_waits_longest_seconds", longest, datname=datname)
    for datname, size in await database.rows("select datname, pg_database_size(oid) from pg_database"):
        metrics.set("pg_database_size_bytes", size, datname=datname)
    for datname, mode, count in await database.rows(
        "select d.datname, mode, count(*) from pg_locks l join pg_database d on d.oid = l.database group by 1, 2"
    ):
        metrics.set("pg_locks_count", count, datname=datname, mode=mode.lower())
    maximum = await database.rows("select current_setting('max_connections')::int")
    metrics.set("pg_settings_max_connections", maximum[0][0])
    started = await database.rows("select extract(epoch from pg_postmaster_start_time())::float8")
    metrics.set("pg_up", 1)
    metrics.started = started[0][0]
    return metrics.render()


def _node(textfiles: Path) -> str:
    """The handful of node-exporter's metrics that the screens use, from /proc."""
    metrics = Metrics()
    for (cpu, mode), seconds in cpu_seconds().items():
        metrics.add("node_cpu_seconds_total", seconds, cpu=cpu, mode=mode)
    boot = re.search(r"^btime (\d+)", Path("/proc/stat").read_text(encoding="ascii"), re.MULTILINE)
    metrics.set("node_boot_time_seconds", float(boot[1]) if boot else 0.0)
    memory = Path("/proc/meminfo").read_text(encoding="ascii")
    for name in ("MemTotal", "MemAvailable", "MemFree", "SwapTotal", "SwapFree"):
        if found := re.search(rf"^{name}:\s+(\d+) kB", memory, re.MULTILINE):
            metrics.set(f"node_memory_{name}_bytes", int(found[1]) * 1024)
    for minutes, load in zip((1, 5, 15), os.getloadavg(), strict=True):
        metrics.set(f"node_load{minutes}", load)
    for line in Path("/proc/net/dev").read_text(encoding="ascii").splitlines()[2:]:
        device, _, numbers = line.partition(":")
        fields = numbers.split()
        metrics.add("node_network_receive_bytes_total", int(fields[0]), device=device.strip())
        metrics.add("node_network_transmit_bytes_total", int(fields[8]), device=device.strip())
    for line in Path("/proc/diskstats").read_text(encoding="ascii").splitlines():
        parts = line.split()
        metrics.add("node_disk_read_bytes_total", int(parts[5]) * 512, device=parts[2])
        metrics.add("node_disk_written_bytes_total", int(parts[9]) * 512, device=parts[2])
        metrics.add("node_disk_io_time_seconds_total", int(parts[12]) / 1000, device=parts[2])
    root = os.statvfs("/")
    labels = {"device": "rootfs", "fstype": "ext4", "mountpoint": "/"}
    for name, blocks in (("size", root.f_blocks), ("free", root.f_bfree), ("avail", root.f_bavail)):
        metrics.set(f"node_filesystem_{name}_bytes", blocks * root.f_frsize, **labels)
    text = metrics.render()
    for file in sorted(textfiles.glob("*.prom")):
        text += re.sub(r"^#.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return text


if __name__ == "__main__":
    run(main)
