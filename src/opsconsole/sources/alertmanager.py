"""Asking an Alertmanager (API version 2). What its answers mean is for `opsconsole.alerts`."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

from opsconsole.config.settings import AlertmanagerSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.sources.http_auth import Credentials, tls_context
from opsconsole.sources.http_errors import place_of, timed_out, transport_error
from opsconsole.sources.single_flight import LandedEarly, SingleFlight

if TYPE_CHECKING:
    import httpx

_CONNECT_TIMEOUT = 3.0
_CONCURRENCY = 4
"""Requests under way at once."""
_BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of one answer. 5,000 alerts are about 5 MB."""
_PARSE_ASIDE = 256 * 1024
"""Bytes from which an answer is parsed beside the event loop."""


class AlertmanagerSource:
    """One Alertmanager. Connects when first asked; equal questions under way are one request.

    Every method raises SourceError. Answers are JSON as it came: nothing in them is cleaned.
    """

    def __init__(self, settings: AlertmanagerSettings, *, name: str = "alertmanager") -> None:
        self.name = name
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self._credentials = Credentials(name, settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._flights: SingleFlight[Any] = SingleFlight()
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._opening = asyncio.Lock()

    @property
    def place(self) -> str:
        """`host:port`, as messages name it."""
        return place_of(self._url)

    async def alerts(self) -> list[Any]:
        """All alerts that it has, whatever their state."""
        return await self._entries("alerts")

    async def silences(self) -> list[Any]:
        """All silences, those that have expired included."""
        return await self._entries("silences")

    async def receivers(self) -> list[Any]:
        """Who can be notified."""
        return await self._entries("receivers")

    async def status(self) -> dict[str, Any]:
        """Version, cluster, and under `config.original` its configuration, secrets left out."""
        answer = await self._get("status")
        if not isinstance(answer, dict) or "versionInfo" not in answer:
            raise self._garbage("status")
        return answer

    async def probe(self) -> Capabilities:
        """Which version this is, and whether it is one of several."""
        status = await self.status()
        build, cluster = status["versionInfo"], status.get("cluster")
        version = clean_line(build.get("version") or "unknown", limit=80) if isinstance(build, dict) else "unknown"
        peers = cluster.get("peers") if isinstance(cluster, dict) else None
        notes = (f"a cluster of {len(peers)}",) if isinstance(peers, list) and len(peers) > 1 else ()
        return Capabilities("Alertmanager", version, frozenset({"api-v2"}), notes)

    async def read(self, query: Query) -> Answer:
        """Panes cannot ask it: there is no query language.

        Raises:
            SourceError: always.
        """
        raise SourceError(self.name, "unsupported", "it has no query language", hint="ask Prometheus for ALERTS")

    async def close(self) -> None:
        """Call off what is under way and let go of connections."""
        await self._flights.cancel()
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _entries(self, where: str) -> list[Any]:
        answer = await self._get(where)
        if not isinstance(answer, list):
            raise self._garbage(where)
        return answer

    async def _get(self, where: str) -> Any:
        self._settle_on_loop()
        try:
            return await self._flights.join(where, lambda: self._asked(where))
        except LandedEarly:
            raise SourceError(self.name, "gone", "the request was called off") from None

    async def _asked(self, where: str) -> Any:
        headers = self._credentials.known
        if headers is None:
            headers = await asyncio.to_thread(self._credentials.headers)
        status, body = await self._exchange(where, headers)
        if status == 401:
            # Tokens rotate: fetch the secret again, once.
            renewed = await asyncio.to_thread(self._credentials.renewed, headers)
            if renewed is not None:
                status, body = await self._exchange(where, renewed)
        if status != 200:
            raise self._refusal(status, body)
        try:
            if len(body) > _PARSE_ASIDE:
                return await asyncio.to_thread(json.loads, body)
            return json.loads(body)
        except (ValueError, RecursionError):
            raise self._garbage(where) from None

    async def _exchange(self, where: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """(status, body) of one request, within the time-out."""
        client = await self._opened()
        import httpx

        url = f"{self._url}/api/v2/{where}"
        try:
            async with (
                asyncio.timeout(self._settings.timeout),
                self._slots,
                client.stream("GET", url, headers={"Accept": "application/json", **headers}) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _BODY_LIMIT:
                        raise SourceError(self.name, "garbage", f"the answer is larger than {_BODY_LIMIT >> 20} MiB")
                return response.status_code, bytes(body)
        except TimeoutError:
            raise timed_out(self.name, self._url, self._settings.timeout) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise transport_error(self.name, self._url, error, timeout=self._settings.timeout) from error

    def _refusal(self, status: int, body: bytes) -> SourceError:
        """The error for an answer that is no success; what Alertmanager says about it is a bare JSON string."""
        if status in (401, 403, 407):
            what = {401: "wants credentials it did not get", 403: "forbids this"}.get(status, "proxy wants credentials")
            hint = "check bearer_token, or username and password"
            return SourceError(self.name, "refused", f"{what} (HTTP {status}) at {self.place}", hint=hint)
        if status < 400:
            return SourceError(self.name, "garbage", f"sends us somewhere else (HTTP {status}): a log-in page?")
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        after = f": {clean_line(said, limit=300)}" if isinstance(said, str) else ""
        kind = "overloaded" if status in (429, 503) else "internal" if status >= 500 else "garbage"
        hint = "is the path in url right?" if status == 404 else ""
        return SourceError(self.name, kind, f"answered HTTP {status} at {self.place}{after}", hint=hint)

    def _garbage(self, where: str) -> SourceError:
        return SourceError(
            self.name, "garbage", f"what answers at {self.place} is no Alertmanager: its {where} is not what one says"
        )

    def _settle_on_loop(self) -> None:
        """Connections belong to one event loop; the command line may use several, one after the other."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._client = None
            self._flights = SingleFlight()
            self._slots = asyncio.Semaphore(_CONCURRENCY)
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
        timeout = httpx.Timeout(self._settings.timeout, connect=min(_CONNECT_TIMEOUT, self._settings.timeout))
        try:
            return httpx.AsyncClient(verify=context or False, timeout=timeout, follow_redirects=False)
        except (ImportError, ValueError) as error:
            raise SourceError(
                self.name, "unsupported", "the proxy in HTTP_PROXY or ALL_PROXY cannot be used"
            ) from error
