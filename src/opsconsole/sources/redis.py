"""Looking at a Redis or Valkey server: a few commands that only read."""

import asyncio
import importlib
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opsconsole.config.secrets import SecretError
from opsconsole.config.settings import RedisSettings
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.core.values import Cell, Table
from opsconsole.sources.backoff import Backoff
from opsconsole.sources.http_errors import transport_error

if TYPE_CHECKING:
    from redis.asyncio import Redis

_INSTALL = "pip install 'opsconsole[redis]'"
_SLOWLOG_ENTRIES = 50
_COMMANDS = "INFO [section], DBSIZE, SLOWLOG"


class RedisSource:
    """Implements `Source`; the query's text is `INFO`, `INFO memory`, `DBSIZE` or `SLOWLOG`. Answers are tables."""

    def __init__(self, settings: RedisSettings, *, name: str = "redis", backoff: Backoff | None = None) -> None:
        self.name = name
        self._settings = settings
        self._backoff = backoff or Backoff()
        self._client: Redis | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._place = ""

    async def read(self, query: Query) -> Answer:
        """Run the command that the query's text names."""
        taken_at, started = time.time(), time.monotonic()
        match query.text.split():
            case [word] if word.upper() == "DBSIZE":
                table = Table(("name", "value"), (("keys", int(await self._ask("dbsize"))),))
            case [word] if word.upper() == "SLOWLOG":
                table = _slowlog(await self._ask("slowlog_get", min(query.max_rows, _SLOWLOG_ENTRIES)))
            case [word] if word.upper() == "INFO":
                table = _info(await self._ask("info"))
            case [word, section] if word.upper() == "INFO" and section.isalnum():
                table = _info(await self._ask("info", section.lower()))
            case _:
                said = clean_line(query.text, limit=60)
                raise SourceError(self.name, "bad-query", f"{said!r} is none of the commands {_COMMANDS}")
        return Answer(table, taken_at, time.monotonic() - started)

    async def probe(self) -> Capabilities:
        """Which product and version this is, and its role."""
        info: dict[str, Any] = await self._ask("info", "server")
        role: dict[str, Any] = await self._ask("info", "replication")
        product = "Valkey" if "valkey_version" in info else "Redis"
        version = info.get("valkey_version") or info.get("redis_version") or "unknown"
        return Capabilities(
            product, clean_line(version), frozenset({f"role:{clean_line(role.get('role', 'unknown'))}"})
        )

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _ask(self, method: str, *arguments: object) -> Any:
        self._backoff.check()
        client = await self._opened()
        import redis

        try:
            async with asyncio.timeout(self._settings.timeout + 1.0):
                answer = await getattr(client, method)(*arguments)
        except (redis.RedisError, OSError, TimeoutError, ValueError) as error:
            failure = self._failure(error)
            if failure.kind != "bad-query":
                self._backoff.failed(failure)
                await self.close()
            raise failure from error
        self._backoff.succeeded()
        return answer

    async def _opened(self) -> "Redis":
        if self._loop is not asyncio.get_running_loop():
            self._loop, self._client = asyncio.get_running_loop(), None
        if self._client is None:
            self._client = await asyncio.to_thread(self._new_client)
        return self._client

    def _new_client(self) -> "Redis":
        try:
            module = importlib.import_module("redis.asyncio")
        except ImportError:
            raise SourceError(self.name, "unsupported", "the Redis client is not installed", hint=_INSTALL) from None
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        try:
            url = self._settings.url.reveal()
        except SecretError as error:
            raise SourceError(self.name, "refused", str(error), hint="no URL to connect with") from None
        parts = urlsplit(url)
        self._place = f"{parts.hostname or 'localhost'}:{parts.port or 6379}" if parts.hostname else parts.path
        seconds = self._settings.timeout
        client: Redis | None = None
        try:
            client = module.Redis.from_url(
                url, socket_timeout=seconds, socket_connect_timeout=seconds, client_name="opsconsole",
                encoding_errors="replace", decode_responses=True, retry=Retry(NoBackoff(), 0),
            )  # fmt: skip
        except ValueError:
            client = None
        if client is None:
            # Outside of the handler: the exception of redis-py quotes the URL, and with it the password.
            raise SourceError(self.name, "unsupported", "its url cannot be read; expected redis://host:6379/0")
        return client

    def _failure(self, error: Exception) -> SourceError:
        name, text = type(error).__name__, clean_line(error, limit=200)
        if name in ("AuthenticationError", "AuthenticationWrongNumberOfArgsError", "NoPermissionError"):
            return SourceError(self.name, "refused", f"{text} at {self._place}", hint="check user and password in url")
        if name in ("BusyLoadingError", "TryAgainError"):
            return SourceError(self.name, "gone", f"the server is loading its data at {self._place}")
        if name == "MaxConnectionsError" or "max number of clients" in text:
            return SourceError(self.name, "overloaded", f"too many connections at {self._place}")
        if name == "ResponseError":
            refused = text.upper().startswith(("NOAUTH", "WRONGPASS", "NOPERM"))
            return SourceError(self.name, "refused" if refused else "bad-query", text)
        if name == "InvalidResponse":
            return SourceError(self.name, "garbage", f"something that is not Redis answers at {self._place}")
        return transport_error(self.name, f"redis://{self._place}", error, timeout=self._settings.timeout)


def _info(info: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, value in info.items():
        if isinstance(value, dict):  # keyspace and command lines: db0:keys=1,expires=0
            rows += [(clean(f"{name}.{part}"), _cell(number)) for part, number in value.items()]
        else:
            rows.append((clean(name), _cell(value)))
    return Table(("name", "value"), tuple(rows))


def _slowlog(entries: list[dict[str, Any]]) -> Table:
    rows = tuple(
        (
            int(entry["id"]),
            int(entry["duration"]) / 1e6,  # microseconds
            clean(
                entry["command"] if isinstance(entry["command"], str) else entry["command"].decode("utf-8", "replace")
            ),
        )
        for entry in entries
    )
    return Table(("id", "seconds", "command"), rows)


def _cell(value: object) -> Cell:
    return value if isinstance(value, int | float) else clean(value)
