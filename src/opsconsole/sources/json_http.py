"""One JSON API over HTTP: bounded, let in with the configured credentials, its faults in the words of an operator."""

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from opsconsole.config.settings import HttpSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.sources.http_auth import Credentials, tls_context
from opsconsole.sources.http_errors import place_of, timed_out, transport_error

if TYPE_CHECKING:
    import httpx

_CONNECT_TIMEOUT = 3.0
_PARSE_ASIDE = 256 * 1024
"""Bytes from which an answer is parsed beside the event loop."""


class JsonHttp:
    """Connects when first asked. Every method raises SourceError; nothing in an answer is cleaned."""

    def __init__(self, source: str, product: str, settings: HttpSettings, *, at_once: int, most_bytes: int) -> None:
        """`product` is what should answer there; `at_once` the requests under way; `most_bytes` of one answer."""
        self._source = source
        self._product = product
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self._credentials = Credentials(source, settings)
        self._at_once = at_once
        self._most_bytes = most_bytes
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(at_once)
        self._opening = asyncio.Lock()

    async def get(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> Any:
        """What `GET URL/PATH?PARAMETERS` says."""
        self._settle_on_loop()
        where = f"{self._url}/{path}" + (f"?{urlencode(parameters)}" if parameters else "")
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
            raise self.garbage(path) from None

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    def garbage(self, what: str) -> SourceError:
        """The error for an answer that is not of this product."""
        place = place_of(self._url)
        message = f"what answers at {place} is no {self._product}: its {what} is not what one says"
        return SourceError(self._source, "garbage", message)

    async def _exchange(self, url: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """(status, body) of one request, within the time-out."""
        client = await self._opened()
        import httpx

        try:
            async with (
                asyncio.timeout(self._settings.timeout),
                self._slots,
                client.stream("GET", url, headers={"Accept": "application/json", **headers}) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > self._most_bytes:
                        said = f"the answer is larger than {self._most_bytes >> 20} MiB"
                        raise SourceError(self._source, "garbage", said)
                return response.status_code, bytes(body)
        except TimeoutError:
            raise timed_out(self._source, self._url, self._settings.timeout) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise transport_error(self._source, self._url, error, timeout=self._settings.timeout) from error

    def _refusal(self, status: int, body: bytes) -> SourceError:
        place = place_of(self._url)
        if status in (401, 403, 407):
            what = {401: "wants credentials it did not get", 403: "forbids this"}.get(status, "proxy wants credentials")
            hint = "check bearer_token, or username and password"
            return SourceError(self._source, "refused", f"{what} (HTTP {status}) at {place}", hint=hint)
        if status < 400:
            return SourceError(self._source, "garbage", f"sends us somewhere else (HTTP {status}): a log-in page?")
        kind = "bad-query" if status == 400 else "overloaded" if status in (429, 503) else "internal"
        kind = kind if status != 404 else "garbage"
        said = clean_line(body[:2000].decode("utf-8", errors="replace").strip(), limit=300)
        hint = "is the path in url right?" if status == 404 else ""
        return SourceError(self._source, kind, f"answered HTTP {status} at {place}: {said or 'nothing'}", hint=hint)

    def _settle_on_loop(self) -> None:
        """Connections belong to one event loop; the command line may use several, one after the other."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._client = loop, None
            self._slots = asyncio.Semaphore(self._at_once)
            self._opening = asyncio.Lock()

    async def _opened(self) -> "httpx.AsyncClient":
        async with self._opening:
            if self._client is None:
                # Importing httpx and reading certificates takes tens of milliseconds: beside the event loop.
                self._client = await asyncio.to_thread(self._new_client)
            return self._client

    def _new_client(self) -> "httpx.AsyncClient":
        import httpx

        context = tls_context(self._source, self._settings)
        timeout = httpx.Timeout(self._settings.timeout, connect=min(_CONNECT_TIMEOUT, self._settings.timeout))
        try:
            return httpx.AsyncClient(verify=context or False, timeout=timeout, follow_redirects=False)
        except (ImportError, ValueError) as error:
            said = "the proxy in HTTP_PROXY or ALL_PROXY cannot be used"
            raise SourceError(self._source, "unsupported", said) from error
