"""pg_stat_statements as a real server has it, in every way that it can be set up."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.core.exit_codes import Exit
from opsconsole.core.reading import SourceError
from opsconsole.database.statement_usage import between, since_reset
from opsconsole.database.statements import Key, read_statements, read_text, read_texts
from tests.integration.database.conftest import Connect
from tests.servers import PostgresServer, start_postgres

ODD = 'we"ird.sch%s'


@pytest.fixture(scope="module")
def counted(postgres: PostgresServer) -> Iterator[str]:
    """A database with the extension in a schema of a hostile name."""
    postgres.psql(
        "create database counted; create role pgss_bare login; create role pgss_watch login in role pg_monitor"
    )
    postgres.psql(f'create schema "{ODD.replace(chr(34), chr(34) * 2)}"', "counted")
    quoted = f'"{ODD.replace(chr(34), chr(34) * 2)}"'
    postgres.psql(
        f"create extension pg_stat_statements schema {quoted}; grant usage on schema {quoted} to public;"
        "create table t (id int primary key, v text); insert into t select g, 'x' from generate_series(1, 500) g",
        "counted",
    )
    yield "counted"
    postgres.psql("drop database counted with (force); drop role pgss_bare; drop role pgss_watch")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROMETHEUS_URL", "PGHOST", "PGSERVICE", "OPSCONSOLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


def reset(postgres: PostgresServer) -> None:
    postgres.psql('select "we""ird.sch%s".pg_stat_statements_reset()', "counted")


async def test_what_is_done_in_a_window_is_counted_with_its_text(
    postgres: PostgresServer, counted: str, asked: Connect
) -> None:
    async with asked(postgres.dsn(counted)) as database:
        before = await read_statements(database)
        postgres.psql("select v from t where id = 7;" * 30, counted)
        after = await read_statements(database)
        span = between(before, after)
        texts = await read_texts(database, [usage.key for usage in span.usages])
    (usage,) = [one for one in span.usages if texts[one.key[:3]] == "select v from t where id = $1"]
    assert (usage.counters.calls, usage.rows_per_call, usage.user, usage.database) == (30, 1.0, "postgres", "counted")
    assert usage.counters.total > 0
    assert usage.blocks_per_call >= 1
    assert not usage.restarted
    assert span.system.isdigit()
    assert span.began_at == before.taken_at


async def test_a_reset_in_a_window_is_seen(postgres: PostgresServer, counted: str, asked: Connect) -> None:
    async with asked(postgres.dsn(counted)) as database:
        before = await read_statements(database)
        reset(postgres)
        postgres.psql("select count(*) from t", counted)
        span = between(before, await read_statements(database))
    assert any("reset meanwhile" in note for note in span.coverage.notes)
    assert span.seconds is not None
    assert span.seconds < 5.0
    assert all(usage.counters.calls < 30 for usage in span.usages)


async def test_others_statements_are_hidden_from_a_bare_role_and_counted(
    postgres: PostgresServer, counted: str, asked: Connect
) -> None:
    async with asked(postgres.dsn(counted, user="pgss_bare")) as database:
        found = await read_statements(database)
    assert found.available
    assert found.hidden > 0
    assert found.hidden_total > 0
    assert {entry.user for entry in found.entries} <= {"pgss_bare"}
    assert any(note.endswith('grant pg_read_all_stats to "pgss_bare";') for note in found.coverage.notes)
    async with asked(postgres.dsn(counted, user="pgss_watch")) as database:
        seen = await read_statements(database)
    assert seen.hidden == 0
    assert len(seen.entries) >= found.hidden


async def test_texts_of_another_encoding_are_shown_and_what_cannot_be_converted_costs_the_texts_only(
    postgres: PostgresServer, counted: str, asked: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.psql("create database pgss_latin encoding 'LATIN1' template template0 locale 'C'")
    try:
        postgres.psql('select 1 as "café"'.encode("latin-1"), "pgss_latin")
        postgres.psql('select 1 as "naïve"'.encode(), counted)
        async with asked(postgres.dsn(counted)) as database:
            found = await read_statements(database)
            texts = await read_texts(database, [entry.key for entry in found.entries])
        assert 'select $1 as "naïve"' in texts.values()
        assert 'select $1 as "café"' in texts.values()
        postgres.psql("create extension pg_stat_statements", "pgss_latin")
        postgres.psql('select 1, 2 as "☃"', counted)
        code = await asyncio.to_thread(main, ["db", "queries", "--postgres", postgres.dsn("pgss_latin")])
        assert code == Exit.DONE
        shown = capsys.readouterr()
        assert "the texts of the statements cannot be read" in shown.err
        assert "text not there" in shown.out
    finally:
        postgres.psql("drop database pgss_latin with (force)")


async def test_the_text_of_one_statement(postgres: PostgresServer, counted: str, asked: Connect) -> None:
    postgres.psql("select v as wanted from t where id = 3", counted)
    async with asked(postgres.dsn(counted)) as database:
        snapshot = await read_statements(database)
        texts = await read_texts(database, [entry.key for entry in snapshot.entries])
        queryid = next(key[2] for key, text in texts.items() if "wanted" in text)
        assert await read_text(database, queryid) == "select v as wanted from t where id = $1"
        with pytest.raises(SourceError, match="no statement with the queryid 12"):
            await read_text(database, 12)
    async with asked(postgres.dsn("postgres")) as database:
        with pytest.raises(SourceError, match="not created in postgres"):
            await read_text(database, queryid)


async def test_a_long_statement_is_listed_by_its_beginning_and_read_whole(
    postgres: PostgresServer, counted: str, asked: Connect
) -> None:
    sql = "select " + ", ".join(f"id as ☃{'long' * 10}_{number}" for number in range(400)) + " from t"
    postgres.psql(sql, counted)
    async with asked(postgres.dsn(counted)) as database:
        snapshot = await read_statements(database)
        texts = await read_texts(database, [entry.key for entry in snapshot.entries])
        queryid = next(key[2] for key, text in texts.items() if "longlong" in text)
        assert await read_text(database, queryid) == sql
    shown = next(text for text in texts.values() if "longlong" in text)
    assert shown.endswith("…")
    assert sql.startswith(shown.rstrip("…�"))


async def test_an_extension_that_was_never_updated(postgres: PostgresServer, asked: Connect) -> None:
    postgres.psql("create database pgss_old")
    try:
        postgres.psql("create extension pg_stat_statements version '1.7'", "pgss_old")
        postgres.psql("select 42", "pgss_old")
        async with asked(postgres.dsn("pgss_old")) as database:
            found = await read_statements(database)
        assert found.entries
        assert (found.reset_at, found.evictions) == (None, None)
        assert found.entries[0].counters.wal_bytes is None
        assert any("ALTER EXTENSION pg_stat_statements UPDATE" in note for note in found.coverage.notes)
        assert since_reset(found).usages[0].rate is None
    finally:
        postgres.psql("drop database pgss_old with (force)")


async def test_an_extension_that_is_not_created_is_no_failure(postgres: PostgresServer, asked: Connect) -> None:
    async with asked(postgres.dsn("template1")) as database:
        found = await read_statements(database)
        assert not found.available
        assert "not created in template1" in found.coverage.notes[0]
        assert await read_texts(database, [Key(1, 1, 1, True)]) == {}
        with pytest.raises(SourceError, match="not created in template1"):
            await read_text(database, 1)


async def test_an_extension_that_is_created_and_not_loaded(asked: Connect) -> None:
    with start_postgres() as server:
        async with asked(server.dsn()) as database:
            nothing = await read_statements(database)
        server.psql("create extension pg_stat_statements")
        async with asked(server.dsn()) as database:
            created = await read_statements(database)
    assert "neither loaded nor created" in nothing.coverage.notes[0]
    assert "created here, but the server does not load it" in created.coverage.notes[0]


async def test_evictions_are_seen(asked: Connect) -> None:
    settings = ["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.max=100"]
    with start_postgres(settings=settings) as server:
        server.psql("create extension pg_stat_statements; select 1 as early")
        async with asked(server.dsn()) as database:
            before = await read_statements(database)
            server.psql("".join(f"select {', '.join(['1'] * (number + 2))};" for number in range(150)))
            after = await read_statements(database)
    assert (after.evictions or 0) > (before.evictions or 0)
    assert any("dropped meanwhile in" in note for note in between(before, after).coverage.notes)


def test_the_verb_prints_a_capture_that_another_can_be_compared_with(
    postgres: PostgresServer, counted: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    reset(postgres)
    postgres.psql("select v from t where id = 1;" * 40, counted)
    common = ["--postgres", postgres.dsn(counted)]
    assert main(["db", "queries", "--format", "json", "--limit", "0", "--save-baseline", "one", *common]) == Exit.DONE
    printed = capsys.readouterr()
    first = json.loads(printed.out)
    (query,) = [one for one in first["queries"] if one["text"] == "select v from t where id = $1"]
    assert query["calls"] == 40
    assert first["taken_at"].endswith("Z")
    assert "baselines/one.json" in printed.err
    (tmp_path / "first.json").write_text(printed.out)
    postgres.psql("select v, pg_sleep(0.003) from t where id = 1;" * 20, counted)
    assert main(["db", "queries", "--sort", "mean", "--against", "one", *common]) == Exit.DONE
    shown = capsys.readouterr()
    assert "select v, pg_sleep($1) from t where id = $2" in shown.out
    assert "0 became slower" in shown.err
    assert main(["db", "compare", "first.json", "one", "--format", "json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["counts"]["slower"] == 0


def test_a_statement_that_became_slower_is_a_failure_against_the_baseline(
    postgres: PostgresServer, counted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.psql("create function f() returns int language sql as 'select 1'", counted)
    reset(postgres)
    postgres.psql("select f() as probe;" * 20, counted)
    common = ["--postgres", postgres.dsn(counted)]
    assert main(["db", "queries", "--save-baseline", "fast", *common]) == Exit.DONE
    slow = "select 1 from pg_sleep(0.005)"
    postgres.psql(f"create or replace function f() returns int language sql as '{slow}'", counted)
    reset(postgres)
    postgres.psql("select f() as probe;" * 20, counted)
    capsys.readouterr()
    assert main(["db", "queries", "--against", "fast", *common]) == Exit.FAILED
    shown = capsys.readouterr()
    assert "slower" in shown.out
    assert "select f() as probe" in shown.out
    assert "1 became slower" in shown.err


def test_a_window_from_the_command_line(
    postgres: PostgresServer, counted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["db", "queries", "--window", "200ms", "--format", "json", "--postgres", postgres.dsn(counted)])
    assert code == Exit.DONE
    found = json.loads(capsys.readouterr().out)
    assert 0.2 <= found["seconds"] < 5.0


def test_what_is_missing_is_said_and_is_a_failure(postgres: PostgresServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "queries", "--postgres", postgres.dsn("template1")]) == Exit.FAILED
    assert "CREATE EXTENSION pg_stat_statements;" in capsys.readouterr().err
    assert main(["db", "queries", "--against", "nothing", "--postgres", postgres.dsn()]) == Exit.USAGE
    assert "neither a file nor a baseline" in capsys.readouterr().err
