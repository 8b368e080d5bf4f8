"""An Airflow of 5,000 DAGs and 100,000 runs: its metadata database, and an API that tells of it."""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import psycopg

from bench.measure import Program, Steady, highlights, key_latencies, median, steady
from bench.servers import CONSOLE
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import AirflowSettings, Environment, PostgresSettings
from opsconsole.core.state import State
from opsconsole.pipelines.history import Standing, standings
from opsconsole.pipelines.opening import open_airflow
from opsconsole.sources.registry import Sources
from opsconsole.ui.garbage import GarbageRounds
from tests.servers import PostgresServer

DAGS, RUNS = 5_000, 20
"""DAGs, and runs of each."""
_FREE = """
do $$  -- only what is read is filled
declare one record;
begin
  for one in select table_name, column_name from information_schema.columns
              where table_schema = 'public' and table_name in ('dag', 'dag_run') and is_nullable = 'NO'
                and column_name not in ('id', 'dag_id')
  loop execute format('alter table %I alter column %I drop not null', one.table_name, one.column_name); end loop;
end $$;
"""
_FILL = f"""
insert into dag (dag_id, is_paused, is_stale, fileloc, owners, timetable_summary, next_dagrun_create_after)
select 'team_' || d % 40 || '_dag_' || d, d % 10 = 0, false, '/dags/' || d || '.py', 'a, b', '@hourly', now()
  from generate_series(1, {DAGS}) d;
insert into dag_tag (dag_id, name) select dag_id, t from dag, unnest(array['nightly', 'team']) t;
insert into dag_run (dag_id, run_id, run_type, state, logical_date, data_interval_end, run_after, start_date, end_date)
select 'team_' || d % 40 || '_dag_' || d, 'scheduled__' || to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS+00:00'), 'scheduled',
       case when d = 7 and r = 1 then 'failed' when r = 1 and d % 50 = 1 then 'running' else 'success' end,
       at - interval '1 h', at, at, at + interval '3 s',
       case when r = 1 and d % 50 = 1 then null else at + d % 400 * interval '1.7 s' + interval '4 s' end
  from generate_series({RUNS}, 1, -1) r, generate_series(1, {DAGS}) d,
       lateral (select date_trunc('hour', now()) - r * interval '1 hour' + d % 60 * interval '1 s' as at) t;
"""
_AS_AIRFLOW_2 = """
alter table dag_run rename logical_date to execution_date;
alter table dag_run drop column run_after;
alter table dag add is_active boolean default true;
alter table dag drop column is_stale;
alter table dag rename timetable_summary to schedule_interval;
"""
_STATEMENT = """
select d.dag_id, r.* from dag d cross join lateral (
       select run_id, state, run_type, {order}, start_date, end_date from dag_run where dag_id = d.dag_id
        order by {order} desc nulls last limit 14) r
"""
LISTED = rf"{DAGS:,} DAGs"


def fill(server: PostgresServer, version: int) -> str:
    """The name of a new database with the tables of that Airflow."""
    name = f"airflow_{version}"
    server.psql(f"create database {name}")
    server.psql(files("opsconsole.demo").joinpath("sql", "airflow.sql").read_bytes(), name)
    server.psql(_FREE + _FILL, name)
    if version == 2:
        server.psql(_AS_AIRFLOW_2, name)
    server.psql("vacuum analyze", name)
    return name


def environment(dsn: str) -> Environment:
    """One that reads an Airflow by its metadata database alone."""
    database = PostgresSettings("meta", SecretRef.of(dsn), statement_timeout=60.0)
    return Environment(
        "bench", Path("s"), Path("r"), postgres=MappingProxyType({"meta": database}),
        airflow=AirflowSettings(metadata="meta"),
    )  # fmt: skip


def listed(dsn: str, version: int, turns: int = 5) -> tuple[float, float, float]:
    """(seconds of the list by who has never seen it, by who reads it again, seconds in which a bare driver has the same
    runs), medians of turns taken one after the other, over connections that are open; the first of each is not
    counted."""
    GarbageRounds().begin()  # as the console has it
    order = "run_after" if version == 3 else "coalesce(data_interval_end, execution_date)"
    statement = _STATEMENT.format(order=order).encode()

    async def timed() -> tuple[list[float], ...]:
        here = environment(dsn)
        sources = Sources(here)
        first: list[float] = []
        again: list[float] = []
        bare: list[float] = []
        try:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("set jit = off")
                for _ in range(turns + 1):
                    airflow = open_airflow(here, sources)
                    await airflow.pools()  # it knows the tables
                    known: list[Standing] = []
                    for taken in (first, again):
                        began = time.perf_counter()
                        told = await airflow.survey()
                        known = standings(told.value, told.now, known)
                        taken.append(time.perf_counter() - began)
                        assert (len(known), known[0].state) == (DAGS, State.CRIT)
                    began = time.perf_counter()
                    assert len(connection.execute(statement).fetchall()) == 14 * DAGS
                    bare.append(time.perf_counter() - began)
        finally:
            await sources.close()
        return first[1:], again[1:], bare[1:]

    first, again, bare = asyncio.run(timed())
    return median(first), median(again), median(bare)


@contextmanager
def console(dsn: str) -> Iterator[Program]:
    """The console on that database."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "opsconsole.yaml"
        databases = {"meta": {"dsn": dsn, "statement_timeout": "60s"}}
        here = {"airflow": {"metadata": "meta"}, "postgres": databases}
        config.write_text(json.dumps({"version": 1, "environments": {"bench": here}}))
        yield Program((*CONSOLE, "--config", str(config)), "9 Runbooks", env={"OPSCONSOLE_STATE": f"{folder}/state"})


def left_open(program: Program) -> Steady:
    """What the page costs while nobody touches it, over two of its readings."""
    return steady(program, warm_up=40.0, window=60.0, keys=(":pipelines dags", "enter"))


def opened(program: Program) -> float:
    """Seconds from asking for the page until its DAGs are there."""
    with program.open() as terminal:
        terminal.wait_for(program.ready, 20)
        terminal.press(":pipelines dags")
        terminal.settle(0.5)
        began = time.monotonic()
        terminal.press("enter")
        terminal.wait_for(LISTED, 30)
        return time.monotonic() - began


def keys(program: Program) -> list[float]:
    """Seconds from a key that moves the cursor to its paint, while the page is read again and again."""
    with program.open() as terminal:
        terminal.wait_for(program.ready, 20)
        terminal.press(":pipelines dags", "enter")
        terminal.wait_for(LISTED, 30)
        terminal.settle(0.5)
        terminal.press("down")
        terminal.settle(0.3)
        found = []
        for _ in range(4):
            terminal.press("r")
            found += key_latencies(terminal, ["down", "up"], 20, highlights, pause=0.04)
        return found


def until_red(server: PostgresServer, name: str, program: Program) -> tuple[float, float]:
    """(seconds from the failure of a run until it is red, seconds between two readings as the page says it)."""
    with program.open() as terminal:
        terminal.wait_for(program.ready, 20)
        terminal.press(":pipelines dags", "enter")
        terminal.wait_for(LISTED, 30)
        terminal.wait_for(r"every \d+")
        said = re.search(r"every (\d+)", "\n".join(terminal.screen.display))
        assert said is not None
        began = time.monotonic()
        server.psql(
            "update dag_run set state = 'failed', end_date = now()"
            " where state = 'running' and dag_id = (select min(dag_id) from dag_run where state = 'running')",
            name,
        )
        terminal.wait_for(r"2 failed", 60)
        return time.monotonic() - began, float(said[1])


class _Airflow3(BaseHTTPRequestHandler):
    """The API of an Airflow with so many DAGs and runs, as far as a survey asks; entries are as large as real ones."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: int(found[0]) for key, found in parse_qs(parts.query).items() if found[0].isdigit()}
        limit, offset = query.get("limit", 100), query.get("offset", 0)
        match parts.path.removeprefix("/api/v2").split("/")[1:]:
            case ["version"]:
                content: object = {"version": "3.3.2"}
            case ["dags"]:
                content = _page("dags", DAGS, limit, offset, _dag)
            case ["dags", "~", "dagRuns"]:
                content = _page("dag_runs", DAGS * RUNS, limit, offset, lambda at: _run(at % 100, at // 100))
            case ["dags", dag_id, "dagRuns"]:
                number = int(dag_id.rpartition("-")[2])
                content = _page("dag_runs", RUNS, limit, offset, lambda at: _run(number, 1000 + at))
            case _:
                content = {"pools": [], "total_entries": 0}
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silence."""


def _page(key: str, total: int, limit: int, offset: int, make: Callable[[int], object]) -> dict[str, object]:
    return {key: [make(at) for at in range(offset, min(total, offset + limit))], "total_entries": total}


def _dag(number: int) -> dict[str, object]:
    about = {"description": "loads something, as it does every night " * 4, "file_token": "x" * 200}
    names = {"owners": ["a", "b"], "tags": [{"name": "nightly", "dag_id": f"dag-{number}"}]}
    return {"dag_id": f"dag-{number}", "is_paused": False, "fileloc": f"/dags/{number}.py", **about, **names,
            **{f"field_{at}": None for at in range(20)}}  # fmt: skip


def _run(dag: int, ago: int) -> dict[str, object]:
    at = f"2026-{1 + ago // 672 % 12:02}-{1 + ago // 24 % 28:02}T{ago % 24:02}:00:00Z"
    version = {"id": "0" * 36, "dag_id": f"dag-{dag}", "bundle_url": "https://example.org/" + "x" * 80}
    moments = dict.fromkeys(("run_after", "start_date", "end_date", "logical_date"), at)
    return {"dag_id": f"dag-{dag}", "dag_run_id": f"scheduled__{ago}", "state": "success", "run_type": "scheduled",
            "conf": {}, "dag_versions": [version], **moments, **{f"field_{at}": None for at in range(10)}}  # fmt: skip


def api_memory() -> tuple[float, float]:
    """MiB that surveys by the API add to a process that did nothing else: (the first, ten of them)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Airflow3)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        argv = [sys.executable, "-m", "bench.programs.airflow_survey", f"http://127.0.0.1:{server.server_port}"]
        said = subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True, timeout=600)
    finally:
        server.shutdown()
        server.server_close()
    first, last = map(float, said.stdout.split())
    return first, last
