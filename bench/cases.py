"""The bars, one function each: what is measured, against what, and the limit."""

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bench.alerts import keys as alert_keys
from bench.alerts import many, refreshes
from bench.database_objects import all_findings, fill, first_page
from bench.measure import Program, highlights, in_turn, key_latencies, median, p95, steady
from bench.pipelines import api_memory, left_open, listed, opened, until_red
from bench.pipelines import console as pipelines_console
from bench.pipelines import fill as fill_airflow
from bench.pipelines import keys as dag_keys
from bench.report import Row
from bench.servers import CONSOLE, frozen_prometheus, hanging_server
from bench.steps import HEAD, overhead, reading_time, step
from bench.terminal import Terminal
from bench.workbench import against_peer, connected, many_statements, page_keys, prepare
from opsconsole.core.content import shipped_content
from opsconsole.runbooks.history import list_runs, read_journal
from tests.servers import start_postgres

HELLO = Program((sys.executable, "-m", "bench.programs.hello"), r"\d{10}\.\d\d")
BARE_LINES = Program((sys.executable, "-m", "bench.programs.bare_lines"), r"SELECT")
LIVE_TABLE = Program((sys.executable, "-m", "bench.programs.live_table"), r"SELECT")

# Live: every area of the overview has a state, and none of them is still waiting for its first answer.
OVERVIEW_LIVE = r"(?s)\A(?!.*connecting)(?=.*Services +\d +[^ ]+ [A-Z]+ +\d).*Database +\d +[^ ]+ [A-Z]+ +\d"


def console(platform: dict[str, Any], *more: str, ready: str = OVERVIEW_LIVE) -> Program:
    """The console on the demo platform."""
    return Program((*CONSOLE, "--config", platform["config"], *more), ready, env=platform["environment"])


def starting(platform: dict[str, Any]) -> Iterator[Row]:
    """First paint against a minimal Textual program; live values after it."""
    ours, theirs = in_turn(console(platform), HELLO, runs=7)
    ratio = median([our.first_paint / their.first_paint for our, their in zip(ours, theirs, strict=True)])
    how = f"{median([run.first_paint for run in ours]):.2f} s / {median([run.first_paint for run in theirs]):.2f} s"
    yield Row("first paint against a minimal Textual app", ratio, 1.5, "x", how)
    live = median([run.live - run.first_paint for run in ours])
    yield Row("overview live after first paint", live, 1.0, "s", "all areas filled, local sources, median of 7")


def watching(platform: dict[str, Any]) -> Iterator[Row]:
    """What the overview costs while it is only looked at."""
    changing = steady(console(platform), warm_up=6, window=25)
    yield Row("overview, values changing", changing.bytes_per_second, 2500, "B/s", "refresh 5 s, 25 s")
    yield Row("CPU of the overview", changing.cpu_percent, 2.0, "%", "of a core, refresh 5 s, 25 s")
    with frozen_prometheus() as url, tempfile.TemporaryDirectory() as state:
        program = Program(
            (*CONSOLE, "--prometheus", url), r"Services +\d +[^ ]+ [A-Z]+", env={"OPSCONSOLE_STATE": f"{state}/s"}
        )
        still = steady(program, warm_up=11, window=20)
    yield Row("overview, nothing changing", still.bytes_per_second, 100, "B/s", "refresh 5 s, 20 s")


def tables(_: dict[str, Any]) -> Iterator[Row]:
    """Ten thousand rows, one visible row in ten changing each second."""
    ours, floor = [], []
    for _turn in range(3):
        ours.append(steady(LIVE_TABLE, warm_up=2, window=10))
        floor.append(steady(BARE_LINES, warm_up=2, window=10))
    written = median([run.bytes_per_second for run in ours])
    yield Row("table of 10,000 rows, 1 in 10 changing", written, 3000, "B/s", "each second, 120x40")
    own, bare = median([run.cpu_percent for run in ours]), median([run.cpu_percent for run in floor])
    # The kernel accounts in ticks of 10 ms: 0.1 % over ten seconds is the least that can be told apart.
    yield Row("… its CPU against the bare line floor", own / max(bare, 0.1), 2.0, "x", f"{own:.2f} % / {bare:.2f} %")


def _busier(config: Path, folder: Path, *, dead_port: int) -> Path:
    """The demo's configuration with every pane refreshed each second, and a database that never answers."""
    content = yaml.safe_load(config.read_text())
    environment = content["environments"][content["default_environment"]]
    environment["postgres"]["app"]["dsn"] = f"postgresql://ops@127.0.0.1:{dead_port}/app"
    screens = folder / "screens"
    screens.mkdir()
    for screen in (shipped_content() / "screens").glob("*.yaml"):
        (screens / screen.name).write_text(re.sub(r"refresh: *\d+s", "refresh: 1s", screen.read_text()))
    environment["screens"] = str(screens)
    changed = folder / "opsconsole.yaml"
    changed.write_text(yaml.safe_dump(content))
    return changed


def keys(platform: dict[str, Any]) -> Iterator[Row]:
    """Key to paint while every pane refreshes and one source hangs."""
    with HELLO.open() as hello:
        hello.wait_for(HELLO.ready)
        floor = key_latencies(hello, ["down", "up"], 80, highlights, pause=0.08)
    with hanging_server() as port, tempfile.TemporaryDirectory() as folder:
        changed = _busier(Path(platform["config"]), Path(folder), dead_port=port)
        program = console({**platform, "config": str(changed)}, ready=r"Services +\d +[^ ]+ [A-Z]+ +\d")
        with program.open() as ours:
            ours.wait_for(program.ready, 20)
            ours.press("2")
            ours.settle(0.5)
            ours.press("tab")
            ours.settle(0.3)
            measured = key_latencies(ours, ["tab", "shift+tab"], 80, highlights, pause=0.08)
    how = f"{p95(measured) * 1000:.1f} ms / {p95(floor) * 1000:.1f} ms, 80 keys each"
    yield Row("key to paint, p95, against a minimal Textual app", p95(measured) / p95(floor), 2.0, "x", how)


def memory(platform: dict[str, Any]) -> Iterator[Row]:
    """Resident memory once every shipped screen has been visited."""
    visited = steady(console(platform), warm_up=3, window=3, keys=[str(number) for number in (1, 2, 3, 4, 5, 1)])
    yield Row("resident memory, all screens visited", visited.rss, 100, "MiB")


def steps(_: dict[str, Any]) -> Iterator[Row]:
    """What a step costs beside what it does, how fast its output is kept, and how fast runbooks are read."""
    with tempfile.TemporaryDirectory() as folder, state_in(Path(folder)):
        ours, bare = overhead(Path(folder))
    yield Row(
        "step beyond the bare process", ours - bare, 30, "ms", f"{ours:.1f} / {bare:.1f} ms, `true`, median of 60"
    )
    with tempfile.TemporaryDirectory() as folder:
        size, took = flood(Path(folder))
    yield Row("output to disk, console attached", 50 / (size / 1e6 / took), 1.0, "x", f"{size / 1e6 / took:.0f} MB/s")
    found = sorted((Path(__file__).parents[2] / "shared/data/runbooks").rglob("*.md"))
    files = found or sorted((shipped_content() / "runbooks").glob("*.md"))
    yield Row("runbook read and checked", reading_time(files), 25, "ms", f"average of {len(files)} files")


def flooded_keys(_: dict[str, Any]) -> Iterator[Row]:
    """Key to the help and back while a step prints without end."""
    with tempfile.TemporaryDirectory() as folder, printing(Path(folder), "yes 'a line of output'") as terminal:
        terminal.wait_for("a line of output", 20.0)
        taken = [_help_opened(terminal) for _ in range(60)]
        terminal.press("c")
        terminal.wait_for(r"\[y/N\]|[Ss]top", 10.0)
        terminal.press("y", "enter")
        terminal.wait_for("cancelled", 20.0)
    how = f"median {median(taken) * 1000:.0f} ms, 60 keys"
    yield Row("key to the help, p95, during a flood of output", p95(taken) * 1000, 100, "ms", how)


def _help_opened(terminal: Terminal) -> float:
    """Seconds from the key to the help, which is closed again."""
    begin = time.monotonic()
    terminal.press("?")
    terminal.wait_for("Keys: Steps")
    taken = time.monotonic() - begin
    terminal.press("esc")
    terminal.wait_gone("Keys: Steps")
    return taken


@contextmanager
def printing(folder: Path, command: str) -> Iterator[Terminal]:
    """The console on a run whose first step is `command`, which has just been started."""
    (folder / "steps.md").write_text(HEAD + step("flood", command) + "- [ ] look\n")
    (folder / "opsconsole.yaml").write_text("version: 1\nenvironments: {bench: {screens: ., runbooks: .}}\n")
    env = {"OPSCONSOLE_CONFIG": str(folder / "opsconsole.yaml"), "OPSCONSOLE_STATE": str(folder / "state")}
    with Program(CONSOLE, "9 Runbooks", env=env).open() as terminal:
        for seen, key in (("9 Runbooks", "9"), ("Steps", "enter"), ("enter run", "enter")):
            terminal.wait_for(seen, 20.0)
            terminal.press(key)
        yield terminal


def flood(folder: Path) -> tuple[int, float]:
    """(bytes, seconds) of a step that prints 200 MB while the console shows it."""
    with printing(folder, "head -c 200000000 /dev/zero | tr '\\0' x") as terminal:
        terminal.wait_for(r"1\.2  look", 60.0)
        (run,) = list_runs(folder / "state" / "runs")
        terminal.press("q")
        terminal.settle()
    result = next(one for one in read_journal(run.path).records if one["ev"] == "result")
    return int(result["bytes"]), float(result["ms"]) / 1000


def database_objects(_: dict[str, Any]) -> Iterator[Row]:
    """Tables and findings of a database with 10,000 and 50,000 tables, two indexes each."""
    with start_postgres(settings=["max_locks_per_transaction=256"]) as server:
        taken = {}
        for tables, page in ((10_000, 0.5), (50_000, 1.0)):
            name = fill(server, tables)
            yield Row(
                f"tables, first page of {tables:,}", first_page(server, name), page, "s", "one locked, median of 3"
            )
            taken[tables] = all_findings(server, name)
        yield Row("all findings on 10,000 tables", taken[10_000], 5.0, "s", "20,000 indexes, median of 3")
        growth = taken[50_000] / taken[10_000]
        yield Row("… growth to 50,000", growth, 5.0, "x", f"{taken[50_000]:.2f} s; five times the tables")


def workbench(_: dict[str, Any]) -> Iterator[Row]:
    """The sessions page against pg_activity; and keys on a server with 1,000 sessions and 5,000 statements."""
    settings = [
        "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_planning=on",
        "pg_stat_statements.max=10000", "max_connections=1050",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as state, start_postgres(settings=settings) as server:
        prepare(server)
        for count in (12, 200):
            found = against_peer(server, count, state)
            yield Row(f"sessions page, {count} sessions: bytes against pg_activity", found.bytes, 1.0, "x", found.how)
            yield Row("… its CPU", found.cpu, 2.0, "x", found.how)
            yield Row("… time of the server", found.server_time, 1.0, "x", found.how)
        many_statements(server, 5_000)
        with connected(server, 1_000):
            for page, shown in (("sessions", r"1,?000 sessions|1001 sessions"), ("queries", r"of \d,\d+ statements")):
                taken = page_keys(server, state, page, shown)
                how = f"median {median(taken) * 1000:.0f} ms, 80 keys; 1,000 sessions, 5,000 statements"
                yield Row(f"key on the {page} page, p95", p95(taken) * 1000, 50, "ms", how)


def alerts(_: dict[str, Any]) -> Iterator[Row]:
    """A refresh of 5,000 alerts of 2,000 rules, and keys while they are read."""
    with tempfile.TemporaryDirectory() as folder, many(Path(folder)) as servers:
        taken = refreshes(servers)
        how = f"worst {max(taken):.2f} s of {len(taken)}; Prometheus and Alertmanager joined, nothing changed"
        yield Row("refresh of 5,000 alerts of 2,000 rules", median(taken), 1.0, "s", how)
        pressed = alert_keys(servers, Path(folder))
        how = f"median {median(pressed) * 1000:.0f} ms, 80 keys"
        yield Row("key on the alerts page, p95", p95(pressed) * 1000, 50, "ms", how)


def pipelines(_: dict[str, Any]) -> Iterator[Row]:
    """5,000 DAGs with 100,000 runs: listed, on the screen, by the API."""
    with start_postgres() as server:
        for version in (3, 2):
            name = fill_airflow(server, version)
            first, again, bare = listed(server.dsn(name), version)
            how = f"Airflow {version}, from its database, median of 5"
            yield Row("list of 5,000 DAGs with 100,000 runs", first, 1.0, "s", f"{how}; again {again:.2f} s")
            how = f"{first:.2f} s / {bare:.2f} s"
            yield Row("… against a bare driver reading the runs", first / bare, 3.0, "x", how)
        name = "airflow_3"
        with pipelines_console(server.dsn(name)) as program:
            yield Row("page of 5,000 DAGs, from key to rows", median([opened(program) for _ in range(3)]), 2.0, "s")
            with HELLO.open() as hello:
                hello.wait_for(HELLO.ready)
                floor = key_latencies(hello, ["down", "up"], 80, highlights, pause=0.04)
            taken = dag_keys(program)
            how = f"median {median(taken) * 1000:.0f} ms, 80 keys, read again every 20"
            yield Row("key on the page of 5,000 DAGs, p95", p95(taken) * 1000, 50, "ms", how)
            how = f"median {median(taken) * 1000:.0f} ms / {median(floor) * 1000:.0f} ms"
            yield Row("… median, against a minimal Textual app", median(taken) / median(floor), 2.0, "x", how)
            open_page = left_open(program)
            yield Row("page of 5,000 DAGs, left open", open_page.bytes_per_second, 2500, "B/s", "60 s")
            yield Row("… its CPU", open_page.cpu_percent, 2.0, "%", "of a core, 60 s")
            red, period = until_red(server, name, program)
            yield Row(
                "from failure to red, beyond the refresh", red - period, 1.0, "s", f"{red:.1f} s, every {period:.0f} s"
            )
    first, last = api_memory()
    yield Row("survey of 5,000 DAGs by the API: memory", first, 20, "MiB", "more than without")
    yield Row("… ten of them", last, 40, "MiB", f"{last - first:.0f} MiB more than one")


@contextmanager
def state_in(folder: Path) -> Iterator[None]:
    """The state folder of what is measured in this process."""
    before = os.environ.get("OPSCONSOLE_STATE")
    os.environ["OPSCONSOLE_STATE"] = str(folder / "state")
    try:
        yield
    finally:
        if before is None:
            del os.environ["OPSCONSOLE_STATE"]
        else:
            os.environ["OPSCONSOLE_STATE"] = before


CASES = (starting, watching, tables, keys, memory, steps, flooded_keys, database_objects, workbench, alerts, pipelines)
