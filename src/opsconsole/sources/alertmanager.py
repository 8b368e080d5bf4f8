"""Asking an Alertmanager (API version 2). What its answers mean is for `opsconsole.alerts`."""

import asyncio
import json
from typing import Any

from opsconsole.config.settings import AlertmanagerSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.sources.http_auth import Credentials
from opsconsole.sources.http_client import HttpClient, parsed


class AlertmanagerSource:
    """One Alertmanager. Connects when first asked; equal questions under way are one request.

    Every method raises SourceError. Answers are JSON as it came: nothing in them is cleaned.
    """

    def __init__(self, settings: AlertmanagerSettings, *, name: str = "alertmanager") -> None:
        self.name = name
        self._http = HttpClient(name, settings)
        self._credentials = Credentials(name, settings)

    @property
    def place(self) -> str:
        """`host:port`, as messages name it."""
        return self._http.place

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
        await self._http.close()

    async def _entries(self, where: str) -> list[Any]:
        answer = await self._get(where)
        if not isinstance(answer, list):
            raise self._garbage(where)
        return answer

    async def _get(self, where: str) -> Any:
        return await self._http.shared(where, lambda: self._asked(where))

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
            return await parsed(body)
        except (ValueError, RecursionError):
            raise self._garbage(where) from None

    async def _exchange(self, where: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """(status, body) of one request, within the time-out."""
        return await self._http.exchange("GET", f"{self._http.url}/api/v2/{where}", headers)

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
