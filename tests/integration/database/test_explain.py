"""Plans of a real server."""

import asyncio
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.actions.runners.explain import ExplainRunner
from opsconsole.cli.main import main
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.exit_codes import Exit
from opsconsole.core.reading import SourceError
from opsconsole.database.explain import read_plan
from tests.servers import PostgresServer


@pytest.fixture(scope="module")
def planned(postgres: PostgresServer) -> Iterator[PostgresSettings]:
    """A database with tables to plan for."""
    postgres.psql("create database planned")
    postgres.psql(
        "create extension pg_stat_statements; create table t (id int primary key, v text);"
        "insert into t select g, 'x' || g from generate_series(1, 5000) g; create sequence s; analyze t;"
        "create function slow() returns int volatile language sql as 'select 1 from pg_sleep(30)'",
        "planned",
    )
    yield PostgresSettings("planned", SecretRef.of(postgres.dsn("planned")))
    postgres.psql("drop database planned with (force)")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROMETHEUS_URL", "PGHOST", "PGSERVICE", "OPSCONSOLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


async def test_a_plan_without_running(postgres: PostgresServer, planned: PostgresSettings) -> None:
    found = await read_plan(planned, "delete from t where v = 'x7';")
    assert [node.type for node in found.plan.root.walk()] == ["ModifyTable", "Seq Scan"]
    assert not found.plan.analyzed
    assert postgres.psql("select count(*) from t", "planned") == "5000"


async def test_a_text_with_parameters_gets_the_plan_that_holds_for_any_value(planned: PostgresSettings) -> None:
    found = await read_plan(planned, "select * from t where id = $1 and v like $2 || '%'")
    assert found.generic
    # With mere NULLs in their places it would be a Result that does nothing.
    assert found.plan.root.label == "Index Scan using t_pkey on public.t"
    assert ("Index Cond", "(t.id = $1)") in found.plan.root.conditions


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select 1; select 2", "2 statements"),
        ("select * from nothing", "the table is not in this database"),
        ("select * from no_such where a = $1", "the table is not in this database"),
        ("select $1", None),
    ],
)
async def test_what_the_server_says(planned: PostgresSettings, sql: str, said: str | None) -> None:
    if said is None:
        assert (await read_plan(planned, sql)).plan.root.type == "Result"
        return
    with pytest.raises(SourceError) as caught:
        await read_plan(planned, sql)
    assert said in str(caught.value)


async def test_analyze_runs_it_and_rolls_it_back(postgres: PostgresServer, planned: PostgresSettings) -> None:
    output = bytearray()
    result = await ExplainRunner(planned, "delete from t where id <= 100", analyze=True).run(output.extend)
    assert result.outcome.value == "ok"
    plan = json.loads(output)[0]["Plan"]
    assert plan["Plans"][0]["Actual Rows"] == 100
    assert postgres.psql("select count(*) from t", "planned") == "5000"


async def test_what_reads_is_run_read_only(postgres: PostgresServer, planned: PostgresSettings) -> None:
    result = await ExplainRunner(planned, "select nextval('s')", analyze=True).run(lambda piece: None)
    assert result.outcome.value == "failed"
    assert "25006" in result.detail
    assert postgres.psql("select is_called from s", "planned") == "f"


async def test_a_statement_that_takes_too_long_is_stopped_by_the_server(planned: PostgresSettings) -> None:
    result = await ExplainRunner(planned, "select slow()", analyze=True, timeout=0.2).run(lambda piece: None)
    assert result.outcome.value == "timed-out"


async def test_cancelled_it_ends_on_the_server_too(postgres: PostgresServer, planned: PostgresSettings) -> None:
    task = asyncio.create_task(ExplainRunner(planned, "select slow()", analyze=True).read())
    busy = "select count(*) from pg_stat_activity where application_name like '%/action' and wait_event = 'PgSleep'"
    while await asyncio.to_thread(postgres.psql, busy) == "0":
        assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        while await asyncio.to_thread(postgres.psql, busy) != "0":
            pass


def test_the_verb_prints_a_tree_and_keeps_the_plan(
    postgres: PostgresServer, planned: PostgresSettings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    common = ["--postgres", postgres.dsn("planned")]
    sql = "select * from t where v = 'x9'"
    assert main(["db", "explain", "--sql", sql, "--save", "before.json", *common]) == Exit.DONE
    assert "Seq Scan on public.t" in capsys.readouterr().out
    assert stat.S_IMODE((tmp_path / "before.json").stat().st_mode) == 0o600
    postgres.psql("create index t_v on t (v)", "planned")
    assert main(["db", "explain", "--sql", sql, "--save", "after.json", *common]) == Exit.DONE
    capsys.readouterr()
    assert main(["db", "explain", "--diff", "before.json", "after.json"]) == Exit.DONE
    assert "Seq Scan on public.t → Index Scan using t_v on public.t" in capsys.readouterr().out
    postgres.psql("drop index t_v", "planned")


def test_a_listed_statement_is_explained_by_its_id(
    postgres: PostgresServer, planned: PostgresSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.psql("select v as mine from t where id = 3", "planned")
    common = ["--postgres", postgres.dsn("planned"), "--format", "json"]
    assert main(["db", "queries", "--limit", "0", *common]) == Exit.DONE
    listed = json.loads(capsys.readouterr().out)["queries"]
    queryid = next(one["queryid"] for one in listed if one["text"].startswith("select v as mine"))
    assert main(["db", "explain", f"--queryid={queryid}", *common]) == Exit.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["generic"]
    assert found["plan"][0]["Plan"]["Node Type"] == "Index Scan"


def test_running_needs_a_yes_and_is_recorded(
    postgres: PostgresServer, planned: PostgresSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--postgres", postgres.dsn("planned")]
    command = ["db", "explain", "--sql", "select count(*) from t", "--analyze", *common]
    assert main(command) == Exit.DECLINED
    assert "--yes confirms it" in capsys.readouterr().err
    assert main([*command, "--yes", "--read-only"]) == Exit.GUARDED
    assert main([*command, "--yes"]) == Exit.DONE
    assert "own " in capsys.readouterr().out
    assert main(["audit", "list", "--format", "json"]) == Exit.DONE
    entries = json.loads(capsys.readouterr().out)
    assert [(one["action"], one["outcome"]) for one in entries] == [
        ("postgres.explain-analyze", "declined"),
        ("postgres.explain-analyze", "refused"),
        ("postgres.explain-analyze", "ok"),
    ]
    assert "explain (analyze, …) select count(*) from t;" in entries[-1]["command"]


def test_what_is_refused_is_wrong_usage(postgres: PostgresServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "explain", "--sql", "commit", "--postgres", postgres.dsn()]) == Exit.USAGE
    assert "commit controls transactions" in capsys.readouterr().err
