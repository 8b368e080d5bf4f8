"""One JSON API over HTTP: bounded, let in with the configured credentials, its faults in the words of an operator."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from opsconsole.config.settings import HttpSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.sources.http_auth import Credentials
from opsconsole.sources.http_client import HttpClient, parsed

_KINDS = {400: "bad-query", 429: "overloaded", 503: "overloaded"}


class JsonHttp:
    """Connects when first asked. Every method raises SourceError; nothing in an answer is cleaned."""

    def __init__(self, source: str, product: str, settings: HttpSettings, base: str) -> None:
        """`product` is what should answer there, at the path `base` below the configured URL."""
        self._source = source
        self._product = product
        self._http = HttpClient(source, settings)
        self._base = f"{self._http.url}/{base}"
        self._credentials = Credentials(source, settings)

    async def get(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> Any:
        """What `GET PATH?PARAMETERS` says; asked once for all who want the same at the same time."""
        where = path + (f"?{urlencode(parameters)}" if parameters else "")
        return await self._http.shared(where, lambda: self._asked(path, f"{self._base}/{where}"))

    async def close(self) -> None:
        """Call off what is under way and let go of connections."""
        await self._http.close()

    @property
    def place(self) -> str:
        """`host:port`, as messages name it."""
        return self._http.place

    async def _asked(self, path: str, where: str) -> Any:
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

    def garbage(self, what: str) -> SourceError:
        """The error for an answer that is not of this product."""
        message = f"what answers at {self.place} is no {self._product}: its {what} is not what one says"
        return SourceError(self._source, "garbage", message)

    def _refusal(self, status: int, body: bytes) -> SourceError:
        if status in (401, 403, 407):
            what = {401: "wants credentials it did not get", 403: "forbids this"}.get(status, "proxy wants credentials")
            hint = "check bearer_token, or username and password"
            return SourceError(self._source, "refused", f"{what} (HTTP {status}) at {self.place}", hint=hint)
        if status < 400:
            return SourceError(self._source, "garbage", f"sends us somewhere else (HTTP {status}): a log-in page?")
        said = _said(body)
        hint = "is the path in url right?" if status == 404 else ""
        message = f"answered HTTP {status} at {self.place}" + (f": {said}" if said else "")
        return SourceError(
            self._source, _KINDS.get(status, "internal" if status >= 500 else "garbage"), message, hint=hint
        )


def _said(body: bytes) -> str:
    """What an answer that is no success says of itself: a text, or a JSON string. A page of a proxy says nothing."""
    text = body[:2000].decode("utf-8", errors="replace").strip()
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, str):
        text = told
    return "" if text.startswith("<") else clean_line(text, limit=300)
