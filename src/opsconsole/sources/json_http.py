"""One JSON API over HTTP: bounded, let in with the configured credentials, its faults in the words of an operator."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from opsconsole.config.settings import HttpSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.sources.http_auth import Credentials
from opsconsole.sources.http_client import HttpClient, parsed


class JsonHttp:
    """Connects when first asked. Every method raises SourceError; nothing in an answer is cleaned."""

    def __init__(self, source: str, product: str, settings: HttpSettings) -> None:
        """`product` is what should answer there."""
        self._source = source
        self._product = product
        self._http = HttpClient(source, settings)
        self._credentials = Credentials(source, settings)

    async def get(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> Any:
        """What `GET URL/PATH?PARAMETERS` says."""
        where = f"{self._http.url}/{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        headers = self._credentials.known
        if headers is None:
            headers = await asyncio.to_thread(self._credentials.headers)
        status, body = await self._http.exchange("GET", where, headers)
        if status == 401:
            # Tokens rotate: fetch the secret again, once.
            renewed = await asyncio.to_thread(self._credentials.renewed, headers)
            if renewed is not None:
                status, body = await self._http.exchange("GET", where, renewed)
        if status != 200:
            raise self._refusal(status, body)
        try:
            return await parsed(body)
        except (ValueError, RecursionError):
            raise self.garbage(path) from None

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    def garbage(self, what: str) -> SourceError:
        """The error for an answer that is not of this product."""
        place = self._http.place
        message = f"what answers at {place} is no {self._product}: its {what} is not what one says"
        return SourceError(self._source, "garbage", message)

    def _refusal(self, status: int, body: bytes) -> SourceError:
        place = self._http.place
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
