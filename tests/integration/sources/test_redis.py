"""Looking at a real Redis."""

import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import RedisSettings
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Table
from opsconsole.sources.backoff import Backoff
from opsconsole.sources.redis import RedisSource
from tests.faults import FaultServer, refusing_port
from tests.servers import WebServer, start_redis


@pytest.fixture(scope="module")
def redis_server() -> Iterator[WebServer]:
    with start_redis() as server:
        yield server


@pytest.fixture
async def source(redis_server: WebServer) -> AsyncIterator[RedisSource]:
    made = of(redis_server.url)
    yield made
    await made.close()


def of(url: str, timeout: float = 2.0) -> RedisSource:
    return RedisSource(RedisSettings(SecretRef.of(url), timeout), backoff=Backoff(jitter=lambda: 0.0))


async def table(source: RedisSource, text: str) -> Table:
    value = (await source.read(Query("redis", text))).value
    assert isinstance(value, Table)
    return value


async def failure(source: RedisSource, text: str = "DBSIZE") -> SourceError:
    with pytest.raises(SourceError) as caught:
        await source.read(Query("redis", text))
    return caught.value


async def test_the_commands_that_read(source: RedisSource) -> None:
    assert await table(source, "dbsize") == Table(("name", "value"), (("keys", 0),))
    everything = {row[0]: row[1] for row in (await table(source, "INFO")).rows}
    memory = {row[0]: row[1] for row in (await table(source, "INFO memory")).rows}
    assert everything["tcp_port"]
    assert isinstance(memory["used_memory"], int)
    assert "tcp_port" not in memory
    assert (await table(source, "SLOWLOG")).columns == ("id", "seconds", "command")
    found = await source.probe()
    assert found.product in ("Redis", "Valkey")
    assert "role:master" in found.features


@pytest.mark.parametrize("text", ["FLUSHALL", "DBSIZE; FLUSHALL", "INFO memory all", "CONFIG GET *", "", "INFO a\r\nX"])
async def test_nothing_else_is_run(source: RedisSource, text: str) -> None:
    assert (await failure(source, text)).kind == "bad-query"


async def test_why_it_cannot_be_read() -> None:
    with refusing_port() as port:
        assert str(await failure(of(f"redis://127.0.0.1:{port}/0"))) == f"redis: connection refused at 127.0.0.1:{port}"
    with FaultServer("hang") as server:
        error = await failure(of(f"redis://127.0.0.1:{server.port}", 0.2))
        assert (error.kind, error.message) == ("timeout", f"no answer within 0.2 s from 127.0.0.1:{server.port}")
    error = await failure(of("redis://ann:hunter2@127.0.0.1:1/x/y"))
    assert "hunter2" not in f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"
    error = await failure(of("hunter2"))
    assert error.kind == "unsupported"
    assert "hunter2" not in f"{error} {error.__cause__!r} {error.__context__!r}"


async def test_a_wrong_password_is_refused(redis_server: WebServer) -> None:
    error = await failure(of(redis_server.url.replace("redis://", "redis://ann:hunter2@")))
    assert error.kind == "refused"
    assert "hunter2" not in str(error)


async def test_without_the_client_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    error = await failure(of("redis://127.0.0.1:1"))
    assert (error.kind, error.hint) == ("unsupported", "pip install 'opsconsole[redis]'")


async def test_it_recovers_with_the_server() -> None:
    with start_redis() as server:
        now = [0.0]
        settings = RedisSettings(SecretRef.of(server.url))
        source = RedisSource(settings, backoff=Backoff(clock=lambda: now[0]))
        await table(source, "DBSIZE")
        server.program.stop()
        assert (await failure(source)).kind == "unreachable"
        server.program.start()
        now[0] += 1  # the back-off of the first failure is over
        assert (await table(source, "DBSIZE")).columns == ("name", "value")
        await source.close()
