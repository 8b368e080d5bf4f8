"""Live queries to Prometheus and what speaks its API, on the event loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opsconsole.config.settings import PrometheusSettings
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.sources import prometheus_calls as calls
from opsconsole.sources import prometheus_wire as wire
from opsconsole.sources.datasource import MetricMetadata, Target
from opsconsole.sources.http_auth import Credentials, tls_context
from opsconsole.sources.http_errors import place_of, timed_out, transport_error, without_credentials
from opsconsole.sources.json_turns import LARGE
from opsconsole.sources.prometheus_calls import Call
from opsconsole.sources.prometheus_range import aligned
from opsconsole.sources.single_flight import LandedEarly, SingleFlight

if TYPE_CHECKING:
    import httpx

_CONNECT_TIMEOUT = 3.0
_GRACE = 1.0
"""Seconds beyond the server's own time-out, so that its reason arrives rather than ours."""


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    content_type: str
    header_names: frozenset[str]
    body: bytes
    location: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    parsed: Any
    envelope: wire.Envelope
    header_names: frozenset[str]
    asked_at: float
    took: float


class PrometheusSource:
    """A Prometheus, VictoriaMetrics, Thanos or Mimir. Implements `Source` and `AsyncDatasource`.

    Connects when first asked. Equal questions under way are one request; at most `max_concurrency` are under
    way at once; cancelling the last one who waits closes the request, and the server stops working on it.
    """

    def __init__(
        self,
        settings: PrometheusSettings,
        *,
        name: str = "prometheus",
        clock: Callable[[], float] = time.time,
        body_limit: int = wire.BODY_LIMIT,
    ) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._body_limit = body_limit
        self._url = settings.url.rstrip("/")
        self._asked = wire.Asked(name, without_credentials(self._url))
        self._credentials = Credentials(name, settings)
        self._flights: SingleFlight[_Outcome] = SingleFlight()
        self._get_only = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(settings.max_concurrency)
        self._opening = asyncio.Lock()

    async def read(self, query: Query) -> Answer:
        """Answer a query, instant or range."""
        return await self._answer(calls.call_of(query, self._clock(), self._settings.timeout))

    async def instant(self, text: str, *, at: float | None = None) -> Answer:
        """Evaluate PromQL at one moment (unix seconds; None: now)."""
        return await self._answer(calls.instant_call(text, at, self._settings.timeout))

    async def range(self, text: str, *, start: float, end: float, step: float) -> Answer:
        """Evaluate PromQL over a span, which is put on a grid of `step` and never has too many points."""
        return await self._answer(calls.range_call(text, aligned(start, end, step), self._settings.timeout))

    async def label_values(self, label: str, match: str | None = None) -> tuple[str, ...]:
        """The values of a label, sorted; with `match` only of the series this selector selects."""
        values: tuple[str, ...] = (await self._ask(calls.label_values_call(label, match))).parsed
        return values

    async def metadata(self, metric: str | None = None) -> tuple[MetricMetadata, ...]:
        """Kind and help of the metrics, or of one."""
        metadata: tuple[MetricMetadata, ...] = (await self._ask(calls.metadata_call(metric))).parsed
        return metadata

    async def targets(self) -> tuple[Target, ...]:
        """What is scraped, and whether it answers."""
        targets: tuple[Target, ...] = (await self._ask(calls.TARGETS)).parsed
        return targets

    async def payload(self, path: str, *form: tuple[str, str]) -> Any:
        """What `/api/v1/PATH` says, as its JSON has it: for what has no type here. Nothing in it is cleaned."""
        return (await self._ask(Call(path, calls.unparsed, form))).parsed

    async def probe(self) -> Capabilities:
        """Which product and version this is; a server without build information is fine, too."""
        try:
            outcome = await self._ask(calls.BUILDINFO)
        except SourceError as error:
            if error.kind != "garbage":
                raise
            outcome = await self._ask(calls.PING)
            return calls.capabilities_of(None, set(outcome.header_names))
        return calls.capabilities_of(outcome.parsed, set(outcome.header_names))

    async def close(self) -> None:
        """Call off what is under way and let go of connections."""
        await self._flights.cancel()
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _answer(self, call: Call) -> Answer:
        outcome = await self._ask(call)
        envelope = outcome.envelope
        return Answer(outcome.parsed, outcome.asked_at, outcome.took, envelope.warnings, envelope.infos)

    async def _ask(self, call: Call) -> _Outcome:
        self._settle_on_loop()
        try:
            return await self._flights.join(call, lambda: self._fetch(call))
        except LandedEarly:
            raise self._asked.error("gone", "the request was called off") from None

    async def _fetch(self, call: Call) -> _Outcome:
        client = await self._opened()
        async with self._slot():
            asked_at, started = self._clock(), time.monotonic()
            try:
                # The time-outs of the client are per read; a trickle would never meet them.
                async with asyncio.timeout(self._settings.timeout + _GRACE):
                    raw = await self._exchange(client, call)
            except TimeoutError:
                raise timed_out(self.name, self._url, self._settings.timeout) from None
        if len(raw.body) > LARGE:  # beside the event loop: keys keep answering
            envelope, parsed = await asyncio.to_thread(self._parsed, call, raw)
        else:
            envelope, parsed = self._parsed(call, raw)
        return _Outcome(parsed, envelope, raw.header_names, asked_at, time.monotonic() - started)

    def _parsed(self, call: Call, raw: _Raw) -> tuple[wire.Envelope, Any]:
        envelope = wire.envelope(raw.status, raw.content_type, raw.body, self._asked)
        return envelope, call.parse(envelope.data, self._asked)

    async def _exchange(self, client: "httpx.AsyncClient", call: Call) -> _Raw:
        headers = self._credentials.known
        if headers is None:
            headers = await asyncio.to_thread(self._credentials.headers)
        raw = await self._send(client, call, headers)
        if raw.status == 401:
            # Tokens rotate: fetch the secret again, once.
            renewed = await asyncio.to_thread(self._credentials.renewed, headers)
            if renewed is not None:
                raw = await self._send(client, call, renewed)
        if 300 <= raw.status < 400:
            raise wire.redirected(raw.status, raw.location, self._asked)
        return raw

    async def _send(self, client: "httpx.AsyncClient", call: Call, headers: dict[str, str]) -> _Raw:
        if not call.post or self._get_only:
            return await self._request(client, "GET", call, headers)
        raw = await self._request(client, "POST", call, headers)
        if raw.status in (403, 405):
            # A read-only proxy lets no POST through. If GET works, remember; else it was no matter of method.
            fallback = await self._request(client, "GET", call, headers)
            self._get_only = fallback.status not in (401, 403, 405)
            return fallback
        return raw

    async def _request(self, client: "httpx.AsyncClient", method: str, call: Call, headers: dict[str, str]) -> _Raw:
        import httpx

        url, content = f"{self._url}/api/v1/{call.path}", None
        if method == "POST":
            content = call.encoded.encode()
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        elif call.form:
            url += "?" + call.encoded
        try:
            async with client.stream(method, url, content=content, headers=headers) as response:
                names = frozenset(name.lower() for name in response.headers)
                content_type = response.headers.get("content-type", "").lower()
                location = response.headers.get("location", "")
                body = b""
                if response.status_code < 300 or response.status_code >= 400:
                    body = await self._body(response, content_type)
                return _Raw(response.status_code, content_type, names, body, location)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            if isinstance(error, httpx.PoolTimeout):
                await self._let_go_of(client)
            # OSError: a TLS alert that comes after the handshake passes through httpx unwrapped.
            raise transport_error(self.name, self._url, error, timeout=self._settings.timeout) from error

    async def _let_go_of(self, client: "httpx.AsyncClient") -> None:
        """Begin anew with a client that has no connection to give although there is a slot for each: it has lost them
        (to requests that were called off while they waited), and would answer nothing ever again."""
        if self._client is client:
            self._client = None
            await client.aclose()

    async def _body(self, response: "httpx.Response", content_type: str) -> bytes:
        """The whole body, unless its first bytes show that it is none of ours, or it does not end."""
        body = bytearray()
        async for chunk in response.aiter_bytes():
            first = not body
            body += chunk
            if first and wire.looks_foreign(chunk, content_type):
                break
            if len(body) > self._body_limit:
                raise wire.too_large(self._asked, self._body_limit)
        return bytes(body)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._settings.timeout + _GRACE):
                await self._slots.acquire()
        except TimeoutError:
            busy = f"{self._settings.max_concurrency} queries to {place_of(self._url)} are under way"
            raise self._asked.error("overloaded", f"{busy} and none ended in {self._settings.timeout:g} s") from None
        try:
            yield
        finally:
            self._slots.release()

    def _settle_on_loop(self) -> None:
        """Connections belong to one event loop; the command line may use several, one after the other."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._client = None
            self._flights = SingleFlight()
            self._slots = asyncio.Semaphore(self._settings.max_concurrency)
            self._opening = asyncio.Lock()

    async def _opened(self) -> "httpx.AsyncClient":
        async with self._opening:
            if self._client is None:
                # Importing httpx and reading certificates takes tens of milliseconds: beside the event loop.
                self._client = await asyncio.to_thread(self._new_client)
            return self._client

    def _new_client(self) -> "httpx.AsyncClient":
        import httpx

        context = tls_context(self.name, self._settings)
        limits = httpx.Limits(max_connections=self._settings.max_concurrency)
        reading = self._settings.timeout + _GRACE
        timeout = httpx.Timeout(reading, connect=min(_CONNECT_TIMEOUT, self._settings.timeout), pool=2.0)
        try:
            return httpx.AsyncClient(verify=context or False, limits=limits, timeout=timeout, follow_redirects=False)
        except (ImportError, ValueError) as error:
            # A proxy in the environment that this client cannot use (SOCKS needs a package of its own).
            raise self._asked.error("unsupported", "the proxy in HTTP_PROXY or ALL_PROXY cannot be used") from error
