"""The admin console of a real PgBouncer: what it answers, and what it says when it will not."""

from collections.abc import AsyncIterator, Iterator

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PoolerSettings
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Table
from opsconsole.sources.backoff import Backoff
from opsconsole.sources.pgbouncer import COMMANDS, PgBouncerSource
from tests.faults import refusing_port
from tests.servers import PgBouncer, PostgresServer, start_pgbouncer


@pytest.fixture(scope="module")
def pooler(postgres: PostgresServer) -> Iterator[PgBouncer]:
    with start_pgbouncer(postgres, ["app = dbname=postgres"]) as running:
        yield running


@pytest.fixture
async def source(pooler: PgBouncer) -> AsyncIterator[PgBouncerSource]:
    made = of(pooler.dsn())
    yield made
    await made.close()


def of(dsn: str, password: str | None = None, timeout: float = 2.0) -> PgBouncerSource:
    secret = SecretRef.of(password) if password is not None else None
    settings = PoolerSettings(SecretRef.of(dsn), secret, timeout)
    return PgBouncerSource(settings, name="pgbouncer/app", backoff=Backoff(jitter=lambda: 0.0))


async def shown(source: PgBouncerSource, text: str) -> Table:
    value = (await source.read(Query("pgbouncer/app", text))).value
    assert isinstance(value, Table)
    return value


async def failure(source: PgBouncerSource) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await source.read(Query("pgbouncer/app", "SHOW POOLS"))
    await source.close()
    return caught.value


async def test_every_command_that_reads(source: PgBouncerSource) -> None:
    tables = {command: await shown(source, f"show {command.lower()}") for command in COMMANDS}
    assert all(table.rows for table in tables.values())
    assert {"database", "user", "cl_waiting", "maxwait_us"} <= set(tables["POOLS"].columns)
    names = [row[tables["DATABASES"].columns.index("name")] for row in tables["DATABASES"].rows]
    assert names == ["app", "pgbouncer"]
    found = await source.probe()
    assert (found.product, found.notes) == ("PgBouncer", ())
    assert found.version[:2] == "1."


@pytest.mark.parametrize("text", ["PAUSE app", "SHOW POOLS; PAUSE app", "SHUTDOWN", "SHOW FDS", "SHOW", "select 1", ""])
async def test_nothing_else_is_sent(source: PgBouncerSource, text: str) -> None:
    with pytest.raises(SourceError) as caught:
        await shown(source, text)
    assert (caught.value.kind, "is none of SHOW POOLS" in caught.value.message) == ("bad-query", True)


async def test_the_password_may_stand_by_itself(pooler: PgBouncer) -> None:
    source = of(f"postgresql://stats@127.0.0.1:{pooler.port}", "look")
    assert (await source.probe()).product == "PgBouncer", "where the dsn names no database, the console is meant"
    await source.close()


async def test_who_may_not_look_is_told_why(pooler: PgBouncer, postgres: PostgresServer) -> None:
    wrong = await failure(of(pooler.dsn(password="wrong")))
    assert (wrong.kind, wrong.hint) == ("refused", "check the password, or .pgpass")
    foreign = await failure(of(pooler.dsn(user="api", password="api")))
    assert (foreign.kind, foreign.hint) == ("refused", "put it into stats_users")
    nowhere = await failure(of(pooler.dsn(database="nope", user="api", password="api")))
    assert (nowhere.kind, "no such database: nope" in nowhere.message) == ("refused", True)
    server = await failure(of(postgres.dsn()))
    assert (server.kind, "has to lead to the database pgbouncer" in server.hint) == ("unsupported", True)
    through = await failure(of(pooler.dsn(database="app", user="postgres", password="postgres")))
    assert through.kind == "unsupported"
    with refusing_port() as port:
        gone = await failure(of(f"postgresql://stats:look@127.0.0.1:{port}/pgbouncer"))
    assert gone.kind == "unreachable"


async def test_one_that_does_not_answer_is_left_in_time(postgres: PostgresServer) -> None:
    with start_pgbouncer(postgres, ["app = dbname=postgres"]) as pooler:
        source = of(pooler.dsn(), timeout=0.3)
        await source.probe()
        pooler.program.freeze()
        assert (await failure(source)).message == "no answer within 0.3 s"
        assert (await failure(source)).kind == "timeout", "nor does a new connection come about"
        pooler.program.thaw()


async def test_one_that_was_restarted_is_asked_again_at_once(postgres: PostgresServer) -> None:
    with start_pgbouncer(postgres, ["app = dbname=postgres"]) as pooler:
        source = of(pooler.dsn())
        await source.probe()
        pooler.program.kill()
        pooler.program.start()
        assert (await shown(source, "SHOW POOLS")).rows
        await source.close()
