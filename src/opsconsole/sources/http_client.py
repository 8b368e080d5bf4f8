"""Asking one server over HTTP: connected when first needed, bounded in time, size and number, errors in words.

What is asked, who is let in and what an answer means is for the sources that use it.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from opsconsole.config.settings import HttpSettings
from opsconsole.core.reading import SourceError
from opsconsole.sources.http_auth import tls_context
from opsconsole.sources.http_errors import place_of, timed_out, transport_error
from opsconsole.sources.json_turns import LARGE, read_in_turns
from opsconsole.sources.server_clock import ServerClock
from opsconsole.sources.single_flight import LandedEarly, SingleFlight

if TYPE_CHECKING:
    import httpx

_CONNECT_TIMEOUT = 3.0
_CONCURRENCY = 4
"""Requests under way at once: servers have few workers, and their users want some of them."""
_BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of one answer; what is longer is read as a stream. 5,000 alerts are about 5 MB."""


class HttpClient:
    """Every method raises SourceError. Statuses are told as they are; nothing is sent twice."""

    def __init__(self, source: str, settings: HttpSettings) -> None:
        """`source` is named in errors."""
        self.source = source
        self.url = settings.url.rstrip("/")
        self.clock = ServerClock()
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._flights: SingleFlight[Any] = SingleFlight()
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._opening = asyncio.Lock()

    @property
    def place(self) -> str:
        """`host:port`, as messages name it."""
        return place_of(self.url)

    def settle(self) -> bool:
        """Whether this is another event loop than before: connections and locks belong to one, and the command line may
        use several, one after the other."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return False
        self._loop = loop
        self._client = None
        self._flights = SingleFlight()
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._opening = asyncio.Lock()
        return True

    async def shared(self, key: Hashable, ask: Callable[[], Awaitable[Any]]) -> Any:
        """What `ask` brings; asked once for all who want `key` at the same time."""
        self.settle()
        try:
            return await self._flights.join(key, ask)
        except LandedEarly:
            raise SourceError(self.source, "gone", "the request was called off") from None

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> tuple[int, bytes]:
        """(status, body) of one request, within the time-out. `content` is JSON."""
        self.settle()
        try:
            async with asyncio.timeout(self._settings.timeout), self._slots:
                sent = time.time()
                async with self.stream(method, url, headers, content) as response:
                    self.clock.see(response.headers.get("Date", ""), sent, time.time())
                    return response.status_code, await self.body(response)
        except TimeoutError:
            raise timed_out(self.source, self.url, self._settings.timeout) from None

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        patience: float | None = None,
    ) -> "AsyncIterator[httpx.Response]":
        """The answer, before its body; may last. `patience` are the seconds without a byte after which the server is
        given up; the configured time-out where none is said."""
        self.settle()
        patience = self._settings.timeout if patience is None else max(patience, self._settings.timeout)
        client = await self._opened()
        import httpx

        sent = {"Accept": "application/json", **headers}
        if content is not None:
            sent["Content-Type"] = "application/json"
        try:
            timeout = self._timeout(patience)
            async with client.stream(method, url, content=content, headers=sent, timeout=timeout) as response:
                yield response
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise transport_error(self.source, self.url, error, timeout=patience) from error

    async def body(self, response: "httpx.Response") -> bytes:
        """All of it, where it is not too large."""
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _BODY_LIMIT:
                raise SourceError(self.source, "garbage", f"the answer is larger than {_BODY_LIMIT >> 20} MiB")
        return bytes(body)

    async def close(self) -> None:
        """Call off what is under way and let go of connections. It can be used again afterwards."""
        await self._flights.cancel()
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    def _timeout(self, patience: float) -> "httpx.Timeout":
        import httpx

        whole = self._settings.timeout
        return httpx.Timeout(whole, connect=min(_CONNECT_TIMEOUT, whole), read=patience)

    async def _opened(self) -> "httpx.AsyncClient":
        async with self._opening:
            if self._client is None:
                # Importing httpx and reading certificates takes tens of milliseconds: beside the event loop.
                self._client = await asyncio.to_thread(self._new_client)
            return self._client

    def _new_client(self) -> "httpx.AsyncClient":
        import httpx

        context = tls_context(self.source, self._settings)
        try:
            return httpx.AsyncClient(verify=context or False, follow_redirects=False)
        except (ImportError, ValueError) as error:
            raise SourceError(
                self.source, "unsupported", "the proxy in HTTP_PROXY or ALL_PROXY cannot be used"
            ) from error


async def parsed(body: bytes) -> Any:
    """The JSON in `body`; a large one is parsed beside the event loop, and in turns with it.

    Raises:
        ValueError, RecursionError: it is none.
    """
    if len(body) > LARGE:
        return await asyncio.to_thread(_parsed_in_turns, body)
    return json.loads(body)


def _parsed_in_turns(body: bytes) -> Any:
    return read_in_turns(body.decode(json.detect_encoding(body), "surrogatepass"))
