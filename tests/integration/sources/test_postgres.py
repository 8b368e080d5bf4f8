"""Reading from a real PostgreSQL: what arrives, what is refused, and what happens when it goes away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Cell, Table
from opsconsole.sources.backoff import Backoff
from opsconsole.sources.postgres import PostgresSource
from tests.faults import FaultServer, refusing_port
from tests.servers import PostgresServer, start_postgres


@asynccontextmanager
async def connected(
    dsn: str, *, statement_timeout: float = 5.0, lock_timeout: float = 1.0
) -> AsyncIterator[PostgresSource]:
    settings = PostgresSettings("app", SecretRef.of(dsn), statement_timeout, lock_timeout, connect_timeout=2.0)
    source = PostgresSource(settings, backoff=Backoff(jitter=lambda: 0.0))
    try:
        yield source
    finally:
        await source.close()


def query(text: str, binds: dict[str, str] | None = None, max_rows: int = 500) -> Query:
    return Query("postgres/app", text, binds=tuple((binds or {}).items()), max_rows=max_rows)


async def table(
    source: PostgresSource, text: str, binds: dict[str, str] | None = None, *, max_rows: int = 500
) -> Table:
    answer = await source.read(query(text, binds, max_rows))
    assert isinstance(answer.value, Table)
    return answer.value


async def row(source: PostgresSource, text: str, **binds: str) -> tuple[Cell, ...]:
    answer = await source.read(query(text, binds))
    assert isinstance(answer.value, Table)
    return answer.value.rows[0]


async def failure(source: PostgresSource, text: str = "select 1", **binds: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await source.read(query(text, binds))
    return caught.value


@pytest.fixture
def dsn(postgres: PostgresServer) -> str:
    return postgres.dsn()


async def test_cells_have_the_types_of_their_columns(dsn: str) -> None:
    async with connected(dsn) as source:
        found = await row(
            source,
            "select 1::int2, 2::int8, 2.5::numeric, 'NaN'::float8, true, null::int, interval '1 day -00:00:01.5',"
            " '2026-11-21 14:00+02'::timestamptz, array['a','b'], '{\"k\": 1}'::jsonb, '\\x6f70ff'::bytea",
        )
        expected = (
            1, 2, 2.5, float("nan"), True, None, 86398.5,
            datetime(2026, 11, 21, 12, tzinfo=UTC), "{a,b}", '{"k": 1}', "op�",
        )  # fmt: skip
        assert repr(found) == repr(expected)
        naive, infinite = await row(source, "select '2026-11-21 14:00'::timestamp, 'infinity'::timestamptz")
        assert isinstance(naive, datetime)
        assert naive.tzinfo is not None
        assert infinite == "infinity"


async def test_an_empty_answer_still_has_columns(dsn: str) -> None:
    async with connected(dsn) as source:
        assert await table(source, "select 1 as one, 2 as two where false") == Table(("one", "two"), ())


async def test_hostile_text_is_made_visible(dsn: str) -> None:
    async with connected(dsn) as source:
        found = await table(source, "select E'\\x1b]52;c;x\\x07[red]' as \"na\x1bme\"")
    assert found == Table(("na␛me",), (("␛]52;c;x␇[red]",),))


async def test_values_and_identifiers_are_never_text(dsn: str) -> None:
    evil = "'; drop table x; -- %s \\"
    async with connected(dsn) as source:
        assert await row(source, "select :'V', :'V'::text || :'W', '50%'", V=evil, W="1") == (evil, evil + "1", "50%")
        found = await table(source, 'select :"C" from (select 3 as "a%b""c") as x', {"C": 'a%b"c'})
        assert found == Table(('a%b"c',), ((3,),))
        error = await failure(source, 'select * from :"T"', T="x; drop table y")
        assert error.message.startswith('relation "x; drop table y" does not exist')
        assert (await failure(source, "select :'V'", V="a\x00b")).kind == "bad-query"
        assert (await failure(source, "select :'V'")).message == "nothing was given for :'V' (line 1, column 8)"
        assert "::interval" in (await failure(source, "select interval :'V'", V="1 day")).hint


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select 1; select 2", "bad-query"),
        ("", "bad-query"),
        ("create table x ()", "bad-query"),
        ("copy (select 1) to program 'cat >/dev/null'", "bad-query"),
        ("/* select */ vacuum", "bad-query"),
        ("with x as (insert into held values (1) returning 1) select * from x", "refused"),
        ("select nextval('held_id_seq')", "refused"),
    ],
)
async def test_only_one_statement_that_reads_is_run(postgres: PostgresServer, text: str, kind: str) -> None:
    postgres.psql("create table if not exists held (id serial)")
    async with connected(postgres.dsn()) as source:
        assert (await failure(source, text)).kind == kind
        assert await row(source, "select 1") == (1,)
    assert postgres.psql("select count(*) from held") == "0"


async def test_the_protocol_itself_refuses_a_second_statement(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsconsole.sources.sqltext.only_statement", lambda sql: sql)
    async with connected(dsn) as source:
        error = await failure(source, "select 1; select 2")
    assert error.message == "cannot insert multiple commands into a prepared statement [42601]"


async def test_rows_beyond_the_limit_are_not_fetched(dsn: str) -> None:
    async with connected(dsn) as source:
        started = time.monotonic()
        found = await table(source, "select generate_series(1, 30000000)", max_rows=150)
        assert time.monotonic() - started < 3
        assert (len(found.rows), found.truncated) == (150, True)
        assert await table(source, "select generate_series(1, 150)", max_rows=150) == Table(
            ("generate_series",), tuple((n,) for n in range(1, 151))
        )


async def test_an_answer_of_a_hundred_megabytes_is_refused(dsn: str) -> None:
    async with connected(dsn) as source:
        error = await failure(source, "select repeat('x', 100 * 1024 * 1024)")
        assert (error.kind, error.message) == ("bad-query", "answer larger than 64 MiB [54000]")
        error = await failure(source, "select repeat('x', 1024 * 1024) from generate_series(1, 1000000)")
        assert error.message == "answer larger than 64 MiB [54000]"
        assert await row(source, "select 1") == (1,)


async def test_rows_are_handed_on_as_they_come_and_are_in_the_answer_too(dsn: str) -> None:
    heard: list[tuple[tuple[str, ...], tuple[Cell, ...]]] = []
    pieces = 0

    def on_rows(columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]) -> None:
        nonlocal pieces
        pieces += 1
        heard.extend((columns, one) for one in rows)

    text = "select n, repeat('x', 1000) as much, now() as at from generate_series(1, 20000) n"
    async with connected(dsn) as source:
        answer = await source.read(Query("postgres/app", text, max_rows=15_000, on_rows=on_rows))
        assert isinstance(answer.value, Table)
        assert answer.value.truncated
        assert len(heard) == len(answer.value.rows) == 15_000
        assert {columns for columns, _ in heard} == {("n", "much", "at")} == {answer.value.columns}
        assert all(one is kept for (_, one), kept in zip(heard, answer.value.rows, strict=True))
        assert pieces > 100, "a large answer does not come in one piece"
        assert await row(source, "select 2") == (2,)


async def test_who_waits_for_a_large_answer_is_not_kept_from_other_work(dsn: str) -> None:
    """Between the pieces of an answer of 15 MB the event loop turns: hundreds of times, and not once."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with connected(dsn) as source:
        await source.read(query("select 1"))
        other = asyncio.create_task(turn())
        await source.read(query("select repeat('x', 1000) from generate_series(1, 15000)", max_rows=15_000))
        other.cancel()
    assert turns > 500


async def test_every_transaction_has_its_guards(dsn: str) -> None:
    async with connected(dsn, statement_timeout=3, lock_timeout=0.05) as source:
        names: tuple[str, ...] = ("application_name", "transaction_read_only", "statement_timeout", "lock_timeout")
        names += ("idle_in_transaction_session_timeout", "client_encoding")
        shown = ", ".join(f"current_setting('{name}')" for name in names)
        assert await row(source, f"select {shown}") == ("opsconsole", "on", "3s", "50ms", "8s", "UTF8")
        await source.read(query("select set_config('statement_timeout', '0', false), pg_sleep(0)"))
        assert await row(source, "select current_setting('statement_timeout')") == ("3s",)


async def test_a_slow_query_is_ended_and_then_kept_apart(dsn: str) -> None:
    async with connected(dsn, statement_timeout=0.5) as source:
        error = await failure(source, "select pg_sleep(60)")
        assert (error.kind, error.message) == ("timeout", "the query did not end within 0.5 s [57014]")
    async with connected(dsn) as source:
        slow = "select pg_sleep(1.2)"
        await source.read(query(slow))
        started = time.monotonic()
        again = asyncio.create_task(source.read(query(slow)))
        await asyncio.sleep(0.05)
        await source.read(query("select 1"))
        assert time.monotonic() - started < 0.8, "the fast one waited for the slow one"
        await again


async def test_a_lock_is_not_waited_for(postgres: PostgresServer) -> None:
    postgres.psql("create table if not exists locked ()")
    async with connected(postgres.dsn(), lock_timeout=30) as source, locking(postgres, "locked"):
        assert await row(source, "select current_setting('lock_timeout')") == ("100ms",)
        error = await failure(source, "select * from locked")
    assert (error.kind, error.hint) == ("timeout", "somebody holds a lock on it")
    assert error.message == "canceling statement due to lock timeout [55P03]"


@asynccontextmanager
async def locking(server: PostgresServer, name: str) -> AsyncIterator[None]:
    import psycopg

    async with await psycopg.AsyncConnection.connect(server.dsn()) as connection:
        await connection.execute(f"lock table {name}".encode())
        yield
        await connection.rollback()


async def test_cancelling_ends_the_statement_on_the_server(postgres: PostgresServer) -> None:
    text = "select pg_sleep(60), 'to be cancelled'"
    running = f"select count(*) from pg_stat_activity where state = 'active' and query = $${text}$$"
    async with connected(postgres.dsn(), statement_timeout=60) as source:
        reading = asyncio.create_task(source.read(query(text)))
        await until(lambda: postgres.psql(running) == "1")
        started = time.monotonic()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert time.monotonic() - started < 0.5
        await until(lambda: postgres.psql(running) == "0", 2)
        assert await row(source, "select 2") == (2,)


async def test_closing_calls_off_what_is_under_way(postgres: PostgresServer) -> None:
    text = "select pg_sleep(60), 'to be called off'"
    running = f"select count(*) from pg_stat_activity where state = 'active' and query = $${text}$$"
    async with connected(postgres.dsn(), statement_timeout=60) as source:
        reading = asyncio.create_task(source.read(query(text)))
        await until(lambda: postgres.psql(running) == "1")
        started = time.monotonic()
        await source.close()
        assert time.monotonic() - started < 1
        with pytest.raises(SourceError) as caught:
            await reading
        assert caught.value.kind == "gone"
        assert postgres.psql(running) == "0"
        assert await row(source, "select 2") == (2,), "a closed source can be used again"


async def test_closing_does_not_wait_for_a_server_that_hangs() -> None:
    with start_postgres() as server:
        async with connected(server.dsn(), statement_timeout=60) as source:
            await source.read(query("select 1"))
            server.program.freeze()
            reading = asyncio.create_task(source.read(query("select 1")))
            await asyncio.sleep(0.1)
            started = time.monotonic()
            await source.close()
            assert time.monotonic() - started < 2
            with pytest.raises(SourceError):
                await reading


async def until(condition: Callable[[], bool], timeout: float = 30.0) -> None:
    deadline = time.monotonic() + timeout
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


async def test_errors_are_short_and_carry_the_sqlstate(dsn: str) -> None:
    async with connected(dsn) as source:
        error = await failure(source, "select * from nowhere")
        assert str(error) == 'postgres/app: relation "nowhere" does not exist at character 15 [42P01]'
        assert (await failure(source, "select 1/0")).message == "division by zero [22012]"


async def test_a_terminated_session_is_told_and_replaced(dsn: str) -> None:
    async with connected(dsn) as source:
        error = await failure(source, "select pg_terminate_backend(pg_backend_pid())")
        assert error.kind == "gone"
        assert "57P01" in error.message
        assert await row(source, "select 1") == (1,)


async def test_notices_are_passed_on(postgres: PostgresServer) -> None:
    postgres.psql(
        "create or replace function noisy() returns int language plpgsql as"
        " $$ begin raise warning E'look \\x1b here'; return 1; end $$"
    )
    async with connected(postgres.dsn()) as source:
        answer = await source.read(query("select noisy()"))
    assert answer.warnings == ("WARNING: look ␛ here",)


async def test_sessions_of_databases_in_other_encodings_are_shown(postgres: PostgresServer) -> None:
    import psycopg

    postgres.psql("create database latin encoding 'LATIN1' template template0")
    latin = await psycopg.AsyncConnection.connect(postgres.dsn("latin"))
    try:
        await latin.execute("select 'café'")
        async with connected(postgres.dsn()) as source:
            (text,) = await row(source, "select query from pg_stat_activity where datname = 'latin'")
            assert text == "select 'caf�'"
        async with connected(postgres.dsn("latin")) as source:
            assert await row(source, "select :'V'", V="é") == ("é",)
            assert (await failure(source, "select :'V'", V="☃")).kind == "bad-query"
    finally:
        await latin.close()


@pytest.mark.parametrize(("encoding", "shown"), [("SQL_ASCII", "caf�"), ("EUC_JP", "caf�")])
async def test_bytes_that_are_not_of_the_encoding_do_not_lose_the_answer(
    postgres: PostgresServer, encoding: str, shown: str
) -> None:
    name = f"enc_{encoding.lower()}"
    postgres.psql(f"create database {name} encoding '{encoding}' template template0")
    # What another session runs is shown unchecked, whatever its encoding.
    import psycopg

    latin = f"latin_beside_{encoding.lower()}"
    postgres.psql(f"create database {latin} encoding 'LATIN1' template template0")
    other = await psycopg.AsyncConnection.connect(postgres.dsn(latin))
    try:
        await other.execute("select 'café'")
        async with connected(postgres.dsn(name)) as source:
            for _ in range(2):
                found = await row(source, f"select query, :'V' from pg_stat_activity where datname = '{latin}'", V="x")
                assert found == (f"select '{shown}'", "x")
            assert await row(source, "select 'plain'") == ("plain",)
    finally:
        await other.close()


async def test_what_cannot_be_seen_is_said_with_how_to_allow_it(postgres: PostgresServer) -> None:
    postgres.psql("create role bare login; create role watcher login; grant pg_monitor to watcher")
    postgres.psql("create schema if not exists ext; create extension if not exists pg_stat_statements schema ext")
    async with connected(postgres.dsn(user="bare")) as source:
        found = await source.probe()
        assert found.product == "PostgreSQL"
        assert "role:pg_monitor" not in found.features
        assert found.notes == ("other users' queries are hidden: grant pg_monitor to bare;",)
        facts = await source.facts()
        assert (facts.statements_schema, facts.has_statements, facts.standby) == ("ext", True, False)
        assert facts.version_num >= 120_000
        error = await failure(source, "select * from pg_authid")
        assert (error.kind, error.message) == ("refused", "permission denied for table pg_authid [42501]")
    async with connected(postgres.dsn(user="watcher")) as source:
        found = await source.probe()
        assert {"role:pg_monitor", "primary", "pg_stat_statements"} <= found.features
        assert found.notes == ()
    postgres.psql("drop extension pg_stat_statements")
    async with connected(postgres.dsn(user="watcher")) as source:
        notes = ("no statistics of statements in postgres: create extension pg_stat_statements;",)
        assert (await source.probe()).notes == notes


@pytest.mark.parametrize(
    ("tail", "kind", "message"),
    [
        ({"user": "nobody_here"}, "refused", 'role "nobody_here" does not exist'),
        ({"database": "nothing_here"}, "refused", 'database "nothing_here" does not exist'),
        ({"sslmode": "require"}, "refused", "127.0.0.1:{port} does not offer TLS"),
    ],
)
async def test_why_no_connection_came_about(
    postgres: PostgresServer, tail: dict[str, str], kind: str, message: str
) -> None:
    async with connected(postgres.dsn(**tail)) as source:
        error = await failure(source)
    assert (error.kind, error.message) == (kind, message.format(port=postgres.port))


async def test_unreachable_servers_are_named() -> None:
    with refusing_port() as port:
        async with connected(f"host=127.0.0.1 port={port}") as source:
            assert str(await failure(source)) == f"postgres/app: connection refused at 127.0.0.1:{port}"
    async with connected("host=postgres.invalid dbname=x") as source:
        assert (await failure(source)).message == "the host of postgres.invalid:5432 cannot be resolved"
    async with connected("host=/nonexistent port=7") as source:
        assert (await failure(source)).message == "no server on the socket /nonexistent/.s.PGSQL.7"
    with FaultServer("hang") as server:
        async with connected(f"host=127.0.0.1 port={server.port}") as source:
            started = time.monotonic()
            error = await failure(source)
            assert (error.kind, error.message) == ("timeout", f"no answer within 2 s from 127.0.0.1:{server.port}")
            assert time.monotonic() - started < 4
            started = time.monotonic()
            assert (await failure(source)).message == error.message
            assert time.monotonic() - started < 0.1, "the next one learns of it without waiting"


async def test_a_dsn_that_cannot_be_read_is_not_repeated() -> None:
    async with connected("host=x password=hunter2 hunter2") as source:
        error = await failure(source)
    assert error.kind == "unsupported"
    assert "hunter2" not in f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"


@contextmanager
def guarded() -> Iterator[PostgresServer]:
    hba = "local all all trust\nhost all ann 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n"
    with start_postgres(hba=hba, settings=["superuser_reserved_connections=1"]) as server:
        server.psql("create role ann login password 'correct horse'; create role eve login")
        yield server


async def test_passwords_services_and_variables_are_those_of_libpq(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords, services = tmp_path / "pgpass", tmp_path / "service.conf"
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    with guarded() as server:
        services.write_text(
            f"# ours\n[other]\nhost=nowhere\n[mine]\nhost=localhost\nport={server.port}\nuser=ann\ndbname=postgres\n"
        )
        who = "select current_user::text"
        async with connected("service=mine") as source:
            error = await failure(source, who)
            assert (error.kind, error.message) == ("refused", "the server wants a password")
        passwords.write_text(f"localhost:{server.port}:*:ann:wrong\n")
        passwords.chmod(0o600)
        async with connected("service=mine") as source:
            error = await failure(source, who)
            assert (error.kind, error.message) == ("refused", 'password authentication failed for user "ann"')
        passwords.write_text(f"localhost:{server.port}:*:ann:correct horse\n")
        async with connected("service=mine") as source:
            assert await row(source, who) == ("ann",)
        async with connected(server.dsn(user="eve")) as source:
            error = await failure(source, who)
            assert error.message.startswith("no pg_hba.conf entry for host")
        async with connected("service=unknown") as source:
            error = await failure(source, who)
            assert (error.kind, error.message) == ("unsupported", 'definition of service "unknown" not found')
        for name, value in {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres"}.items():
            monkeypatch.setenv(name, value)
        async with connected("") as source:
            assert await row(source, who) == ("postgres",)
        monkeypatch.setenv("PGSERVICE", "mine")
        async with connected("") as source:
            assert await row(source, who) == ("ann",), "a service goes before other variables, as in libpq"


async def test_too_many_connections_is_a_reason() -> None:
    with start_postgres(settings=["max_connections=5", "superuser_reserved_connections=3"]) as server:
        server.psql("create role ann login")
        async with connected(server.dsn(user="ann")) as one, connected(server.dsn(user="ann")) as two:
            await one.read(query("select 1"))
            await two.read(query("select 1"))
            async with connected(server.dsn(user="ann")) as three:
                error = await failure(three)
    assert (error.kind, error.message) == ("overloaded", "too many connections")


async def test_a_server_that_goes_and_comes_back_is_met_again() -> None:
    with start_postgres() as server:
        async with connected(server.dsn(), statement_timeout=0.5) as source:
            await source.read(query("select 1"))
            server.restart()
            assert await row(source, "select 2") == (2,), "a restart in between goes unnoticed"
            server.program.stop()
            assert (await failure(source)).message == f"connection refused at 127.0.0.1:{server.port}"
            server.program.start()
            await recovered(source)

            server.program.freeze()
            started = time.monotonic()
            assert (await failure(source)).kind == "timeout"
            assert time.monotonic() - started < 2
            server.program.thaw()
            await recovered(source)

            server.program.kill()
            server.program.start()
            await recovered(source)


async def recovered(source: PostgresSource, timeout: float = 30.0) -> None:
    deadline = time.monotonic() + timeout
    while True:
        with suppress(SourceError):
            assert await row(source, "select 1") == (1,)
            return
        assert time.monotonic() < deadline, "it did not recover"
        await asyncio.sleep(0.05)


def test_a_source_serves_one_event_loop_after_the_other(dsn: str) -> None:
    settings = PostgresSettings("app", SecretRef.of(dsn))
    source = PostgresSource(settings)
    for _ in range(3):
        assert asyncio.run(source.read(query("select 1"))).took < 5
    asyncio.run(source.close())
